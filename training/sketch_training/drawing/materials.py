"""Materials a scene is painted with, and the colour each has by time of day, weather and mood.

A picture is first drawn as numbers of materials and then looked up: dusk or fog is one table, not another drawing.
"""

from __future__ import annotations

import functools
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from sketch_training.labels import COLOURS

Rgb = tuple[int, int, int]
Kind = Literal["subject", "light", "ground", "plant", "sky"]
Table = NDArray[np.uint8]
Colour = NDArray[np.float64]

_TINTS: Final[dict[str, Rgb]] = {
    "red": (216, 52, 48),
    "orange": (240, 130, 38),
    "yellow": (250, 214, 58),
    "green": (62, 164, 70),
    "blue": (54, 106, 216),
    "purple": (142, 72, 194),
    "pink": (246, 142, 188),
    "white": (240, 242, 240),
    "black": (48, 48, 60),
    "brown": (138, 86, 46),
}
# Shade and highlight of the tints for which mixing with dark or light would lose the colour itself.
_SHADES: Final[dict[str, Rgb]] = {"white": (186, 194, 210), "black": (26, 26, 36)}
_LIGHTS: Final[dict[str, Rgb]] = {"white": (255, 255, 255), "black": (86, 86, 106)}

_SUBJECT: Final[dict[str, Rgb]] = {
    "ink": (24, 22, 36),
    "wood": (112, 70, 40),
    "stone": (130, 130, 140),
    "metal": (176, 184, 196),
    "skin": (240, 196, 156),
    "glass": (150, 214, 240),
    "leaf": (60, 140, 60),
    "blush": (246, 150, 160),
    "beak": (244, 160, 50),
}
_LIGHT: Final[dict[str, Rgb]] = {
    "glow": (255, 232, 130),
    "flame": (255, 150, 40),
    "sun": (255, 226, 90),
    "sun core": (255, 246, 190),
    "moon": (236, 236, 214),
    "moon spot": (206, 206, 190),
    "star": (250, 250, 220),
    "bolt": (255, 250, 170),
    "rain": (140, 170, 214),
    "flake": (250, 252, 255),
    "puff": (206, 206, 214),
}
_GROUND: Final[dict[str, Rgb]] = {
    "water near": (32, 86, 156),
    "water middle": (44, 112, 184),
    "water far": (60, 140, 206),
    "foam": (176, 222, 240),
    "sand light": (240, 208, 134),
    "sand": (224, 182, 104),
    "sand dark": (196, 148, 82),
    "rock far": (142, 150, 182),
    "rock": (104, 112, 150),
    "rock dark": (84, 88, 122),
    "ice": (244, 248, 252),
    "snow light": (246, 250, 254),
    "snow": (218, 230, 244),
    "snow dark": (188, 206, 230),
    "wall far": (150, 156, 176),
    "wall": (116, 120, 148),
    "kerb": (92, 94, 122),
    "road": (88, 90, 100),
    "road line": (200, 196, 170),
    "window": (90, 96, 120),
    "lunar light": (176, 172, 184),
    "lunar": (136, 132, 148),
    "lunar dark": (104, 100, 118),
    "cloud": (250, 252, 255),
    "cloud shade": (214, 222, 236),
    "mist": (214, 218, 224),
    "petal red": (246, 120, 120),
    "petal yellow": (250, 226, 110),
    "planet": (196, 110, 90),
    "planet band": (160, 80, 84),
    "planet ring": (214, 176, 130),
}
_PLANT: Final[dict[str, Rgb]] = {
    "grass light": (136, 200, 84),
    "grass": (104, 172, 70),
    "grass dark": (72, 140, 62),
    "pine": (48, 112, 66),
    "pine dark": (34, 86, 58),
}
_AUTUMN: Final[dict[str, Rgb]] = {
    "grass light": (232, 184, 84),
    "grass": (208, 146, 62),
    "grass dark": (172, 108, 50),
    "pine": (206, 92, 40),
    "pine dark": (158, 60, 38),
}
SKY_BANDS: Final = 5
_SKIES: Final[dict[str, tuple[Rgb, ...]]] = {
    "day": ((70, 146, 226), (98, 168, 236), (128, 190, 244), (160, 210, 248), (196, 228, 250)),
    "sunset": ((84, 62, 130), (148, 76, 140), (216, 96, 116), (244, 144, 92), (252, 200, 110)),
    "night": ((14, 16, 42), (20, 24, 58), (28, 34, 74), (36, 46, 92), (48, 62, 112)),
    "space": ((8, 6, 20), (10, 8, 26), (14, 10, 34), (20, 12, 44), (28, 16, 54)),
}


