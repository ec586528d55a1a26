"""A device that is not there: its numbers are kept and computed on the processor, and it refuses what a GPU refuses.

A tensor of another device beside one of its own raises, and so does reading one with numpy. Unlike torch's own fake
tensors these hold numbers, so that whole steps of training can be run, backward pass included, and compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

NAME = "pretended"
_BETWEEN = (torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default)
"""All that may take numbers from one device to another."""


# Before any backward pass: the first one counts the devices.
_setup_privateuseone_for_python_backend(NAME)


class _Pretended(Tensor):
    inner: Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, inner: Tensor) -> _Pretended:
        made = Tensor._make_wrapper_subclass(
            cls, inner.shape, strides=inner.stride(), storage_offset=inner.storage_offset(), dtype=inner.dtype,
            device=f"{NAME}:0",
        )  # fmt: skip
        made.inner = inner
        return made

    def __repr__(self) -> str:
        return f"pretended {self.inner!r}"

    def tolist(self) -> Any:
        return self.inner.tolist()

    def __reduce_ex__(self, protocol: int) -> Any:
        return self.inner.detach().__reduce_ex__(protocol)

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, kwargs or {})


class _Mode(TorchDispatchMode):
    """Catches what makes tensors from nothing."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, kwargs or {})


def _run(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    tensors = [one for one in tree_leaves((args, kwargs)) if isinstance(one, Tensor)]
    there = [one for one in tensors if isinstance(one, _Pretended)]
    # Single numbers may be anywhere, as with GPUs.
    here = [one for one in tensors if not isinstance(one, _Pretended) and one.ndim]
    if there and here and func not in _BETWEEN:
        raise RuntimeError(f"{func} of two devices: {[tuple(one.shape) for one in here]} on the processor")
    asked = kwargs.get("device")
    lands_there = isinstance(args[0], _Pretended) if func is _BETWEEN[1] else bool(there)
    if asked is not None:
        lands_there = torch.device(asked).type == NAME
        kwargs = {**kwargs, "device": torch.device("cpu")}
    args, kwargs = tree_map_only(_Pretended, lambda one: one.inner, (args, kwargs))
    answer = func(*args, **kwargs)
    if not lands_there:
        return answer
    known = {id(one.inner): one for one in there}
    return tree_map_only(Tensor, lambda one: known[id(one)] if id(one) in known else _Pretended(one), answer)


@contextmanager
def pretended_device() -> Iterator[torch.device]:
    """Within it, the device can be named wherever torch takes one."""
    torch._C._set_only_lift_cpu_tensors(True)
    try:
        with _Mode():
            yield torch.device(NAME, 0)
    finally:
        torch._C._set_only_lift_cpu_tensors(False)
