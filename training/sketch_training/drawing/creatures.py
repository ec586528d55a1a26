"""Sprites: animals of land, water and air."""

from __future__ import annotations

from sketch_training.drawing.pen import Pen, wave


def cat(pen: Pen, tint: str, phase: float, lit: bool) -> None:
    tail = 0.2 * wave(phase)
    pen.line(tint + "-", 1 / 8, (0.18, 0.06), (0.46, 0.1), (0.56, 0.32), (0.44 + tail, 0.62))
    pen.shape(tint, (-0.26, 0), (0.26, 0), (0.2, 0.44), (-0.2, 0.44))
    pen.oval(0, 0.22, 0.1, 0.18, tint + "+")
    for side in (-1, 1):
        pen.box(0.15 * side - 0.07, 0, 0.15 * side + 0.07, 0.06, tint + "+")
        pen.shape(tint, (0.38 * side, 1.1), (0.36 * side, 0.62), (0.04 * side, 0.84))
        pen.shape("blush", (0.32 * side, 0.98), (0.3 * side, 0.8), (0.16 * side, 0.86))
    pen.oval(0, 0.62, 0.38, 0.25, tint)
    pen.oval(0, 0.52, 0.17, 0.11, tint + "+")
    eye = tint + "-" if 0.45 < phase < 0.55 else "glow"
    for side in (-1, 1):
        pen.box(0.17 * side - 0.07, 0.6, 0.17 * side + 0.07, 0.72, eye)
        pen.box(0.16 * side - 0.02, 0.6, 0.16 * side + 0.02, 0.72, "ink")
    pen.box(-0.04, 0.52, 0.04, 0.57, "ink")


def dog(pen: Pen, tint: str, phase: float, lit: bool) -> None:
    pen.line(tint, 1 / 9, (-0.42, 0.5), (-0.56, 0.66 + 0.16 * wave(phase)))
    for u in (-0.36, -0.18, 0.12, 0.28):
        pen.box(u - 0.05, 0, u + 0.05, 0.3, tint + "-")
    pen.box(-0.44, 0.24, 0.34, 0.56, tint)
    pen.oval(0.34, 0.72, 0.22, 0.2, tint)
    pen.box(0.4, 0.6, 0.66, 0.72, tint + "+")
    pen.box(0.62, 0.68, 0.68, 0.74, "ink")
    pen.shape(tint + "-", (0.2, 0.9), (0.1, 0.56), (0.28, 0.6))
    pen.box(0.38, 0.76, 0.42, 0.82, "ink")
    pen.line("flame", 1 / 12, (0.16, 0.52), (0.36, 0.52))


def bird(pen: Pen, tint: str, phase: float, lit: bool) -> None:
    beat = 0.44 * wave(phase, offset=0.25)
    pen.shape(tint + "-", (-0.3, 0.5), (-0.6, 0.62), (-0.56, 0.4))
    pen.oval(0, 0.48, 0.36, 0.2, tint)
    pen.oval(0.3, 0.6, 0.17, 0.16, tint)
    pen.shape("beak", (0.44, 0.64), (0.66, 0.56), (0.44, 0.52))
    pen.shape(tint + "+", (-0.2, 0.52), (0.14, 0.52), (-0.16, 0.52 + beat))
    pen.box(0.32, 0.62, 0.36, 0.68, "ink")


def fish(pen: Pen, tint: str, phase: float, lit: bool) -> None:
    swing = 0.14 * wave(phase)
    pen.shape(tint + "-", (-0.28, 0.45), (-0.6, 0.7 + swing), (-0.6, 0.22 + swing))
    pen.oval(0.04, 0.45, 0.42, 0.26, tint)
    pen.shape(tint + "-", (-0.1, 0.66), (0.16, 0.9), (0.22, 0.64))
    pen.oval(0, 0.4, 0.16, 0.12, tint + "+")
    pen.oval(0.28, 0.52, 0.07, 0.07, "white")
    pen.dot(0.3, 0.52, "ink")


def whale(pen: Pen, tint: str, phase: float, lit: bool) -> None:
    spout = 0.1 * max(0.0, wave(phase))
    pen.line("glass", 1 / 12, (0.16, 0.6), (0.16, 0.86 + spout))
    for side in (-1, 1):
        pen.line("glass", 1 / 12, (0.16, 0.88 + spout), (0.16 + 0.16 * side, 0.9 + spout), (0.16 + 0.2 * side, 0.78))
    pen.line(tint, 1 / 6, (-0.34, 0.34), (-0.52, 0.52 + 0.08 * wave(phase)))
    pen.shape(tint + "-", (-0.52, 0.5), (-0.74, 0.72), (-0.6, 0.78), (-0.46, 0.74), (-0.36, 0.74), (-0.44, 0.5))
    pen.oval(0.1, 0.32, 0.5, 0.32, tint)
    pen.shape("white", (-0.16, 0.14), (0.58, 0.26), (0.46, 0.06), (0.12, 0))
    pen.line("white-", 0.04, (0.0, 0.1), (0.5, 0.18))
    pen.box(0.38, 0.36, 0.44, 0.44, "ink")


