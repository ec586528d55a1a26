"""The routes of the worker protocol over HTTP. What it is given it does not own."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import logging
import os
import re
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from safelight_worker.contract import (
    BODY_BYTES,
    ERROR_CODES,
    MEDIA_BYTES,
    MEDIA_TYPES,
    PROTOCOL,
    WAIT_SECONDS,
    Refusal,
    field_problem,
)
from safelight_worker.request import SHA256, TASK_ID, judge_number, read_task
from safelight_worker.store import MediaShelf
from safelight_worker.tasks import Attempt, Tasks

log = logging.getLogger(__name__)

_PIECE = 1 << 16
#: What is still to come of a refused body is read up to here, so that its sender gets to see the answer.
_MOST_DRAINED = 32 * 1024 * 1024
_DRAIN_SECONDS = 30.0
_COMMON = {"safelight-protocol": str(PROTOCOL), "cache-control": "no-store", "x-content-type-options": "nosniff"}
_ROUTES: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (re.compile(r"/health"), ("GET",)),
    (re.compile(r"/media/[^/]+"), ("PUT",)),
    (re.compile(r"/tasks"), ("POST",)),
    (re.compile(r"/tasks/[^/]+"), ("GET", "DELETE")),
    (re.compile(r"/tasks/[^/]+/(preview|result)"), ("GET",)),
    (re.compile(r"/tasks/[^/]+/cancel"), ("POST",)),
)

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Parts:
    """What the app answers with. `lifespan` opens and closes what it needs, around serving."""

    key: str
    tasks: Tasks
    shelf: MediaShelf
    health: Callable[[], Mapping[str, Any]]
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None = None


def build_app(parts: Parts) -> FastAPI:
    """Builds the app of a worker."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False, lifespan=parts.lifespan)
    routes = Routes(parts)
    add = app.add_api_route
    add("/health", routes.guarded(routes.health), methods=["GET"])
    add("/media/{sha256}", routes.guarded(routes.put_media), methods=["PUT"])
    add("/tasks", routes.guarded(routes.create_task), methods=["POST"])
    add("/tasks/{id}", routes.guarded(routes.get_task), methods=["GET"])
    add("/tasks/{id}", routes.guarded(routes.delete_task), methods=["DELETE"])
    add("/tasks/{id}/preview", routes.guarded(routes.get_preview), methods=["GET"])
    add("/tasks/{id}/result", routes.guarded(routes.get_result), methods=["GET"])
    add("/tasks/{id}/cancel", routes.guarded(routes.cancel_task), methods=["POST"])
    app.add_exception_handler(HTTPException, _answer_http_exception)
    app.add_middleware(_CommonHeaders)
    return app


