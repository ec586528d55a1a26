"""Every stage in miniature, one after the other, as its command line runs it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import torch

from sketch_training.__main__ import main
from sketch_training.labels import SHAPES
from sketch_training.run import Length, load_checkpoint
from sketch_training.stages import train_flow
from sketch_training.stages.restore import TRAINING_ONLY

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which every stage was run for a few steps."""
    place = tmp_path_factory.mktemp("run")
    common = ["--folder", str(place)]
    main(["autoencoder", *common, "--steps", "6", "--palette-scenes", "40"])
    main(["text", *common, "--steps", "8"])
    main(["dataset", *common, "--scenes", "64"])
    main(["flow", *common, "--steps", "6", "--batch", "12"])
    main(["judge", *common, "--steps", "2"])
    main(["evaluate", *common, "--prompts", "4"])
    main(["sheets", *common])
    main(["export", *common])
    return place


def test_every_stage_leaves_its_files(folder: Path) -> None:
    for name in ("autoencoder.pt", "text.pt", "flow.pt", "judge.pt", "figures.json", "palette.json"):
        assert (folder / name).stat().st_size > 0, name
    assert len(list((folder / "data").glob("*.npz"))) == 2 * len(SHAPES)
    assert {sheet.stem for sheet in (folder / "results").iterdir()} == {
        "terse", "pairs", "subjects", "tall", "wide", "clips", "followed", "passages",
    }  # fmt: skip


def test_figures_are_percentages_of_every_kind_of_prompt(folder: Path) -> None:
    figures = json.loads((folder / "figures.json").read_text())
    assert len(figures["pictures"]) == 14
    for row in figures["pictures"].values():
        assert all(0 <= value <= 100 for value in row.values())
    assert figures["motion"]["image to clip, wrong"] > 0


def test_a_stopped_run_goes_on_where_it_was(folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(folder, tmp_path / "run")
    before = load_checkpoint(folder / "flow.checkpoint")
    assert before is not None
    assert before["step"] == 6
    train_flow.run(folder, Length(minutes=0, steps=8), batch=12)
    after = load_checkpoint(folder / "flow.checkpoint")
    assert after is not None
    assert after["step"] == 8
    changed = [name for name, value in after["model"].items() if not torch.equal(value, before["model"][name])]
    assert "flow.cells_out.weight" in changed


def test_exported_graphs_are_small_and_complete(folder: Path) -> None:
    exported = folder / "onnx"
    sizes = {file.name: file.stat().st_size for file in exported.iterdir()}
    assert set(sizes) == {
        "text.onnx", "dit.onnx", "decoder.onnx", "encoder.onnx", "vocab.json", "words.json", "palette.json",
    }  # fmt: skip
    assert sum(sizes.values()) < 14_000_000


def test_exported_graphs_hold_the_weights_of_the_run(folder: Path, tmp_path: Path) -> None:
    main(["restore", "--folder", str(tmp_path), "--target", str(folder / "onnx")])
    for name in ("flow.pt", "autoencoder.pt"):
        before = torch.load(folder / name, weights_only=True)
        after = torch.load(tmp_path / name, weights_only=True)
        for key, value in before.items():
            if not any(word in key for word in TRAINING_ONLY):
                torch.testing.assert_close(after[key], value, rtol=1e-3, atol=1e-6, msg=key)


def test_graphs_answer_as_torch_does(folder: Path, tmp_path: Path) -> None:
    main(["parity", "--folder", str(tmp_path), "--target", str(folder / "onnx")])
    _compare(tmp_path, folder / "onnx")


def _compare(examples: Path, graphs: Path) -> None:
    """Runs the graphs in the runtime the engine uses."""
    node = ROOT / "node_modules" / "node" / "bin" / "node"
    done = subprocess.run(
        [node, ROOT / "engine" / "src" / "parity" / "main.ts", examples, graphs], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
