"""Stages 6 and 7: figures of a trained model, 512 prompts a row by default, and of another one beside it.

Both write into figures.json of the run's folder, row by row, so that what was measured before a stop is kept.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from sketch_training.device import DEVICE
from sketch_training.motion_figures import measure_motion
from sketch_training.networks.judge import Judge
from sketch_training.picture_figures import compare_pictures, measure_pictures
from sketch_training.run import load_saved
from sketch_training.studio import Studio, open_studio
from sketch_training.verdict import FAULTS

_SCENES_PER_PROMPT = 1 / 16
_LEAST_SCENES = 2
_RISING = ("recognised", "in its place")
"""Figures of motion of which more is better."""
_GIVEN = ("still repeated", "loop")
"""Figures that say nothing about which model is better."""


def run(folder: Path, count: int) -> None:
    """Prints the figures of the model and writes them."""
    studio, judge = _open(folder)
    scenes = _scenes(count)
    motion = measure_motion(studio, judge, scenes)
    print(motion, flush=True)
    _write(folder, {"prompts": count, "scenes": scenes, "motion": motion})
    table: dict[str, dict[str, float]] = {}
    for name, figures in measure_pictures(studio, judge, count):
        table[name] = figures
        print(name, figures, flush=True)
        _write(folder, {"pictures": table})


def compare(folder: Path, count: int, against: Path) -> None:
    """Prints the figures of the model and of the one in `against`, another run's folder or a restored one, on prompts
    of words that both know, and writes them with the list of those in which this model is worse."""
    studio, judge = _open(folder)
    other = open_studio(against)
    words, scenes = studio.words & other.words, _scenes(count)
    motion = {
        name: measure_motion(one, judge, scenes, words, studio.quantiser.snap)
        for name, one in (("this", studio), ("other", other))
    }
    print(motion, flush=True)
    table: dict[str, dict[str, dict[str, float]]] = {"motion": motion}
    for name, figures in compare_pictures(studio, other, judge, count):
        table[name] = figures
        print(name, figures, flush=True)
        _write(folder, {"against": {"prompts": count, "words": len(words), "rows": table, "worse": worse(table)}})


def worse(table: dict[str, dict[str, dict[str, float]]]) -> list[str]:
    """The figures in which this model is worse than the other: a model with any does not replace it."""
    found = []
    for row, made in table.items():
        for name, value in made["this"].items():
            rises = any(word in name for word in _RISING) if row == "motion" else name not in FAULTS
            before = made["other"][name]
            if (value < before if rises else value > before) and not _is_given(name):
                found.append(f"{row}, {name}: {value} after {before}")
    return found


def _is_given(name: str) -> bool:
    return name.startswith(_GIVEN) or name.endswith((", real", ", cross-fade"))


def _open(folder: Path) -> tuple[Studio, Judge]:
    torch.set_num_threads(2)
    judge = Judge()
    judge.load_state_dict(load_saved(folder / "judge.pt"))
    return open_studio(folder), judge.to(DEVICE).eval()


def _scenes(count: int) -> int:
    return max(_LEAST_SCENES, round(count * _SCENES_PER_PROMPT))


def _write(folder: Path, figures: dict[str, Any]) -> None:
    path = folder / "figures.json"
    before = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(before | figures, indent=1))