def octopus(pen: Pen, tint: str, phase: float, lit: bool) -> None:
    curl = 0.1 * wave(phase)
    for side in (-1, 1):
        pen.line(tint + "-", 1 / 8, (0.2 * side, 0.4), (0.46 * side, 0.26), (0.6 * side, 0.36 + curl * side))
        pen.line(tint, 1 / 8, (0.16 * side, 0.36), (0.36 * side, 0.12), (0.52 * side, 0.04 - curl * side / 2))
        pen.line(tint + "-", 1 / 8, (0.08 * side, 0.34), (0.14 * side, 0.14), (0.2 * side, 0))
    pen.oval(0, 0.64, 0.36, 0.38, tint)
    pen.oval(-0.12, 0.82, 0.12, 0.1, tint + "+")
    for side in (-1, 1):
        pen.oval(0.15 * side, 0.58, 0.1, 0.11, "white")
        pen.box(0.15 * side - 0.03, 0.54, 0.15 * side + 0.03, 0.62, "ink")


def dragon(pen: Pen, tint: str, phase: float, lit: bool) -> None:
    beat = 0.2 * wave(phase)
    pen.line(tint, 1 / 7, (-0.2, 0.16), (-0.46, 0.06), (-0.7, 0.2))
    pen.shape(tint + "-", (-0.82, 0.14), (-0.66, 0.36), (-0.58, 0.12))
    pen.shape(
        tint + "-",
        (0.04, 0.44),
        (-0.16, 1.06 + beat),
        (-0.34, 0.82 + beat * 0.7),
        (-0.56, 0.92 + beat * 0.8),
        (-0.54, 0.66 + beat * 0.4),
        (-0.7, 0.58 + beat * 0.3),
        (-0.2, 0.34),
    )
    pen.line("ink", 0.03, (0, 0.44), (-0.16, 1.04 + beat))
    pen.line("ink", 0.03, (-0.04, 0.42), (-0.54, 0.9 + beat * 0.8))
    pen.oval(-0.04, 0.24, 0.32, 0.2, tint)
    pen.oval(0.02, 0.18, 0.2, 0.12, tint + "+")
    pen.line(tint, 1 / 5, (0.12, 0.3), (0.3, 0.52), (0.26, 0.74))
    pen.shape(tint, (0.12, 0.9), (0.14, 0.64), (0.46, 0.62), (0.62, 0.68), (0.6, 0.76), (0.36, 0.9))
    pen.shape("white", (0.16, 0.84), (0.02, 1.06), (0.28, 0.9))
    pen.box(0.3, 0.78, 0.37, 0.85, "glow")
    for u in (-0.24, 0.06):
        pen.box(u, 0, u + 0.14, 0.1, tint + "-")
    breath = 0.2 + 0.14 * wave(phase, offset=0.25)
    pen.shape("flame", (0.62, 0.7), (0.66 + breath, 0.84), (0.72 + breath, 0.7), (0.66 + breath, 0.56))
    pen.shape("glow", (0.62, 0.7), (0.62 + breath * 0.7, 0.76), (0.62 + breath * 0.7, 0.64))


def rabbit(pen: Pen, tint: str, phase: float, lit: bool) -> None:
    flop = 0.06 * wave(phase)
    pen.oval(-0.36, 0.2, 0.1, 0.1, "white")
    pen.oval(-0.08, 0.24, 0.32, 0.25, tint)
    pen.oval(-0.16, 0.1, 0.2, 0.1, tint + "-")
    pen.box(0.1, 0, 0.22, 0.2, tint + "-")
    for u in (0.1, 0.3):
        pen.oval(u - flop, 0.94, 0.08, 0.24, tint)
        pen.oval(u - flop, 0.94, 0.03, 0.16, "blush")
    pen.oval(0.22, 0.56, 0.24, 0.2, tint)
    pen.oval(0.36, 0.5, 0.1, 0.08, tint + "+")
    pen.box(0.24, 0.58, 0.3, 0.66, "ink")
    pen.box(0.42, 0.52, 0.47, 0.56, "blush")


def penguin(pen: Pen, tint: str, phase: float, lit: bool) -> None:
    flap = 0.14 * wave(phase)
    for side in (-1, 1):
        pen.shape(tint + "-", (0.26 * side, 0.66), (0.5 * side, 0.3 + flap * side), (0.24 * side, 0.36))
        pen.oval(0.16 * side, 0.04, 0.14, 0.06, "beak")
    pen.oval(0, 0.44, 0.32, 0.42, tint)
    pen.oval(0, 0.36, 0.21, 0.32, "white")
    pen.oval(0, 0.86, 0.25, 0.22, tint)
    pen.oval(-0.09, 0.86, 0.09, 0.1, "white")
    pen.oval(0.09, 0.86, 0.09, 0.1, "white")
    pen.box(-0.1, 0.84, -0.05, 0.9, "ink")
    pen.box(0.05, 0.84, 0.1, 0.9, "ink")
    pen.shape("beak", (-0.09, 0.8), (0.09, 0.8), (0, 0.66))


