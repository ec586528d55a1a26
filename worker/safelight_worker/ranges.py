"""Parts of a file: which bytes a request asks for, and reading them piece by piece."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import BinaryIO

from safelight_worker.contract import Refusal

_PIECE = 1 << 16


def parse_range(header: str | None, size: int) -> tuple[int, int] | None:
    """First and last byte that a Range header asks for; None means the whole. Errors: `range_not_satisfiable`.

    Another unit and several ranges at once are passed over, as RFC 9110 allows.
    """
    match = re.fullmatch(r"\s*bytes\s*=(.*)", header or "", re.IGNORECASE)
    if match is None:
        return None
    parts = match[1].split(",")
    numbers = re.fullmatch(r"\s*(\d*)\s*-\s*(\d*)\s*", parts[0])
    if len(parts) > 1 and all(re.fullmatch(r"\s*(?:\d+-\d*|-\d+)\s*", part) for part in parts):
        return None
    if len(parts) > 1 or numbers is None or (numbers[1] == "" and numbers[2] == ""):
        raise _no_such_range(size)
    first, last = numbers[1], numbers[2]
    if first == "":
        start, end = max(0, size - _number(last)), size - 1
    else:
        start, end = _number(first), size - 1 if last == "" else min(_number(last), size - 1)
    if start >= size or start > end or (first == "" and _number(last) == 0):
        raise _no_such_range(size)
    return start, end


def _number(digits: str) -> int:
    """Beyond eighteen digits it only matters that it is large: longer ones are not even numbers to int()."""
    return int(digits[:18])


def _no_such_range(size: int) -> Refusal:
    headers = {"content-range": f"bytes */{size}"}
    return Refusal("range_not_satisfiable", f"The file has {size} bytes; the range asks for others.", headers=headers)


async def pieces(file: BinaryIO, start: int, count: int) -> AsyncIterator[bytes]:
    """`count` bytes of an open file from `start` on; the file is closed at the end, however it comes."""
    try:
        file.seek(start)
        while count > 0:
            piece = await asyncio.to_thread(file.read, min(_PIECE, count))
            if not piece:
                return
            count -= len(piece)
            yield piece
    finally:
        file.close()
