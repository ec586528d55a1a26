"""Sprites: what grows, and what is made of it."""

from __future__ import annotations

import math

from sketch_training.drawing.pen import Pen, wave


def tree(pen: Pen, tint: str, phase: float, lit: bool) -> None:
    sway = 0.09 * wave(phase)
    pen.box(-0.08, 0, 0.08, 0.42, "wood")
    pen.oval(-0.2 + sway, 0.5, 0.26, 0.22, tint + "-")
    pen.oval(0.2 + sway, 0.5, 0.26, 0.22, tint + "-")
    pen.oval(sway, 0.7, 0.32, 0.3, tint)
    pen.oval(-0.08 + sway, 0.8, 0.14, 0.1, tint + "+")


def palm(pen: Pen, tint: str, phase: float, lit: bool) -> None:
    u, v = 0.1 + 0.1 * wave(phase), 0.76
    pen.line("wood", 1 / 9, (-0.08, 0), (-0.04, 0.3), (0.04, 0.56), (u, v))
    for right, up in ((-0.44, -0.1), (-0.34, 0.16), (0.4, -0.12), (0.36, 0.16)):
        pen.line(tint, 1 / 8, (u, v), (u + right * 0.5, v + 0.12 + up * 0.5), (u + right, v + up - 0.06))
    pen.line(tint + "-", 1 / 10, (u, v), (u - 0.1, v + 0.22))
    pen.oval(u, v - 0.05, 0.06, 0.06, "brown")


def cactus(pen: Pen, tint: str, phase: float, lit: bool) -> None:
    pen.line(tint, 1 / 6, (-0.36, 0.66), (-0.36, 0.4), (0, 0.32))
    pen.line(tint, 1 / 6, (0.36, 0.78), (0.36, 0.5), (0, 0.42))
    pen.box(-0.13, 0, 0.13, 0.9, tint)
    pen.oval(0, 0.88, 0.13, 0.12, tint)
    pen.line(tint + "-", 0.04, (-0.02, 0.1), (-0.02, 0.86))
    pen.oval(0.05 * wave(phase), 1.02, 0.07, 0.06, "blush")


def flower(pen: Pen, tint: str, phase: float, lit: bool) -> None:
    sway = 0.12 * wave(phase)
    pen.line("leaf", 1 / 10, (0, 0), (sway * 0.4, 0.3), (sway, 0.62))
    pen.oval(-0.14, 0.2, 0.13, 0.06, "leaf")
    pen.oval(0.14, 0.28, 0.13, 0.06, "leaf")
    for petal in range(5):
        angle = 2 * math.pi * petal / 5 + 0.3
        pen.oval(sway + 0.2 * math.sin(angle), 0.7 + 0.2 * math.cos(angle), 0.15, 0.15, tint)
    pen.oval(sway, 0.7, 0.12, 0.12, "glow")


def mushroom(pen: Pen, tint: str, phase: float, lit: bool) -> None:
    stretch = 0.09 * max(0.0, wave(phase))
    pen.box(-0.15, 0, 0.15, 0.46, "white")
    pen.box(0.06, 0, 0.15, 0.46, "white-")
    pen.oval(0, 0.56 + stretch, 0.5, 0.36, tint)
    pen.box(-0.5, 0.44 + stretch, 0.5, 0.54 + stretch, tint + "-")
    for u, v in ((-0.24, 0.68), (0.06, 0.8), (0.28, 0.64)):
        pen.oval(u, v + stretch, 0.08, 0.07, "white")


def pumpkin(pen: Pen, tint: str, phase: float, lit: bool) -> None:
    sway = 0.08 * wave(phase)
    pen.line("leaf", 1 / 9, (0, 0.6), (0.04 + sway, 0.84))
    pen.oval(0.14 + sway, 0.76, 0.12, 0.06, "leaf")
    for u in (-0.32, 0.32):
        pen.oval(u, 0.34, 0.24, 0.32, tint + "-")
    for u in (-0.17, 0.17):
        pen.oval(u, 0.35, 0.22, 0.34, tint)
    pen.oval(0, 0.36, 0.12, 0.34, tint + "+")
    shine = "glow" if phase < 0.5 else "flame"
    for side in (-1, 1):
        pen.shape(shine, (0.12 * side, 0.38), (0.3 * side, 0.38), (0.2 * side, 0.52))
    pen.shape(shine, (-0.28, 0.28), (0.28, 0.28), (0.16, 0.14), (-0.16, 0.14))


def snowman(pen: Pen, tint: str, phase: float, lit: bool) -> None:
    lift = 0.22 * wave(phase)
    pen.line("wood", 0.05, (0.2, 0.5), (0.5, 0.6 + lift))
    pen.line("wood", 0.05, (-0.2, 0.5), (-0.5, 0.6 - lift))
    pen.oval(0, 0.2, 0.3, 0.22, "white")
    pen.oval(0, 0.52, 0.22, 0.18, "white")
    pen.oval(0, 0.78, 0.17, 0.15, "white")
    pen.box(-0.18, 0.6, 0.18, 0.68, tint)
    pen.box(0.06, 0.42, 0.15, 0.62, tint)
    pen.box(-0.24, 0.88, 0.24, 0.94, tint + "-")
    pen.box(-0.15, 0.93, 0.15, 1.12, tint)
    pen.dot(-0.06, 0.8, "ink")
    pen.dot(0.06, 0.8, "ink")
    pen.box(0, 0.73, 0.12, 0.76, "flame")
