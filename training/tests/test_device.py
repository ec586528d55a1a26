"""Stages on another device than the processor, and files that go from one to the other.

No GPU is asked for: a pretended device refuses to mix tensors as one would. It cannot show bfloat16 on a GPU, nor its
speed, nor that its memory is enough.
"""

from __future__ import annotations

import contextlib
import copy
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from sketch_training import device, motion_figures
from sketch_training.__main__ import main
from sketch_training.drawing.scene import draw
from sketch_training.labels import FRAMES, SHAPES
from sketch_training.networks.judge import Judge
from sketch_training.optimiser import Muon, follow, split_parameters
from sketch_training.palette import Quantiser, load_palette
from sketch_training.picture_figures import real_pictures, rows, score
from sketch_training.run import Length, Team, load_checkpoint, load_saved
from sketch_training.sampler import Given, Sketch, draw_motion, draw_stills, noise_for
from sketch_training.sampling import random_scene
from sketch_training.stages import evaluate, train_autoencoder, train_flow, train_judge
from sketch_training.stages.dataset import random_move
from tests.pretended import NAME, pretended_device

ROOT = Path(__file__).resolve().parents[1]
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _single_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that numbers can be compared to the last digit."""
    monkeypatch.setattr(torch, "autocast", lambda *given: contextlib.nullcontext())


@contextlib.contextmanager
def _on(place: torch.device) -> Iterator[None]:
    """Stages work on this device."""
    with pytest.MonkeyPatch.context() as patch:
        for name, module in list(sys.modules.items()):
            if name.startswith("sketch_training") and hasattr(module, "DEVICE"):
                patch.setattr(module, "DEVICE", place)
        yield


def _on_both(work: Callable[[], list[Tensor]]) -> None:
    """The work answers the same numbers on both devices, and each time leaves them on that device."""
    with _on(CPU):
        wanted = work()
    with pretended_device() as there, _on(there):
        found = work()
        assert {one.device.type for one in found} == {NAME}
        found = [one.cpu() for one in found]
    assert len(found) == len(wanted) > 0
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def _stepped(loss: Tensor, module: torch.nn.Module) -> list[Tensor]:
    """The loss and its gradients, after a step down from it."""
    loss.backward()  # type: ignore[no-untyped-call]
    found = [loss.detach(), *(one.grad for one in module.parameters() if one.grad is not None)]
    optimiser = Muon(*split_parameters(module), rate=0.01)
    optimiser.step(1.0)
    follow(copy.deepcopy(module), module, 1, 0.9)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the flow is trained on."""
    place = tmp_path_factory.mktemp("run")
    with _on(CPU):
        main(["autoencoder", "--folder", str(place), "--steps", "1", "--palette-scenes", "40"])
        main(["dataset", "--folder", str(place), "--scenes", "64"])
    return place


def test_the_pretended_device_refuses_what_a_gpu_refuses() -> None:
    with pretended_device() as there:
        one = torch.ones(3, device=there)
        with pytest.raises(RuntimeError, match="two devices"):
            one + torch.ones(3)
        with pytest.raises(RuntimeError):
            one.numpy()
        assert (one + torch.ones(3).to(there)).cpu().tolist() == [2, 2, 2]


def test_a_step_of_the_autoencoder(folder: Path) -> None:
    quantiser = Quantiser(load_palette(folder / "palette.json"))
    batch = train_autoencoder._draw_batch(2, random.Random(1), SHAPES[0])

    def work() -> list[Tensor]:
        trainer = train_autoencoder._Trainer(folder, Team(0, 1), quantiser, 0.01)
        assert train_autoencoder.exact_pixels(trainer.net, batch.rgb, 0.2).shape == (2, 64, 64)
        return _stepped(trainer.loss(batch), trainer.net)

    _on_both(work)


def test_a_step_of_the_flow(folder: Path) -> None:
    def work() -> list[Tensor]:
        trainer = train_flow._Trainer(folder, Team(0, 1), 12, 0.01)
        torch.manual_seed(5)
        rows = trainer.rows(1)
        assert {(float(moves), float(arrives)) for moves, arrives in zip(rows.moves, rows.arrives, strict=True)} == {
            (0, 0), (1, 0), (1, 1),
        }  # fmt: skip
        return _stepped(trainer.loss(rows, random.Random(2)), trainer.model)

    _on_both(work)


def test_a_step_of_the_judge() -> None:
    rng = random.Random(3)
    scenes = [random_scene(rng, shape=SHAPES[1]) for _ in range(3)]
    frames = [draw(scene) for scene in scenes]

    def work() -> list[Tensor]:
        torch.manual_seed(1)
        judge = Judge().to(device.DEVICE)
        pictures = device.to_device(np.stack([frame.rgb for frame in frames]))
        cells = device.to_device(np.stack([frame.cells for frame in frames])).long()
        return _stepped(train_judge.judge_loss(judge, pictures, cells, scenes), judge)

    _on_both(work)


