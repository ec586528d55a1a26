"""The one form in which every refusal leaves, and the headers that every answer carries."""

from __future__ import annotations

import re
import uuid

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from safelight_worker.contract import ERROR_CODES, PROTOCOL, Refusal

PROBLEM = "application/problem+json"
COMMON = {"safelight-protocol": str(PROTOCOL), "cache-control": "no-store", "x-content-type-options": "nosniff"}
_ROUTES: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (re.compile(r"/health"), ("GET",)),
    (re.compile(r"/media/[^/]+"), ("PUT",)),
    (re.compile(r"/tasks"), ("POST",)),
    (re.compile(r"/tasks/[^/]+"), ("GET", "DELETE")),
    (re.compile(r"/tasks/[^/]+/(preview|result)"), ("GET",)),
    (re.compile(r"/tasks/[^/]+/cancel"), ("POST",)),
)


def correlation_id_of(request: Request) -> str:
    """What names a request in its answer and in the log."""
    return str(request.scope.get("correlation_id", ""))


def refuse(request: Request, refusal: Refusal) -> Response:
    """A refusal as an answer."""
    problem = refusal.problem(request.url.path, correlation_id_of(request))
    status = ERROR_CODES[refusal.code].status
    return JSONResponse(problem, status, headers=refusal.headers, media_type=PROBLEM)


async def answer_http_exception(request: Request, error: Exception) -> Response:
    """Unknown addresses, and methods that an address does not take."""
    if isinstance(error, HTTPException) and error.status_code == 405:
        path = request.url.path
        allowed = next((methods for pattern, methods in _ROUTES if pattern.fullmatch(path)), ())
        names = ", ".join(allowed)
        return refuse(request, Refusal("method_not_allowed", f"This address takes {names}.", headers={"allow": names}))
    return refuse(request, Refusal("not_found", "There is nothing at this address."))


class CommonHeaders:
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
                for name, value in COMMON.items():
                    headers[name] = value
                headers["x-correlation-id"] = correlation_id
            await send(message)

        await self._app(scope, receive, send_with_headers)
