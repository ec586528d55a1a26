"""Stage 8: four ONNX graphs with weights stored as half floats, and the vocabulary.

Batch, rows and columns are free in every graph. Weights are cast to single precision when a graph is loaded, so a
picture is computed as in training; only their last digits are lost.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from sketch_training.captions import TEXT_LENGTH, vocabulary
from sketch_training.labels import CELL, SHAPES
from sketch_training.networks.autoencoder import CHANNELS, Autoencoder
from sketch_training.palette import load_palette
from sketch_training.run import load_saved
from sketch_training.sampler import Sketch
from sketch_training.words_file import words_file

_OPSET = 17
_LEAST_HALVED = 256
"""Arrays below this many numbers stay in single precision."""


class _Pixels(nn.Module):
    """Latents to RGB bytes [B, H, W, 3]."""

    def __init__(self, net: Autoencoder, palette: Tensor) -> None:
        super().__init__()
        self.decoder = net.decoder
        self.palette = nn.Buffer(palette)

    def forward(self, z: Tensor) -> Tensor:
        picture: Tensor = self.palette[self.decoder(z).argmax(1)]
        return picture


class _Latents(nn.Module):
    """RGB bytes [B, H, W, 3] to latents."""

    def __init__(self, net: Autoencoder) -> None:
        super().__init__()
        self.encoder = net.encoder

    def forward(self, rgb: Tensor) -> Tensor:
        latent: Tensor = self.encoder(rgb.permute(0, 3, 1, 2).float() / 127.5 - 1)
        return latent


@dataclass(frozen=True)
class _Graph:
    name: str
    module: nn.Module
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    free: dict[str, dict[int, str]]
    example: Callable[[int, int], tuple[Tensor, ...]]


def _graphs(model: Sketch, net: Autoencoder, palette: Tensor) -> list[_Graph]:
    words = len(vocabulary())
    cells, pixels = {2: "rows", 3: "columns"}, {1: "height", 2: "width"}

    def numbers(rows: int, columns: int) -> Tensor:
        found = torch.randint(2, words, (2, TEXT_LENGTH), generator=torch.Generator().manual_seed(rows * 100 + columns))
        found[:, 20:] = 0
        return found

    def latents(rows: int, columns: int, seed: int) -> Tensor:
        return torch.randn(2, CHANNELS, rows, columns, generator=torch.Generator().manual_seed(seed))

    def flow_example(rows: int, columns: int) -> tuple[Tensor, ...]:
        states, mask, pooled = model.text(numbers(rows, columns))
        x, ref, last = (latents(rows, columns, seed) for seed in (1, 2, 3))
        t, phase = torch.tensor([0.2, 0.7]), torch.tensor([0.0, 0.4])
        return x, t, states, mask, pooled, phase, ref, torch.tensor([0.0, 1.0]), last, torch.tensor([0.0, 1.0])

    def bytes_example(rows: int, columns: int) -> tuple[Tensor, ...]:
        shape = (2, rows * CELL, columns * CELL, 3)
        return (torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(rows)),)

    flow_inputs = ("x", "t", "states", "mask", "pooled", "phase", "ref", "has_ref", "last", "has_last")
    return [
        _Graph("text", model.text, ("ids",), ("states", "mask", "pooled"), {}, lambda r, c: (numbers(r, c),)),
        _Graph("dit", model.flow, flow_inputs, ("v",), dict.fromkeys(("x", "ref", "last", "v"), cells), flow_example),
        _Graph(
            "decoder",
            _Pixels(net, palette),
            ("z",),
            ("rgb",),
            {"z": cells, "rgb": pixels},
            lambda r, c: (latents(r, c, 4),),
        ),
        _Graph("encoder", _Latents(net), ("rgb",), ("z",), {"rgb": pixels, "z": cells}, bytes_example),
    ]


def halve(path: Path) -> None:
    """Stores big single-precision weights of a graph as half floats with a cast behind them."""
    graph = onnx.load(path)
    casts = []
    for tensor in list(graph.graph.initializer):
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) <= _LEAST_HALVED:
            continue
        half = numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), tensor.name + "_half")
        graph.graph.initializer.remove(tensor)
        graph.graph.initializer.append(half)
        casts.append(helper.make_node("Cast", [half.name], [tensor.name], to=TensorProto.FLOAT))
    for cast in reversed(casts):
        graph.graph.node.insert(0, cast)
    onnx.checker.check_model(graph)
    onnx.save(graph, path)


def _write_graph(graph: _Graph, target: Path) -> None:
    path = target / f"{graph.name}.onnx"
    free = {name: {0: "batch"} | graph.free.get(name, {}) for name in (*graph.inputs, *graph.outputs)}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph.module.eval(),
            graph.example(8, 8),
            str(path),
            input_names=list(graph.inputs),
            output_names=list(graph.outputs),
            dynamic_axes=free,
            opset_version=_OPSET,
            dynamo=False,
            # Folded constants would lose the names by which `restore` finds the weights; the runtime folds them anyway.
            do_constant_folding=False,
        )
    halve(path)
    print(f"{path.name}: {path.stat().st_size} bytes", flush=True)


def _write_examples(graph: _Graph, parity: Path) -> dict[str, list[int]]:
    """Inputs and outputs for each shape of picture as raw files; answers the arrays' shapes by file name."""
    shapes: dict[str, list[int]] = {}
    for width, height in SHAPES:
        rows, columns = height // CELL, width // CELL
        given = graph.example(rows, columns)
        with torch.no_grad():
            answer = graph.module.eval()(*given)
        answers = answer if isinstance(answer, tuple) else (answer,)
        for name, tensor in zip((*graph.inputs, *graph.outputs), (*given, *answers), strict=True):
            file = f"{graph.name}.{name}.{rows}x{columns}"
            np.ascontiguousarray(tensor.detach().numpy()).tofile(parity / f"{file}.bin")
            shapes[file] = list(tensor.shape)
    return shapes


def write_parity(model: Sketch, net: Autoencoder, palette: Tensor, parity: Path) -> None:
    """What torch answers for fixed inputs, to be compared with what the graphs answer."""
    parity.mkdir(parents=True, exist_ok=True)
    shapes: dict[str, list[int]] = {}
    for graph in _graphs(model, net, palette):
        shapes |= _write_examples(graph, parity)
    (parity / "shapes.json").write_text(json.dumps(shapes))


def run(folder: Path, target: Path) -> None:
    """Writes graphs, word lists and palette to `target`, all that the engine needs."""
    model, net = Sketch(), Autoencoder()
    model.load_state_dict(load_saved(folder / "flow.pt"))
    net.load_state_dict(load_saved(folder / "autoencoder.pt"))
    palette = load_palette(folder / "palette.json")
    target.mkdir(parents=True, exist_ok=True)
    for graph in _graphs(model.eval(), net.eval(), torch.from_numpy(palette)):
        _write_graph(graph, target)
    (target / "vocab.json").write_text(json.dumps(vocabulary()))
    (target / "words.json").write_text(json.dumps(words_file()))
    (target / "palette.json").write_text(json.dumps(palette.tolist()))
