"""The model card: a text with the checksums, sizes, words and figures of the files it lies beside."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
import onnx

from sketch_training.palette import COLOURS_IN_PALETTE

_TEXTS = Path(__file__).resolve().parents[1]
_GRAPHS = {
    "text.onnx": "words → states (28 tokens)",
    "dit.onnx": "flow-matching transformer: velocity of a latent picture",
    "encoder.onnx": "RGB → 32 channels for each 8 × 8 pixels",
    "decoder.onnx": f"latent → a choice among {COLOURS_IN_PALETTE} colours for each pixel",
}
_LISTS = {
    "vocab.json": "its words and two marks, by token number",
    "words.json": "their groups, phrases and usual colours",
    "palette.json": f"the {COLOURS_IN_PALETTE} colours",
}
_COLUMNS = {
    "backdrop": "backdrop", "time": "time", "weather": "weather", "mood": "mood", "subject": "subject",
    "colour": "colour", "size": "size", "position": "position", "doubled": "doubled", "second thing": "second thing",
    "bound": "own colour", "swapped": "swapped",
}  # fmt: skip
_GROUPS = ("subjects", "backdrops", "times", "weathers", "moods", "colours", "sizes", "positions")

Figures = dict[str, dict[str, float]]


def _parameters(path: Path) -> int:
    return sum(math.prod(tensor.dims) for tensor in onnx.load(path).graph.initializer)


def _parts(target: Path) -> tuple[str, int]:
    lines, total = [], 0
    for name, what in {**_GRAPHS, **_LISTS}.items():
        count = _parameters(target / name) if name in _GRAPHS else 0
        total += count
        shown = f"{count / 1e6:.1f} M" if count else ""
        checksum = hashlib.sha256((target / name).read_bytes()).hexdigest()
        lines.append(f"| `{name}` | {what} | {shown} | `{checksum}` |")
    return "\n".join(lines), total


def _vocabulary(words: dict[str, Any]) -> str:
    lines = []
    for group in _GROUPS:
        named = words["phrases"][group]
        others = sorted({text for name, texts in named.items() for text in texts if text != name})
        # Backdrops and times are spoken of in too many ways to be listed.
        also = f"; also {', '.join(others)}" if group in ("subjects", "moods", "colours", "sizes") else ""
        lines.append(f"- **{len(named)} {group}**: {', '.join(named)}{also}.")
    return "\n".join(lines)


def _pictures(table: Figures) -> str:
    rows = [name.removesuffix(": made") for name in table if name.endswith(": made")]
    lines = [f"| prompts | {' | '.join(_COLUMNS.values())} |", "|---" * (len(_COLUMNS) + 1) + "|"]
    for row in rows:
        made, real = table[f"{row}: made"], table[f"{row}: real"]
        cells = [f"{made[name]:.0f} ({real[name]:.0f})" if name in made else "" for name in _COLUMNS]
        lines.append(f"| {row} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _motion(figures: dict[str, float]) -> str:
    lines = ["| | % |", "|---|---|"]
    return "\n".join([*lines, *(f"| {name} | {value:.1f} |" for name, value in figures.items())])


def _against(figures: dict[str, Any] | None) -> str:
    """What the model it replaces does on the same prompts."""
    if figures is None:
        return ""
    lines = [
        "",
        f"Beside the model of the release before, by the same classifier, on {figures['prompts']} prompts a row",
        "of words that both know (this / before):",
        "",
        f"| prompts | {' | '.join(_COLUMNS.values())} |",
        "|---" * (len(_COLUMNS) + 1) + "|",
    ]
    for row, made in figures["rows"].items():
        if row == "motion":
            continue
        this, other = made["this"], made["other"]
        cells = [f"{this[name]:.0f} / {other[name]:.0f}" if name in this else "" for name in _COLUMNS]
        lines.append(f"| {row} | {' | '.join(cells)} |")
    worse = figures["worse"]
    lines += ["", "Worse than before: " + ("; ".join(worse) if worse else "nothing") + ".", ""]
    return "\n".join(lines)


def _lines(folder: Path, kind: str) -> str:
    """How many scenes of a kind the data holds, with separators."""
    count = sum(len(path.read_text().splitlines()) for path in (folder / "data").glob(f"{kind}-*.jsonl"))
    return f"{count:,}"


def run(folder: Path, target: Path) -> None:
    """Writes MODEL_CARD.md beside the graphs in `target`, from figures.json and the data of the run."""
    figures = json.loads((folder / "figures.json").read_text())
    words = json.loads((target / "words.json").read_text())
    parts, parameters = _parts(target)
    error = 100 * float(np.sqrt(0.9 * 0.1 / figures["prompts"])) * 2
    text = Template((_TEXTS / "model_card.md").read_text()).substitute(
        millions=f"{parameters / 1e6:.1f}",
        megabytes=f"{sum((target / name).stat().st_size for name in _GRAPHS) / 1e6:.1f}",
        parts=parts,
        scenes=_lines(folder, "stills"),
        passages=_lines(folder, "passages"),
        held=sum(len(pairs) for pairs in words["heldout"].values()),
        vocabulary=_vocabulary(words),
        words=len(json.loads((target / "vocab.json").read_text())) - 2,
        prompts=figures["prompts"],
        error=f"{error:.0f} points",
        pictures=_pictures(figures["pictures"]),
        clips=figures["scenes"],
        motion=_motion(figures["motion"]),
        against=_against(figures.get("against")),
        weak=(_TEXTS / "weak_spots.md").read_text(),
    )
    (target / "MODEL_CARD.md").write_text(text)