def duck(pen: Pen, tint: str, phase: float, lit: bool) -> None:
    lift = 0.14 * max(0.0, wave(phase))
    pen.shape(tint + "-", (-0.36, 0.34), (-0.62, 0.56), (-0.5, 0.22))
    pen.oval(-0.06, 0.26, 0.42, 0.25, tint)
    pen.oval(0.26, 0.66, 0.22, 0.22, tint)
    pen.box(0.1, 0.36, 0.34, 0.56, tint)
    pen.shape("beak", (0.44, 0.7), (0.72, 0.6), (0.44, 0.54))
    pen.shape(tint + "+", (-0.34, 0.3), (0.12, 0.36), (-0.04, 0.14), (-0.3, 0.2 + lift))
    pen.box(0.28, 0.68, 0.35, 0.76, "ink")


def butterfly(pen: Pen, tint: str, phase: float, lit: bool) -> None:
    spread = 0.85 + 0.25 * wave(phase, offset=0.25) - 0.25
    for side in (-1, 1):
        pen.oval(0.34 * side * spread, 0.66, 0.3 * spread, 0.28, tint)
        pen.oval(0.26 * side * spread, 0.26, 0.22 * spread, 0.22, tint + "-")
        pen.oval(0.36 * side * spread, 0.7, 0.12 * spread, 0.11, tint + "+")
        pen.line("ink", 0.03, (0.02 * side, 0.8), (0.14 * side, 1.04))
    pen.oval(0, 0.48, 0.07, 0.36, "ink")


def owl(pen: Pen, tint: str, phase: float, lit: bool) -> None:
    blink = 0.45 < phase < 0.6
    for side in (-1, 1):
        pen.shape(tint, (0.34 * side, 1.1), (0.36 * side, 0.74), (0.06 * side, 0.9))
        pen.shape(tint + "-", (0.28 * side, 0.6), (0.48 * side, 0.3 + 0.08 * wave(phase)), (0.22 * side, 0.08))
        pen.box(0.12 * side - 0.07, 0, 0.12 * side + 0.07, 0.08, "beak")
    pen.oval(0, 0.42, 0.34, 0.38, tint)
    pen.oval(0, 0.34, 0.2, 0.26, tint + "+")
    pen.oval(0, 0.78, 0.36, 0.25, tint)
    for side in (-1, 1):
        pen.oval(0.17 * side, 0.78, 0.15, 0.16, tint + "-" if blink else "white")
        if not blink:
            pen.box(0.15 * side - 0.05, 0.72, 0.15 * side + 0.05, 0.84, "ink")
    pen.shape("beak", (-0.07, 0.72), (0.07, 0.72), (0, 0.56))


def elephant(pen: Pen, tint: str, phase: float, lit: bool) -> None:
    swing = 0.1 * wave(phase)
    pen.line(tint + "-", 1 / 12, (-0.48, 0.56), (-0.6, 0.34 + swing))
    for u in (-0.4, -0.2, 0.04, 0.2):
        pen.box(u - 0.08, 0, u + 0.08, 0.34, tint + "-")
    pen.oval(-0.12, 0.52, 0.42, 0.32, tint)
    pen.line(tint, 1 / 6, (0.44, 0.6), (0.58, 0.36), (0.56 + swing, 0.1))
    pen.oval(0.34, 0.7, 0.26, 0.26, tint)
    pen.oval(0.14, 0.7, 0.2, 0.26, tint + "+")
    pen.box(0.42, 0.72, 0.48, 0.8, "ink")
    pen.shape("white", (0.42, 0.52), (0.66, 0.42), (0.46, 0.44))


def turtle(pen: Pen, tint: str, phase: float, lit: bool) -> None:
    reach = 0.08 * wave(phase)
    pen.oval(0.54 + reach / 2, 0.34, 0.17, 0.15, "leaf")
    pen.box(0.58 + reach / 2, 0.36, 0.63 + reach / 2, 0.42, "ink")
    for u, step in ((-0.32, -reach), (0.28, reach)):
        pen.box(u - 0.1 + step, 0, u + 0.1 + step, 0.22, "leaf")
    pen.shape("leaf", (-0.44, 0.2), (-0.66, 0.14), (-0.44, 0.3))
    pen.oval(-0.02, 0.36, 0.48, 0.34, tint)
    pen.box(-0.5, 0.14, 0.46, 0.24, tint + "-")
    for u, v in ((-0.24, 0.4), (0.18, 0.4), (-0.02, 0.58)):
        pen.oval(u, v, 0.12, 0.08, tint + "+")