def _mixed(first: Rgb, second: Rgb, share: float) -> Rgb:
    red, green, blue = (round(a * (1 - share) + b * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def _all() -> dict[str, tuple[Rgb, Kind]]:
    found: dict[str, tuple[Rgb, Kind]] = {"nothing": ((0, 0, 0), "light")}
    for name in COLOURS:
        tint = _TINTS[name]
        found[name] = (tint, "subject")
        found[name + "-"] = (_SHADES.get(name, _mixed(tint, (30, 10, 50), 0.36)), "subject")
        found[name + "+"] = (_LIGHTS.get(name, _mixed(tint, (255, 250, 230), 0.42)), "subject")
    groups: tuple[tuple[dict[str, Rgb], Kind], ...] = (
        (_SUBJECT, "subject"),
        (_LIGHT, "light"),
        (_GROUND, "ground"),
        (_PLANT, "plant"),
    )
    for group, kind in groups:
        found |= {name: (rgb, kind) for name, rgb in group.items()}
    found |= {f"sky {band}": ((0, 0, 0), "sky") for band in range(SKY_BANDS)}
    return found


_MATERIALS: Final = _all()
NUMBERS: Final[dict[str, int]] = {name: number for number, name in enumerate(_MATERIALS)}
"""Number of each material; a tint's shade and highlight are named with "-" and "+" behind it."""


@functools.cache
def colours(time: str, weather: str, mood: str, in_space: bool) -> Table:
    """RGB of every material, one row per number."""
    rows = [_colour(name, rgb, kind, time, weather, mood, in_space) for name, (rgb, kind) in _MATERIALS.items()]
    return np.clip(np.array(rows), 0, 255).astype(np.uint8)


def _colour(name: str, rgb: Rgb, kind: Kind, time: str, weather: str, mood: str, in_space: bool) -> Colour:
    special = _special(name, time, weather)
    if special is not None:
        return _in_mood(np.array(special, float), mood, 0.5)
    if kind == "sky":
        sky = np.array(_SKIES["space" if in_space else time][int(name[-1])], float)
        return _in_mood(_overcast(sky, weather), mood, 1.0)
    if mood == "autumn" and name in _AUTUMN:
        rgb = _AUTUMN[name]
    colour = np.array(rgb, float)
    if kind == "light":
        return colour
    if kind == "subject":
        return _in_weather(_lit(colour, time), time, weather, 0.12)
    colour = _lit_ground(colour, time, in_space)
    return _in_mood(_in_weather(colour, time, weather, 0.42), mood, 1.0)


def _special(name: str, time: str, weather: str) -> tuple[float, ...] | None:
    """Colours that follow no rule: lit windows, clouds at night, a low sun."""
    if time == "night":
        if name == "window":
            return 246, 214, 110
        if name == "road line":
            return 140, 130, 110
        if weather == "clear" and name.startswith("cloud"):
            return (96, 106, 146) if name == "cloud" else (70, 80, 118)
    if time == "sunset":
        low: dict[str, Rgb] = {
            "sun": (255, 186, 70),
            "cloud": (255, 206, 180),
            "cloud shade": (226, 144, 150),
            "window": (250, 214, 140),
        }
        if name in low and weather != "storm":
            return low[name]
    return None


def _lit(colour: Colour, time: str) -> Colour:
    """Subjects keep most of their colour at night: it is what a prompt names."""
    if time == "sunset":
        return colour * (1.0, 0.90, 0.86) + (10, 2, 6)
    if time == "night":
        return colour * (0.76, 0.76, 0.88) + (2, 2, 10)
    return colour


def _lit_ground(colour: Colour, time: str, in_space: bool) -> Colour:
    if in_space:
        return colour * (0.62, 0.60, 0.72)
    if time == "sunset":
        return colour * (1.0, 0.72, 0.70) + (14, 4, 12)
    if time == "night":
        return colour * (0.34, 0.40, 0.62) + (4, 4, 14)
    return colour


def _overcast(sky: Colour, weather: str) -> Colour:
    shares = {"storm": (0.75, 0.62), "fog": (0.7, 1.08), "snowfall": (0.6, 1.0), "cloudy": (0.35, 0.97)}
    if weather not in shares:
        return sky
    share, brightness = shares[weather]
    grey: Colour = (float(sky.mean()) * 0.8 + 30) * brightness * np.array((0.92, 0.98, 1.08))
    return sky * (1 - share) + grey * share


_FOGS: Final[dict[str, Rgb]] = {"day": (206, 212, 220), "sunset": (210, 170, 160), "night": (70, 80, 104)}


def _in_weather(colour: Colour, time: str, weather: str, fog_share: float) -> Colour:
    near = fog_share < 0.3
    if weather == "fog":
        return colour * (1 - fog_share) + np.array(_FOGS[time], float) * fog_share
    if weather == "storm" and not near:
        return colour * 0.55 + float(colour.mean()) * 0.14
    if weather == "snowfall" and not near:
        return colour * 0.85 + np.array((226, 232, 240)) * (0.075 if time == "night" else 0.15)
    return colour


def _in_mood(colour: Colour, mood: str, share: float) -> Colour:
    """Sky and ground take on the mood; subjects do not, because their colour is named."""
    grey = np.full(3, colour.mean())
    tones: dict[str, Colour] = {
        "warm": colour * (1.06, 0.92, 0.70) + (24, 8, 0),
        "spooky": colour * (0.50, 0.66, 0.58) + (18, 34, 30),
        "dreamy": colour * 0.58 + np.array((240, 178, 232)) * 0.42,
        "gloomy": (colour * 0.3 + grey * 0.7) * 0.72 + 10,
        "autumn": colour * (1.02, 0.97, 0.92),
        "vivid": grey + (colour - grey) * 1.45 + 6,
    }
    tone = tones.get(mood)
    return colour if tone is None else colour * (1 - share) + tone * share
