"""Stage 4: text encoder and flow transformer together.

Each batch holds three kinds of rows: stills drawn from text, frames that follow from a still, and frames on the way
from one still to another.
"""

from __future__ import annotations

import copy
import random
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from sketch_training.captions import Caption, describe
from sketch_training.device import DEVICE, mixed
from sketch_training.labels import SHAPE_SHARES, SHAPES, Scene
from sketch_training.networks.text import TextStates
from sketch_training.optimiser import Muon, follow, rate_at, split_parameters
from sketch_training.run import Length, Team, load_checkpoint, load_saved, save_atomically, wait_while_paused
from sketch_training.sampler import BRIDGE_NOISE, Sketch, start_from
from sketch_training.stages.dataset import Passages, Stills, load_passages, load_stills
from sketch_training.stages.label_tensors import cell_colours, text_labels
from sketch_training.stages.train_text import NOT_MATRICES

RATE = 0.02
_MOTION_SHARE = 0.36
_PASSAGE_SHARE = 0.32
_AT_REST = 0.1
"""Share of the rows in motion whose phase is 0: a clip's first frame can then be drawn in the style of the others."""
_STILL_NOISE = 0.15
_DROPPED_TEXT = 0.12
_DROPPED_TEXT_IN_MOTION = 0.4
_FULL_CAPTIONS = 0.35
_SUBJECT_WEIGHT = 2.0
_MOTION_WEIGHT = 3.0
_PROBE_WEIGHT = 0.06
_TEXT_WEIGHT = 0.06
_REPORT_STEPS = 50
_SAVE_SECONDS = 240.0


@dataclass
class _Rows:
    """Rows of one batch. The flow runs from `start` to `data`; `moves` is 1 for rows that follow from a still."""

    scenes: list[Scene]
    start: Tensor
    data: Tensor
    phase: Tensor
    still: Tensor
    moves: Tensor
    last: Tensor
    arrives: Tensor
    cells: Tensor
    important: Tensor


def _joined(parts: list[_Rows]) -> _Rows:
    return _Rows(
        [scene for part in parts for scene in part.scenes],
        *(
            torch.cat([getattr(part, name) for part in parts])
            for name in ("start", "data", "phase", "still", "moves", "last", "arrives", "cells", "important")
        ),
    )


def _still_rows(data: Stills, picks: Tensor) -> _Rows:
    scenes = [data.scenes[pick] for pick in picks.tolist()]
    picks = picks.to(data.still.device)
    still, cells = data.still[picks].float(), data.still_cells[picks].long()
    none, zero = torch.zeros_like(still), torch.zeros(len(picks), device=still.device)
    return _Rows(scenes, torch.randn_like(still), still, zero, none, zero, none, zero, cells, cells > 0)


def _motion_rows(data: Stills, picks: Tensor) -> _Rows:
    scenes = [data.scenes[pick] for pick in picks.tolist()]
    picks = picks.to(data.still.device)
    resting = torch.rand(len(picks), device=picks.device) < _AT_REST
    pick = resting[:, None, None, None]
    still = data.still[picks].float()
    target = torch.where(pick, still, data.moving[picks].float())
    before, after = data.still_cells[picks].long(), data.moving_cells[picks].long()
    given = still + torch.rand(len(picks), 1, 1, 1, device=picks.device) * _STILL_NOISE * torch.randn_like(still)
    zero, none = torch.zeros(len(picks), device=picks.device), torch.zeros_like(still)
    return _Rows(
        scenes,
        given + BRIDGE_NOISE * torch.randn_like(still),
        target,
        torch.where(resting, zero, data.phase[picks]),
        given,
        torch.ones_like(zero),
        none,
        zero,
        torch.where(pick[:, 0], before, after),
        (before > 0) | (after > 0),
    )


def _passage_rows(data: Passages, picks: Tensor) -> _Rows:
    scenes = [data.scenes[pick] for pick in picks.tolist()]
    picks = picks.to(data.first.device)
    first, last, share = data.first[picks].float(), data.last[picks].float(), data.share[picks]
    noise = torch.rand(len(picks), 1, 1, 1, device=picks.device) * _STILL_NOISE
    first, last = (each + noise * torch.randn_like(each) for each in (first, last))
    way = share[:, None, None, None]
    start = (1 - way) * first + way * last + BRIDGE_NOISE * torch.randn_like(first)
    one = torch.ones(len(picks), device=picks.device)
    cells = data.cells[picks].long()
    return _Rows(scenes, start, data.between[picks].float(), share, first, one, last, one, cells, cells > 0)


def _times(moves: Tensor) -> Tensor:
    """Stills: mostly early, since the layout is decided at times of 0.05 to 0.2. Motion: its start is the hard part."""
    count, device = len(moves), moves.device
    early = torch.sigmoid(torch.randn(count, device=device) * 1.1 - 0.6)
    times = torch.where(torch.rand(count, device=device) < 0.1, torch.rand(count, device=device), early)
    return torch.where(moves > 0, torch.rand(count, device=device) ** 2, times)