class Routes:
    """The handlers of the routes."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._key = parts.key.encode()

    def guarded(self, handler: Handler) -> Handler:
        """The handler for those who have the key and speak the protocol; every refusal leaves in the one form."""

        async def guard(request: Request) -> Response:
            try:
                self._require_key(request)
                _require_protocol(request)
                return await handler(request)
            except Refusal as refusal:
                await _drain(request)
                return _refuse(request, refusal)
            except OSError as error:
                log.error("the storage failed", exc_info=error)
                await _drain(request)
                return _refuse(
                    request, Refusal("storage_unavailable", "The worker cannot use its storage at the moment.")
                )
            except Exception as error:
                log.error("a request failed, correlation id %s", _correlation_id(request), exc_info=error)
                return _refuse(request, Refusal("internal", "Something went wrong in the worker."))

        return guard

    async def health(self, _request: Request) -> Response:
        """GET /health."""
        return JSONResponse(dict(self._parts.health()))

    async def put_media(self, request: Request) -> Response:
        """PUT /media/{sha256}."""
        sha256 = request.path_params["sha256"]
        if not SHA256.fullmatch(sha256):
            fault = field_problem("sha256", "pattern", "must be 64 hexadecimal digits in lower case")
            raise Refusal("validation_failed", fault["message"], [fault])
        content_type = _content_type(request)
        if content_type not in MEDIA_TYPES or _is_packed(request):
            raise Refusal("unsupported_media_type", f"Send {' or '.join(MEDIA_TYPES)}, without compression.")
        size = self._parts.shelf.size_of(sha256)
        if size is not None:
            await _drain(request)
            return JSONResponse({"sha256": sha256, "bytes": size})
        partial = self._parts.shelf.partial_path(uuid.uuid4().hex)
        try:
            await _receive_file(request, sha256, partial)
            size = self._parts.shelf.take(sha256, content_type, partial)
        finally:
            partial.unlink(missing_ok=True)
        return JSONResponse({"sha256": sha256, "bytes": size}, 201)

    async def create_task(self, request: Request) -> Response:
        """POST /tasks."""
        body = await _read_body(request)
        if _content_type(request) != "application/json" or _is_packed(request):
            raise Refusal("unsupported_media_type", "Send application/json, without compression.")
        task, is_new = self._parts.tasks.accept(read_task(body))
        return JSONResponse(dict(task), 202 if is_new else 200)

    async def get_task(self, request: Request) -> Response:
        """GET /tasks/{id}, held while `wait` is not over and nothing has changed."""
        wait = _query_number(request, "wait", 0, WAIT_SECONDS)
        after = _query_number(request, "after", 0, float("inf"), whole=True)
        attempt = self._attempt(request)
        if wait:
            await self._wait(request, attempt, int(after or 0), wait)
        return JSONResponse(attempt.task)

    async def delete_task(self, request: Request) -> Response:
        """DELETE /tasks/{id}."""
        await self._parts.tasks.remove(self._attempt(request))
        return Response(status_code=204)

    async def cancel_task(self, request: Request) -> Response:
        """POST /tasks/{id}/cancel."""
        attempt = self._attempt(request)
        await self._parts.tasks.cancel(attempt)
        return JSONResponse(attempt.task)

    async def get_preview(self, request: Request) -> Response:
        """GET /tasks/{id}/preview."""
        attempt = self._attempt(request)
        version = attempt.task["preview_version"]
        try:
            if attempt.preview is None:
                raise FileNotFoundError
            data = await asyncio.to_thread(attempt.preview.read_bytes)
        except FileNotFoundError:
            raise Refusal("preview_not_found", "There is no preview of this task.") from None
        headers = {"safelight-preview-version": str(version)}
        return Response(data, media_type="image/webp", headers=headers)

    async def get_result(self, request: Request) -> Response:
        """GET /tasks/{id}/result, whole or a single range of it."""
        attempt = self._attempt(request)
        if attempt.is_running:
            raise Refusal("task_not_ended", "The task is still running.")
        facts = attempt.task["result"]
        if facts is None or attempt.result is None:
            error = attempt.task["error"] or {}
            raise Refusal("task_failed", error.get("detail", "The task failed."))
        size = facts["bytes"]
        span = parse_range(request.headers.get("range"), size)
        try:
            file = await asyncio.to_thread(attempt.result.open, "rb")
        except FileNotFoundError:
            raise Refusal("result_gone", "The file of this result is gone.") from None
        start, end = span or (0, size - 1)
        headers = {
            "accept-ranges": "bytes",
            "content-length": str(end - start + 1),
            "safelight-sha256": facts["sha256"],
            "safelight-size": str(size),
        }
        if span is not None:
            headers["content-range"] = f"bytes {start}-{end}/{size}"
        return StreamingResponse(
            _pieces(file, start, end - start + 1),
            206 if span is not None else 200,
            headers=headers,
            media_type=facts["content_type"],
        )

    def _attempt(self, request: Request) -> Attempt:
        number = _query_number(request, "attempt", 1, float("inf"), whole=True)
        task_id = request.path_params["id"]
        if not TASK_ID.fullmatch(task_id):
            raise Refusal("task_not_found", "There is no such task here.")
        return self._parts.tasks.find(task_id, None if number is None else int(number))

    async def _wait(self, request: Request, attempt: Attempt, after: int, seconds: float) -> None:
        """Waits for a change, and no longer than somebody listens."""
        waiting = asyncio.create_task(attempt.changed(after, seconds, self._parts.tasks.stopping))
        leaving = asyncio.create_task(_until_gone(request))
        try:
            await asyncio.wait({waiting, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in (waiting, leaving):
                one.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await one

    def _require_key(self, request: Request) -> None:
        match = re.fullmatch(r"bearer +(\S+) *", request.headers.get("authorization", ""), re.IGNORECASE)
        presented = "" if match is None else match[1]
        if hmac.compare_digest(_hashed(presented.encode("utf-8", "replace")), _hashed(self._key)):
            return
        detail = "The key is not the key of this worker." if presented else "There is no worker key."
        raise Refusal("invalid_worker_key", detail, headers={"www-authenticate": "Bearer"})


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
        start, end = max(0, size - int(last)), size - 1
    else:
        start, end = int(first), size - 1 if last == "" else min(int(last), size - 1)
    if start >= size or start > end or (first == "" and int(last) == 0):
        raise _no_such_range(size)
    return start, end


def _no_such_range(size: int) -> Refusal:
    headers = {"content-range": f"bytes */{size}"}
    return Refusal("range_not_satisfiable", f"The file has {size} bytes; the range asks for others.", headers=headers)


def _require_protocol(request: Request) -> None:
    said = request.headers.get("safelight-protocol")
    if said == str(PROTOCOL):
        return
    other = "names none" if said is None else f'says "{said[:20]}"'
    raise Refusal(
        "protocol_unsupported", f"This worker speaks version {PROTOCOL} of the protocol, the request {other}."
    )


def _query_number(request: Request, name: str, low: float, high: float, whole: bool = False) -> float | None:
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


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").split(";")[0].strip().lower()


def _is_packed(request: Request) -> bool:
    return request.headers.get("content-encoding", "identity").strip().lower() != "identity"


async def _read_body(request: Request) -> bytes:
    pieces = bytearray()
    async for piece in request.stream():
        pieces += piece
        if len(pieces) > BODY_BYTES:
            raise Refusal("payload_too_large", f"A task may have at most {BODY_BYTES} bytes.")
    return bytes(pieces)


async def _receive_file(request: Request, sha256: str, partial: Path) -> None:
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


async def _drain(request: Request) -> None:
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


async def _until_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _pieces(file: Any, start: int, count: int) -> AsyncIterator[bytes]:
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


def _hashed(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()


def _correlation_id(request: Request) -> str:
    return str(request.scope.get("correlation_id", ""))


def _refuse(request: Request, refusal: Refusal) -> Response:
    problem = refusal.problem(request.url.path, _correlation_id(request))
    status = ERROR_CODES[refusal.code].status
    return JSONResponse(problem, status, headers=refusal.headers, media_type="application/problem+json")


async def _answer_http_exception(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.status_code == 405:
        path = request.url.path
        allowed = next((methods for pattern, methods in _ROUTES if pattern.fullmatch(path)), ())
        names = ", ".join(allowed)
        return _refuse(request, Refusal("method_not_allowed", f"This address takes {names}.", headers={"allow": names}))
    return _refuse(request, Refusal("not_found", "There is nothing at this address."))


class _CommonHeaders:
    """Puts the headers that every answer carries into it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        correlation_id = str(uuid.uuid4())
        scope["correlation_id"] = correlation_id

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _COMMON.items():
                    headers[name] = value
                headers["x-correlation-id"] = correlation_id
            await send(message)

        await self._app(scope, receive, send_with_headers)
