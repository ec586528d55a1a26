"""The routes of the worker protocol over HTTP. What it is given it does not own."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import logging
import re
import uuid
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from safelight_worker.answers import CommonHeaders, answer_http_exception, correlation_id_of, refuse
from safelight_worker.attempt import Attempt
from safelight_worker.contract import MEDIA_TYPES, WAIT_SECONDS, Refusal, field_problem
from safelight_worker.ranges import parse_range, pieces
from safelight_worker.reading import (
    content_type,
    drain,
    is_packed,
    query_number,
    read_body,
    receive_file,
    require_protocol,
    until_gone,
)
from safelight_worker.request import SHA256, TASK_ID, read_task
from safelight_worker.store import MediaShelf
from safelight_worker.tasks import Tasks

log = logging.getLogger(__name__)

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Parts:
    """What the app answers with. `lifespan` opens and closes what it needs, around serving.

    `key` may be several, one a line: while one is replaced both count.
    """

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
    app.add_exception_handler(HTTPException, answer_http_exception)
    app.add_middleware(CommonHeaders)
    return app


class Routes:
    """The handlers of the routes."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._keys = [_hashed(key.encode()) for key in parts.key.split()]

    def guarded(self, handler: Handler) -> Handler:
        """The handler for those who have the key and speak the protocol; every refusal leaves in the one form."""

        async def guard(request: Request) -> Response:
            try:
                self._require_key(request)
                require_protocol(request)
                return await handler(request)
            except Refusal as refusal:
                await drain(request)
                return refuse(request, refusal)
            except ClientDisconnect:
                # The sender has left in the middle, or what came was no HTTP any more: nobody hears this.
                return Response(status_code=400)
            except OSError as error:
                log.error("the storage failed", exc_info=error)
                await drain(request)
                return refuse(
                    request, Refusal("storage_unavailable", "The worker cannot use its storage at the moment.")
                )
            except Exception as error:
                log.error("a request failed, correlation id %s", correlation_id_of(request), exc_info=error)
                return refuse(request, Refusal("internal", "Something went wrong in the worker."))

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
        sent_type = content_type(request)
        if sent_type not in MEDIA_TYPES or is_packed(request):
            raise Refusal("unsupported_media_type", f"Send {' or '.join(MEDIA_TYPES)}, without compression.")
        size = self._parts.shelf.size_of(sha256)
        if size is not None:
            await drain(request)
            return JSONResponse({"sha256": sha256, "bytes": size})
        partial = self._parts.shelf.partial_path(uuid.uuid4().hex)
        try:
            await receive_file(request, sha256, partial)
            size = self._parts.shelf.take(sha256, sent_type, partial)
        finally:
            partial.unlink(missing_ok=True)
        return JSONResponse({"sha256": sha256, "bytes": size}, 201)

    async def create_task(self, request: Request) -> Response:
        """POST /tasks."""
        body = await read_body(request)
        if content_type(request) != "application/json" or is_packed(request):
            raise Refusal("unsupported_media_type", "Send application/json, without compression.")
        task, is_new = self._parts.tasks.accept(read_task(body))
        return JSONResponse(dict(task), 202 if is_new else 200)

    async def get_task(self, request: Request) -> Response:
        """GET /tasks/{id}, held while `wait` is not over and nothing has changed."""
        wait = query_number(request, "wait", 0, WAIT_SECONDS)
        after = query_number(request, "after", 0, float("inf"), whole=True)
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
            pieces(file, start, end - start + 1),
            206 if span is not None else 200,
            headers=headers,
            media_type=facts["content_type"],
        )

    def _attempt(self, request: Request) -> Attempt:
        number = query_number(request, "attempt", 1, float("inf"), whole=True)
        task_id = request.path_params["id"]
        if not TASK_ID.fullmatch(task_id):
            raise Refusal("task_not_found", "There is no such task here.")
        return self._parts.tasks.find(task_id, None if number is None else int(number))

    async def _wait(self, request: Request, attempt: Attempt, after: int, seconds: float) -> None:
        """Waits for a change, and no longer than somebody listens."""
        waiting = asyncio.create_task(attempt.changed(after, seconds, self._parts.tasks.stopping))
        leaving = asyncio.create_task(until_gone(request))
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
        hashed = _hashed(presented.encode("utf-8", "replace"))
        if any(hmac.compare_digest(hashed, key) for key in self._keys):
            return
        detail = "The key is not the key of this worker." if presented else "There is no worker key."
        raise Refusal("invalid_worker_key", detail, headers={"www-authenticate": "Bearer"})


def _hashed(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()