class _Trainer:
    def __init__(self, folder: Path, team: Team, batch: int, rate: float) -> None:
        self.folder, self.team, self.batch = folder, team, batch
        torch.manual_seed(0)
        self.model = Sketch()
        start_from(folder, self.model)
        if (folder / "text.pt").exists():
            self.model.text.load_state_dict(load_saved(folder / "text.pt"))
        team.agree(self.model)
        self.model.to(DEVICE)
        self.average = copy.deepcopy(self.model)
        self.optimiser = Muon(*split_parameters(self.model, NOT_MATRICES), rate=rate)
        self.data = [(load_stills(folder, shape), load_passages(folder, shape)) for shape in SHAPES]
        self.step = 0
        self.parts = dict.fromkeys(("still", "motion", "probe", "text"), 0.0)

    def resume(self, length: Length) -> None:
        saved = load_checkpoint(self.folder / "flow.checkpoint")
        if saved is None:
            return
        self.model.load_state_dict(saved["model"])
        self.average.load_state_dict(saved["average"])
        self.optimiser.restore(saved["optimiser"])
        self.step = saved["step"]
        length.done = saved["progress"] if not length.steps else 0.0

    def save(self, progress: float) -> None:
        save_atomically(self.average.state_dict(), self.folder / "flow.pt")
        save_atomically(
            {
                "model": self.model.state_dict(),
                "average": self.average.state_dict(),
                "optimiser": self.optimiser.state(),
                "step": self.step,
                "progress": progress,
            },
            self.folder / "flow.checkpoint",
        )

    def rows(self, shape: int) -> _Rows:
        stills, passages = self.data[shape]
        motion, passing = round(self.batch * _MOTION_SHARE), round(self.batch * _PASSAGE_SHARE)
        pick = torch.randint(len(stills.scenes), (self.batch - passing,))
        return _joined(
            [
                _still_rows(stills, pick[motion:]),
                _motion_rows(stills, pick[:motion]),
                _passage_rows(passages, torch.randint(len(passages.scenes), (passing,))),
            ]
        )

    def loss(self, rows: _Rows, rng: random.Random) -> Tensor:
        captions = [describe(scene, rng, full=rng.random() < _FULL_CAPTIONS) for scene in rows.scenes]
        drawn = torch.rand(len(captions), device=rows.moves.device)
        silent = drawn < torch.where(rows.moves > 0, _DROPPED_TEXT_IN_MOTION, _DROPPED_TEXT)
        captions = [
            Caption("", ()) if quiet else caption for caption, quiet in zip(captions, silent.tolist(), strict=True)
        ]
        times = _times(rows.moves)
        way = times[:, None, None, None]
        noisy = (1 - way) * rows.start + way * rows.data
        with mixed():
            text = self.model.read([caption.text for caption in captions])
            velocity, middle = self.model.flow.probed(
                noisy, times, text.states, text.mask, text.pooled,
                rows.phase, rows.still, rows.moves, rows.last, rows.arrives,
            )  # fmt: skip
            told = self.model.flow.probe_loss(
                middle, rows.cells.flatten(1), cell_colours(rows.cells, rows.scenes).flatten(1)
            )
            read = self._text_loss(text, rows.scenes, captions)
        squares = ((velocity.float() - (rows.data - rows.start)) ** 2).mean(1)
        weight = 1 + _SUBJECT_WEIGHT * rows.important.float()
        row_weight = 1 + (_MOTION_WEIGHT - 1) * rows.moves
        error = (squares * weight / weight.mean()).mean((1, 2))
        plain = squares.detach().mean((1, 2))
        self._note("still", plain[rows.moves == 0].mean())
        self._note("motion", plain[rows.moves > 0].mean())
        self._note("probe", told.detach())
        self._note("text", read.detach())
        return (error * row_weight).mean() + _PROBE_WEIGHT * told + _TEXT_WEIGHT * read

    def _text_loss(self, text: TextStates, scenes: list[Scene], captions: list[Caption]) -> Tensor:
        """Of the rows that have a caption: nothing can be read from an empty one."""
        spoken = [place for place, caption in enumerate(captions) if caption.text]
        labels = text_labels(
            self.model.tokenizer, [scenes[place] for place in spoken], [captions[place] for place in spoken]
        )
        places = torch.tensor(spoken, device=text.states.device)
        heard = TextStates(text.states[places], text.mask[places], text.pooled[places])
        return self.model.text.label_loss(heard, labels)

    def _note(self, name: str, value: Tensor) -> None:
        self.parts[name] = 0.98 * self.parts[name] + 0.02 * float(value) if self.parts[name] else float(value)


def run(folder: Path, length: Length, batch: int = 48, rate: float = RATE) -> None:
    """Trains until `length` is reached; writes flow.pt (running average of both networks) and a checkpoint.

    Weights in flow.start.pt, if there are any, are where it starts."""
    team = Team()
    trainer = _Trainer(folder, team, batch, rate)
    trainer.resume(length)
    torch.manual_seed(100 + team.rank + 10 * trainer.step)
    rng, shapes = random.Random(3 + 1000 * team.rank + trainer.step), random.Random(1 + trainer.step)
    parameters = list(trainer.model.parameters())
    progress = length.progress(trainer.step)
    saved_at = started = time.monotonic()
    while progress < 1:
        wait_while_paused(folder)
        began = time.monotonic()
        shape = shapes.choices(range(len(SHAPES)), SHAPE_SHARES)[0]
        trainer.loss(trainer.rows(shape), rng).backward()  # type: ignore[no-untyped-call]
        progress = team.average_gradients(parameters, length.progress(trainer.step + 1))
        torch.nn.utils.clip_grad_norm_(parameters, 2.0)
        trainer.optimiser.step(rate_at(progress, warm=0.01, fall=0.6))
        trainer.step += 1
        length.worked(time.monotonic() - began)
        if not team.leads:
            continue
        follow(trainer.average, trainer.model, trainer.step, 0.998)
        if trainer.step % _REPORT_STEPS == 0:
            speed = _REPORT_STEPS * batch * team.world / (time.monotonic() - started)
            parts = " ".join(f"{name} {value:.4f}" for name, value in trainer.parts.items())
            print(f"{trainer.step} {progress:.3f} {parts} {speed:.0f}/s", flush=True)
            started = time.monotonic()
        if progress >= 1 or time.monotonic() - saved_at > _SAVE_SECONDS:
            trainer.save(progress)
            saved_at = started = time.monotonic()
