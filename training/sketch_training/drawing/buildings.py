"""Sprites: what people build."""

from __future__ import annotations

import math

from sketch_training.drawing.pen import Pen, wave


def house(pen: Pen, tint: str, phase: float, lit: bool) -> None:
    pen.box(0.2, 0.6, 0.36, 1.0, "stone")
    pen.box(-0.44, 0, 0.44, 0.56, tint)
    pen.shape(tint + "-", (-0.6, 0.54), (0, 1.0), (0.6, 0.54))
    pen.box(-0.1, 0, 0.12, 0.3, "wood")
    pen.box(0.22, 0.24, 0.36, 0.42, "glow")
    pen.box(-0.36, 0.24, -0.22, 0.42, "glow")
    for third in range(3):
        risen = (phase + third / 3) % 1
        size = 0.05 + 0.06 * risen
        pen.oval(0.28 + 0.12 * risen, 1.06 + 0.45 * risen, size, size, "puff")


def castle(pen: Pen, tint: str, phase: float, lit: bool) -> None:
    pen.box(-0.42, 0, 0.42, 0.48, tint)
    for left in (-0.28, -0.05, 0.18):
        pen.box(left, 0.48, left + 0.13, 0.58, tint)
    for u in (-0.44, 0.44):
        pen.box(u - 0.16, 0, u + 0.16, 0.72, tint + "+")
        pen.box(u + 0.06, 0, u + 0.16, 0.72, tint)
        pen.shape(tint + "-", (u - 0.22, 0.72), (u, 1.14), (u + 0.22, 0.72))
        pen.box(u - 0.05, 0.46, u + 0.05, 0.6, "ink")
    pen.box(-0.13, 0, 0.13, 0.22, "ink")
    pen.oval(0, 0.22, 0.13, 0.12, "ink")
    pen.line("wood", 1 / 16, (0, 0.5), (0, 1.06))
    pen.shape("flame", (0.03, 1.08), (0.3, 0.98 + 0.08 * wave(phase)), (0.03, 0.84))


def lighthouse(pen: Pen, tint: str, phase: float, lit: bool) -> None:
    if lit:
        reach = 1.4 * math.cos(2 * math.pi * phase)
        pen.shape("glow", (0, 0.84), (reach, 1.04), (reach, 0.66))
    pen.shape("white", (-0.22, 0), (0.22, 0), (0.13, 0.74), (-0.13, 0.74))
    for low, high in ((0.12, 0.28), (0.48, 0.64)):
        below, above = 0.21 - 0.11 * low, 0.21 - 0.12 * high
        pen.shape(tint, (-below, low), (below, low), (above, high), (-above, high))
    pen.box(-0.2, 0.72, 0.2, 0.77, tint + "-")
    pen.box(-0.1, 0.77, 0.1, 0.9, "glow")
    pen.shape(tint, (-0.17, 0.9), (0, 1.05), (0.17, 0.9))


def windmill(pen: Pen, tint: str, phase: float, lit: bool) -> None:
    pen.shape(tint, (-0.28, 0), (0.28, 0), (0.16, 0.62), (-0.16, 0.62))
    pen.shape(tint + "-", (0.02, 0), (0.28, 0), (0.16, 0.62), (0.02, 0.62))
    pen.shape(tint + "-", (-0.22, 0.6), (0, 0.86), (0.22, 0.6))
    pen.box(-0.08, 0, 0.08, 0.2, "wood")
    pen.box(-0.05, 0.32, 0.05, 0.42, "glow")
    hub, reach, broad = 0.66, 0.58, 0.17
    for sail in range(4):
        # A quarter turn over the loop brings every sail to its neighbour's place.
        angle = 2 * math.pi * (sail / 4 - phase / 4 + 0.125)
        along, across = math.cos(angle), math.sin(angle)
        tip = (reach * along, hub + reach * across)
        root = (0.12 * along, hub + 0.12 * across)
        pen.shape(
            "white",
            root,
            tip,
            (tip[0] - broad * across, tip[1] + broad * along),
            (root[0] - broad * across, root[1] + broad * along),
        )
        pen.line("wood", 1 / 14, (0, hub), tip)
    pen.oval(0, hub, 0.06, 0.06, "ink")


