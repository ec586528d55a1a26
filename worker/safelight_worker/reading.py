"""What a request says beside its address: numbers, types, bodies, files, and the protocol that it speaks."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
from pathlib import Path

from fastapi import Request

from safelight_worker.contract import BODY_BYTES, MEDIA_BYTES, PROTOCOL, Refusal
from safelight_worker.request import judge_number

#: What is still to come of a refused body is read up to here, so that its sender gets to see the answer.
_MOST_DRAINED = 32 * 1024 * 1024
_DRAIN_SECONDS = 30.0


def require_protocol(request: Request) -> None:
    """Refuses a request that speaks another version of the protocol, or names none. Errors: `protocol_unsupported`."""
    said = request.headers.get("safelight-protocol")
    if said == str(PROTOCOL):
        return
    other = "names none" if said is None else f'says "{said[:20]}"'
    raise Refusal(
        "protocol_unsupported", f"This worker speaks version {PROTOCOL} of the protocol, the request {other}."
    )


def query_number(request: Request, name: str, low: float, high: float, whole: bool = False) -> float | None:
    """A number of the query, None without it. Errors: `validation_failed`."""
    values = request.query_params.getlist(name)
    if not values:
        return None
    number: object = values[0]
    with contextlib.suppress(ValueError):
        number = float(values[0]) if re.fullmatch(r"-?\d{1,15}(\.\d{1,15})?", values[0]) else values[0]
    fault = judge_number(name, number if len(values) == 1 else values, low, high, whole)
    if fault is not None:
        raise Refusal("validation_failed", fault["message"], [fault])
    assert isinstance(number, float)
    return number


def content_type(request: Request) -> str:
    """The type of the body in lower case and without parameters, empty when none is named."""
    return request.headers.get("content-type", "").split(";")[0].strip().lower()


def is_packed(request: Request) -> bool:
    """Whether the body is compressed."""
    return request.headers.get("content-encoding", "identity").strip().lower() != "identity"


async def read_body(request: Request) -> bytes:
    """A whole body. Errors: `payload_too_large`."""
    pieces = bytearray()
    async for piece in request.stream():
        pieces += piece
        if len(pieces) > BODY_BYTES:
            raise Refusal("payload_too_large", f"A task may have at most {BODY_BYTES} bytes.")
    return bytes(pieces)


async def receive_file(request: Request, sha256: str, partial: Path) -> None:
    """Writes a body to a synced file and believes it only when it has the promised hash."""
    digest = hashlib.sha256()
    size = 0
    with partial.open("wb") as file:
        async for piece in request.stream():
            size += len(piece)
            if size > MEDIA_BYTES:
                raise Refusal("payload_too_large", f"A picture may have at most {MEDIA_BYTES} bytes.")
            digest.update(piece)
            file.write(piece)
        if digest.hexdigest() != sha256:
            raise Refusal("media_mismatch", "The bytes that arrived have another hash.")
        file.flush()
        await asyncio.to_thread(os.fsync, file.fileno())


async def drain(request: Request) -> None:
    """Reads what is left of a body and throws it away."""
    size = 0
    with contextlib.suppress(Exception):
        async with asyncio.timeout(_DRAIN_SECONDS):
            while size <= _MOST_DRAINED:
                message = await request.receive() if not _is_read(request) else {"type": "http.disconnect"}
                if message["type"] != "http.request":
                    return
                size += len(message.get("body", b""))
                if not message.get("more_body", False):
                    return


def _is_read(request: Request) -> bool:
    return bool(getattr(request, "_stream_consumed", False))


async def until_gone(request: Request) -> None:
    """Returns when nobody listens any more."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
