"""`python -m sketch_training STAGE --folder runs/one`: one stage of the training.

Stages in their order: autoencoder, text, dataset, flow, judge, evaluate, sheets, export. "compare" measures another run
beside this one, "restore" makes a run of exported graphs; "parity" and "fixtures" write what torch answers and draws
with them, and "card" the model card beside them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import torch

from sketch_training.device import DEVICE
from sketch_training.networks.autoencoder import Autoencoder, fast_layout
from sketch_training.palette import load_palette
from sketch_training.run import Length, load_saved
from sketch_training.stages import dataset, evaluate, sheets, train_autoencoder, train_flow, train_judge, train_text


def _length(options: argparse.Namespace) -> Length:
    return Length(minutes=options.minutes, steps=options.steps)


def _dataset(options: argparse.Namespace) -> None:
    net = Autoencoder()
    net.load_state_dict(load_saved(options.folder / "autoencoder.pt"))
    fast_layout(net)
    dataset.run(options.folder, net.to(DEVICE).eval(), options.scenes, options.part)


def _export(options: argparse.Namespace) -> None:
    # Needs the onnx package, which the other stages do without.
    from sketch_training.stages import export

    export.run(options.folder, options.target or options.folder / "onnx")


def _restore(options: argparse.Namespace) -> None:
    from sketch_training.stages import restore

    restore.run(options.folder, options.target)


def _parity(options: argparse.Namespace) -> None:
    from sketch_training.stages import export, restore

    model, net = restore.restored(options.target)
    palette = torch.from_numpy(load_palette(options.target / "palette.json"))
    export.write_parity(model, net, palette, options.folder)


def _fixtures(options: argparse.Namespace) -> None:
    from sketch_training.stages import fixtures

    fixtures.run(options.folder, options.target)


def _card(options: argparse.Namespace) -> None:
    from sketch_training.stages import card

    card.run(options.folder, options.target)


STAGES: dict[str, Callable[[argparse.Namespace], None]] = {
    "autoencoder": lambda options: train_autoencoder.run(
        options.folder,
        _length(options),
        rate=options.rate or train_autoencoder.RATE,
        palette_scenes=options.palette_scenes,
    ),
    "text": lambda options: train_text.run(options.folder, _length(options)),
    "dataset": _dataset,
    "flow": lambda options: train_flow.run(
        options.folder, _length(options), options.batch, options.rate or train_flow.RATE
    ),
    "judge": lambda options: train_judge.run(options.folder, _length(options)),
    "evaluate": lambda options: evaluate.run(options.folder, options.prompts),
    "compare": lambda options: evaluate.compare(options.folder, options.prompts, options.target),
    "sheets": lambda options: sheets.run(options.folder),
    "export": _export,
    "restore": _restore,
    "parity": _parity,
    "fixtures": _fixtures,
    "card": _card,
}


def main(arguments: list[str] | None = None) -> None:
    """Reads the command line and runs the stage."""
    parser = argparse.ArgumentParser(prog="sketch_training", description=__doc__)
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--folder", type=Path, required=True, help="where the run keeps its files")
    parser.add_argument("--minutes", type=float, default=1.0, help="how long to train, in minutes of work")
    parser.add_argument("--steps", type=int, default=0, help="train this many steps instead")
    parser.add_argument("--palette-scenes", type=int, default=6000, help="autoencoder: scenes to choose colours from")
    parser.add_argument("--batch", type=int, default=48, help="flow: rows of a batch, per process")
    parser.add_argument(
        "--rate", type=float, default=0.0, help="learning rate at its height, instead of the stage's own"
    )
    parser.add_argument("--scenes", type=int, default=32_000, help="dataset: stills to draw")
    parser.add_argument("--part", type=int, default=0, help="dataset: which part, also its seed")
    parser.add_argument("--prompts", type=int, default=512, help="evaluate, compare: prompts of a row")
    parser.add_argument("--target", type=Path, help="the graphs' folder; compare: the other run's")
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    STAGES[options.stage](options)


if __name__ == "__main__":
    main()