def tent(pen: Pen, tint: str, phase: float, lit: bool) -> None:
    pen.shape(tint, (-0.62, 0), (0, 0.8), (0.62, 0))
    pen.shape(tint + "-", (0, 0.8), (0.62, 0), (0.3, 0))
    pen.shape("ink", (-0.16, 0), (0, 0.46), (0.16, 0))
    pen.line("wood", 0.04, (0, 0.78), (0, 1.02))
    pen.shape("glow", (0.02, 1.04), (0.24, 0.97 + 0.1 * wave(phase)), (0.02, 0.9))


def boat(pen: Pen, tint: str, phase: float, lit: bool) -> None:
    pen.line("wood", 1 / 14, (0, 0.2), (0, 1.0))
    pen.shape("white", (0.06, 0.98), (0.06, 0.3), (0.46, 0.3))
    pen.shape("white-", (-0.06, 0.86), (-0.06, 0.3), (-0.36, 0.3))
    pen.shape(tint, (-0.56, 0.22), (0.56, 0.22), (0.36, 0), (-0.38, 0))
    pen.box(-0.54, 0.17, 0.54, 0.22, tint + "+")


def rocket(pen: Pen, tint: str, phase: float, lit: bool) -> None:
    flare = 0.2 + 0.14 * wave(phase)
    pen.shape("flame", (-0.12, 0.12), (0.12, 0.12), (0, -flare))
    pen.shape("glow", (-0.06, 0.12), (0.06, 0.12), (0, 0.06 - flare / 2))
    pen.shape(tint + "-", (-0.2, 0.3), (-0.36, 0.08), (-0.16, 0.12))
    pen.shape(tint + "-", (0.2, 0.3), (0.36, 0.08), (0.16, 0.12))
    pen.oval(0, 0.52, 0.2, 0.44, tint)
    pen.box(-0.17, 0.1, 0.17, 0.22, tint + "-")
    pen.shape(tint + "-", (-0.14, 0.8), (0, 1.06), (0.14, 0.8))
    pen.oval(0, 0.58, 0.09, 0.09, "glass")


def car(pen: Pen, tint: str, phase: float, lit: bool) -> None:
    pen.shape(tint + "-", (-0.36, 0.36), (-0.22, 0.64), (0.2, 0.64), (0.36, 0.36))
    pen.shape("glass", (-0.26, 0.38), (-0.17, 0.58), (-0.02, 0.58), (-0.02, 0.38))
    pen.shape("glass", (0.04, 0.38), (0.04, 0.58), (0.16, 0.58), (0.26, 0.38))
    pen.box(-0.6, 0.14, 0.6, 0.38, tint)
    pen.box(0.52, 0.24, 0.6, 0.32, "glow")
    pen.box(-0.6, 0.24, -0.54, 0.32, "flame")
    for u in (-0.34, 0.34):
        pen.oval(u, 0.13, 0.14, 0.14, "ink")
        pen.oval(u, 0.13, 0.05, 0.05, "metal")


def train(pen: Pen, tint: str, phase: float, lit: bool) -> None:
    for third in range(3):
        risen = (phase + third / 3) % 1
        size = 0.06 + 0.06 * risen
        pen.oval(0.36 - 0.3 * risen, 0.86 + 0.34 * risen, size, size, "puff")
    pen.box(0.3, 0.5, 0.42, 0.8, "ink")
    pen.box(-0.1, 0.18, 0.54, 0.52, tint)
    pen.box(-0.1, 0.3, 0.54, 0.36, tint + "+")
    pen.box(-0.56, 0.18, -0.08, 0.84, tint + "-")
    pen.box(-0.64, 0.84, 0, 0.92, tint)
    pen.box(-0.46, 0.52, -0.18, 0.74, "glass")
    pen.shape("stone", (0.54, 0.24), (0.7, 0.02), (0.54, 0.02))
    pen.oval(0.54, 0.44, 0.06, 0.06, "glow")
    for u, radius in ((-0.4, 0.15), (0, 0.12), (0.3, 0.12)):
        pen.oval(u, radius, radius, radius, "ink")
        pen.oval(u, radius, 0.05, 0.05, "metal")