def test_pictures_and_motion_of_a_seed() -> None:
    def work() -> list[Tensor]:
        torch.manual_seed(2)
        model = Sketch()
        torch.nn.init.normal_(model.flow.cells_out.weight, std=0.1)
        model.to(device.DEVICE)
        noise = device.to_device(noise_for(2, 3, 4, 7))
        stills = draw_stills(model, ["a red boat", "an owl"], noise, steps=2, avoided="night")
        redrawn = draw_stills(model, ["a red boat", "an owl"], noise, steps=2, initial=stills, strength=0.5)
        phases = device.to_device(torch.tensor([0.25, 0.5]))
        moved = draw_motion(model, ["", ""], noise, Given(stills, phases), steps=2)
        passed = draw_motion(model, ["", ""], noise, Given(stills, phases, redrawn), steps=2)
        return [stills, redrawn, moved, passed]

    _on_both(work)


def test_stages_one_after_the_other_on_the_device(tmp_path: Path) -> None:
    common = ["--folder", str(tmp_path)]
    with pretended_device() as there, _on(there):
        main(["autoencoder", *common, "--steps", "1", "--palette-scenes", "40"])
        main(["text", *common, "--steps", "1"])
        main(["dataset", *common, "--scenes", "64"])
        main(["flow", *common, "--steps", "1", "--batch", "12"])
        main(["judge", *common, "--steps", "1"])
        _measure_a_little(tmp_path)


def _measure_a_little(folder: Path) -> None:
    """What evaluate, compare and sheets do with a model; all of their pictures would take minutes."""
    studio, judge = evaluate._open(folder)
    row = next(rows(2))
    assert score(judge, row, studio.decode(studio.encode(real_pictures(row, studio.quantiser))))
    stills = studio.stills(row.prompts, row.shape, seed=9, steps=1)
    assert score(judge, row, studio.decode(stills))
    assert studio.decode(studio.loop("", stills[:1], 1, steps=1)).shape == (FRAMES, 64, 64, 3)
    notes, cells = motion_figures._Notes(), motion_figures._Cells(judge, studio.quantiser.snap)
    ends = random_move(random.Random(1), row.scenes[0])
    motion_figures._note_travel(studio, cells, ends, "", 1, notes)
    assert len(notes.means()) == 6


def test_a_run_goes_on_on_another_device(folder: Path) -> None:
    def run(steps: int) -> None:
        train_flow.run(folder, Length(minutes=0, steps=steps), batch=12)

    with _on(CPU):
        run(1)
    with pretended_device() as there, _on(there):
        run(2)
    with _on(CPU):
        run(3)
    after = load_checkpoint(folder / "flow.checkpoint")
    assert after is not None
    assert after["step"] == after["optimiser"]["steps"] == 3


def test_files_written_on_a_gpu_are_read_where_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(torch.serialization, "location_tag", lambda storage: "cuda:0")
        torch.save({"weight": torch.arange(3)}, tmp_path / "one.pt")
    if not torch.cuda.is_available():
        with pytest.raises(RuntimeError, match="CUDA"):
            torch.load(tmp_path / "one.pt", weights_only=True)
    assert load_saved(tmp_path / "one.pt")["weight"].tolist() == [0, 1, 2]


def test_gradients_are_averaged_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    def all_reduce(shared: Tensor) -> None:
        assert shared.device == CPU
        shared.add_(torch.tensor([4.0, 0.0, 0.0]))

    monkeypatch.setattr(torch.distributed, "all_reduce", all_reduce)
    team = Team(0, 1)
    team.world = 2
    with pretended_device() as there:
        weight = torch.zeros(2, device=there, requires_grad=True)
        weight.grad = torch.tensor([2.0, 6.0]).to(there)
        assert team.average_gradients([weight], 0.25) == 0.25
        assert weight.grad.cpu().tolist() == [3.0, 3.0]


@pytest.mark.parametrize(
    ("asked", "rank", "world", "gpus", "wanted"),
    [
        ("", 0, 1, 0, "cpu"), ("cpu", 0, 1, 2, "cpu"), ("", 0, 1, 2, "cuda:0"), ("cuda", 0, 1, 1, "cuda:0"),
        ("cuda:1", 0, 2, 2, "cuda:1"), ("", 1, 2, 2, "cuda:1"), ("", 1, 2, 1, "cuda:0"), ("", 1, 1, 2, "cuda:0"),
    ],
)  # fmt: skip
def test_the_best_device_is_chosen_or_the_one_that_is_asked_for(
    asked: str, rank: int, world: int, gpus: int, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    assert device.choose(asked, rank, world) == torch.device(wanted)


@pytest.mark.parametrize(("asked", "gpus"), [("cuda", 0), ("cuda:1", 1), ("gpu", 1), ("cuda:", 1)])
def test_a_device_that_is_not_here_is_named(asked: str, gpus: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    with pytest.raises(SystemExit, match=f"^DEVICE={asked}: "):
        device.choose(asked)


def test_a_command_on_a_device_that_is_not_here_says_so_in_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sketch_training", "text", "--folder", tmp_path / "run"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "DEVICE": "cuda", "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (1, "DEVICE=cuda: torch sees no CUDA GPU here\n")
    assert not (tmp_path / "run").exists()
