"""The exported graphs are also the stored weights: this rebuilds a run's files from them, to train on or to compare.

Parameters of training alone (label heads and probes) are in no graph and start anew.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from sketch_training.networks.autoencoder import Autoencoder
from sketch_training.palette import load_palette, save_palette
from sketch_training.sampler import Sketch

TRAINING_ONLY = ("scene_labels", "owner_labels", "probe", "num_batches_tracked")


def _weights(path: Path) -> dict[str, Tensor]:
    """Initializers of a graph by parameter name, in single precision."""
    found: dict[str, Tensor] = {}
    for tensor in onnx.load(path).graph.initializer:
        array = numpy_helper.to_array(tensor)
        if array.dtype in (np.float16, np.float32):
            found[tensor.name.removesuffix("_half")] = torch.from_numpy(array.astype(np.float32))
    return found


def _fill(module: nn.Module, weights: dict[str, Tensor]) -> None:
    """Sets every parameter that ships.

    Raises:
        LookupError: a graph lacks a parameter, so it is of another model.
    """
    # The exporter keeps equal arrays once; in a trained network those are biases that stayed zero.
    zeros = {value.shape for value in weights.values() if not value.any()}
    state = module.state_dict()
    for name, value in state.items():
        if any(word in name for word in TRAINING_ONLY):
            continue
        if name in weights and weights[name].shape == value.shape:
            state[name] = weights[name]
        elif name not in weights and value.shape in zeros:
            state[name] = torch.zeros_like(value)
        else:
            raise LookupError(f"no graph holds {name} {tuple(value.shape)}")
    module.load_state_dict(state)


def restored(source: Path) -> tuple[Sketch, Autoencoder]:
    """The networks whose graphs lie in `source`, of its own words."""
    model, net = Sketch(json.loads((source / "vocab.json").read_text())), Autoencoder()
    _fill(model.text, _weights(source / "text.onnx"))
    _fill(model.flow, _weights(source / "dit.onnx"))
    _fill(net, _weights(source / "encoder.onnx") | _weights(source / "decoder.onnx"))
    return model.eval(), net.eval()


def run(folder: Path, source: Path) -> None:
    """Writes palette, words, and the weights as those of a finished run and as those a new one starts from."""
    model, net = restored(source)
    shutil.copy(source / "vocab.json", folder / "vocab.json")
    save_palette(load_palette(source / "palette.json"), folder / "palette.json")
    for name in ("flow.pt", "flow.start.pt"):
        torch.save(model.state_dict(), folder / name)
    for name in ("autoencoder.pt", "autoencoder.start.pt"):
        torch.save(net.state_dict(), folder / name)