def plane(pen: Pen, tint: str, phase: float, lit: bool) -> None:
    pen.shape(tint + "-", (-0.5, 0.5), (-0.68, 0.86), (-0.5, 0.86), (-0.26, 0.54))
    pen.oval(-0.02, 0.46, 0.6, 0.17, tint)
    pen.shape(tint, (-0.6, 0.5), (-0.3, 0.32), (-0.3, 0.58))
    pen.shape("glass", (0.3, 0.5), (0.36, 0.6), (0.5, 0.54), (0.54, 0.48))
    for u in (-0.3, -0.12, 0.06):
        pen.box(u, 0.48, u + 0.08, 0.56, "glass")
    pen.shape(tint + "-", (-0.06, 0.42), (0.2, 0.42), (-0.14, 0.12 + 0.02 * wave(phase)), (-0.32, 0.12))
    blade = 0.2 * math.cos(2 * math.pi * phase * 2)
    pen.line("ink", 0.06, (0.6, 0.46 - blade), (0.6, 0.46 + blade))


def balloon(pen: Pen, tint: str, phase: float, lit: bool) -> None:
    pen.oval(0, 0.68, 0.36, 0.36, tint)
    pen.oval(0, 0.68, 0.13, 0.36, tint + "+")
    pen.shape(tint + "-", (-0.28, 0.46), (0.28, 0.46), (0.1, 0.24), (-0.1, 0.24))
    pen.line("wood", 0.04, (-0.1, 0.24), (-0.08, 0.1))
    pen.line("wood", 0.04, (0.1, 0.24), (0.08, 0.1))
    pen.box(-0.11, -0.04, 0.11, 0.12, "wood")


def ufo(pen: Pen, tint: str, phase: float, lit: bool) -> None:
    pen.shape("glow", (-0.14, 0.3), (0.14, 0.3), (0.3, -0.2), (-0.3, -0.2))
    pen.oval(0, 0.56, 0.24, 0.24, "glass")
    pen.oval(0, 0.4, 0.56, 0.17, tint)
    pen.oval(0, 0.45, 0.44, 0.08, tint + "+")
    for lamp, u in enumerate((-0.36, -0.12, 0.12, 0.36)):
        pen.box(u - 0.04, 0.32, u + 0.04, 0.37, "glow" if (int(phase * 4) + lamp) % 2 else "flame")


def robot(pen: Pen, tint: str, phase: float, lit: bool) -> None:
    lift = 0.14 * wave(phase)
    pen.line("metal", 1 / 16, (0, 0.92), (0, 1.08))
    pen.oval(0, 1.1, 0.06, 0.06, "flame" if phase < 0.5 else "glow")
    for side in (-1, 1):
        hand = 0.62 - side * lift
        pen.line("metal", 1 / 8, (0.28 * side, 0.46), (0.5 * side, 0.42), (0.5 * side, hand))
        pen.box(0.5 * side - 0.1, hand, 0.5 * side + 0.1, hand + 0.1, tint + "-")
        pen.box(0.15 * side - 0.09, 0, 0.15 * side + 0.09, 0.2, "metal")
        pen.box(0.18 * side - 0.12, 0, 0.18 * side + 0.12, 0.06, "stone")
    pen.box(-0.32, 0.18, 0.32, 0.54, tint)
    pen.box(-0.16, 0.26, 0.16, 0.44, "metal")
    pen.box(-0.1, 0.3, -0.02, 0.4, "flame")
    pen.box(0.04, 0.3, 0.1, 0.4, "glow")
    pen.box(-0.3, 0.58, 0.3, 0.94, tint + "+")
    pen.box(-0.24, 0.66, 0.24, 0.84, "ink")
    pen.box(-0.18, 0.7, -0.06, 0.8, "glow")
    pen.box(0.06, 0.7, 0.18, 0.8, "glow")
