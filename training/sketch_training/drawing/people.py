"""Sprites: people and other guests."""

from __future__ import annotations

from sketch_training.drawing.pen import Pen, wave


def wizard(pen: Pen, tint: str, phase: float, lit: bool) -> None:
    lift = 0.12 * wave(phase)
    pen.line("wood", 0.05, (0.38, 0), (0.38, 0.8 + lift))
    pen.oval(0.38, 0.86 + lift, 0.08, 0.08, "glow" if phase < 0.5 else "glass")
    pen.shape(tint, (-0.32, 0), (0.32, 0), (0.15, 0.54), (-0.15, 0.54))
    pen.line(tint + "-", 1 / 9, (0.1, 0.42), (0.36, 0.38 + lift))
    pen.oval(0, 0.58, 0.14, 0.12, "skin")
    pen.shape("white", (-0.13, 0.54), (0.13, 0.54), (0, 0.24))
    pen.shape(tint + "-", (-0.26, 0.64), (0.26, 0.64), (0.04 + lift, 1.12))
    pen.dot(-0.05, 0.6, "ink")
    pen.dot(0.06, 0.6, "ink")


def person(pen: Pen, tint: str, phase: float, lit: bool) -> None:
    stride = 0.16 * wave(phase)
    trousers = "brown" if tint == "blue" else "blue-"
    pen.line(trousers, 1 / 8, (-0.04, 0.36), (-0.06 - stride, 0))
    pen.line(trousers, 1 / 8, (0.06, 0.36), (0.08 + stride, 0))
    pen.box(-0.17, 0.32, 0.19, 0.64, tint)
    pen.line(tint + "-", 1 / 9, (-0.17, 0.58), (-0.26 + stride, 0.36))
    pen.line(tint + "-", 1 / 9, (0.19, 0.58), (0.3 - stride, 0.36))
    pen.oval(0.01, 0.8, 0.17, 0.17, "skin")
    pen.shape("brown", (-0.17, 0.84), (-0.1, 1.0), (0.14, 1.0), (0.18, 0.84))
    pen.dot(-0.05, 0.78, "ink")
    pen.dot(0.08, 0.78, "ink")


def astronaut(pen: Pen, tint: str, phase: float, lit: bool) -> None:
    lift = 0.14 * wave(phase)
    pen.box(-0.34, 0.28, -0.16, 0.62, "stone")
    for side in (-1, 1):
        pen.box(0.13 * side - 0.1, 0, 0.13 * side + 0.1, 0.26, tint + "-")
        pen.line(tint, 1 / 7, (0.2 * side, 0.5), (0.42 * side, 0.36 + lift * side))
    pen.box(-0.24, 0.2, 0.24, 0.6, tint)
    pen.box(-0.1, 0.34, 0.12, 0.48, "metal")
    pen.box(-0.06, 0.38, 0, 0.44, "flame")
    pen.oval(0.02, 0.82, 0.3, 0.28, tint + "+")
    pen.oval(0.09, 0.82, 0.2, 0.17, "glass")
    pen.oval(0.16, 0.87, 0.05, 0.05, "white")


def ghost(pen: Pen, tint: str, phase: float, lit: bool) -> None:
    ripple = 0.05 * wave(phase)
    pen.oval(0, 0.68, 0.36, 0.36, tint)
    pen.box(-0.36, 0.2, 0.36, 0.68, tint)
    for place, u in enumerate((-0.27, -0.09, 0.09, 0.27)):
        drop = ripple if place % 2 else -ripple
        pen.shape(tint, (u - 0.1, 0.24), (u + 0.1, 0.24), (u, 0.02 + drop))
    pen.box(0.24, 0.2, 0.36, 0.66, tint + "-")
    for side in (-1, 1):
        pen.shape(tint, (0.34 * side, 0.56), (0.56 * side, 0.5 + 2 * ripple * side), (0.34 * side, 0.36))
        pen.oval(0.13 * side, 0.7, 0.07, 0.1, "ink")
    pen.oval(0, 0.5, 0.07, 0.06, "ink")
