"""Contact sheets: pictures side by side, enlarged without smoothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_GAP = 2
_GAP_SHADE = 18


def save_sheet(pictures: Sequence[NDArray[np.uint8]], columns: int, path: Path, enlarge: int = 2) -> None:
    """Writes equal-sized RGB pictures in rows as a palette PNG."""
    height, width = pictures[0].shape[:2]
    rows = -(-len(pictures) // columns)
    sheet = np.full((rows * (height + _GAP), columns * (width + _GAP), 3), _GAP_SHADE, np.uint8)
    for place, picture in enumerate(pictures):
        top, left = place // columns * (height + _GAP), place % columns * (width + _GAP)
        sheet[top : top + height, left : left + width] = picture
    size = (sheet.shape[1] * enlarge, sheet.shape[0] * enlarge)
    Image.fromarray(sheet).resize(size, Image.Resampling.NEAREST).quantize(256).save(path, optimize=True)
