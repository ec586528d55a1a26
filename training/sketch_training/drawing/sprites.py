"""Every thing the model draws, by name."""

from __future__ import annotations

from collections.abc import Callable

from sketch_training.drawing import buildings, creatures, people, plants
from sketch_training.drawing.pen import Pen
from sketch_training.labels import SUBJECTS

Sprite = Callable[[Pen, str, float, bool], None]
"""Draws with a pen, a tint, a phase in [0, 1) and whether it is night. Phase 0 is the still."""


def _find(name: str) -> Sprite:
    for module in (buildings, plants, creatures, people):
        sprite: Sprite | None = getattr(module, name, None)
        if sprite is not None:
            return sprite
    raise LookupError(f"nothing draws {name}")


SPRITES: dict[str, Sprite] = {name: _find(name) for name in SUBJECTS}
