"""Bytes on the wire: what is no HTTP is refused in the one form, and the next request is answered."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from scripted_runner import ScriptedRunner
from test_app import KEY

from safelight_worker.app import Parts, build_app
from safelight_worker.http_protocol import PlainSpokenProtocol
from safelight_worker.store import MediaShelf, TaskStore
from safelight_worker.tasks import Tasks

HEAD = f"Host: worker\r\nAuthorization: Bearer {KEY}\r\nSafelight-Protocol: 1\r\n"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    root = tmp_path_factory.mktemp("wire")
    ready = threading.Event()
    servers: list[uvicorn.Server] = []

    async def serve(listener: socket.socket) -> None:
        store, shelf = TaskStore(root), MediaShelf(root)
        app = build_app(Parts(KEY, Tasks(ScriptedRunner(store), store, shelf, 3600), shelf, lambda: {"protocol": 1}))
        config = uvicorn.Config(
            app, http=PlainSpokenProtocol, ws="none", log_config=None, h11_max_incomplete_event_size=8192
        )
        servers.append(uvicorn.Server(config))
        ready.set()
        await servers[0].serve(sockets=[listener])

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        thread = threading.Thread(target=lambda: asyncio.run(serve(listener)))
        thread.start()
        ready.wait()
        yield int(listener.getsockname()[1])
        servers[0].should_exit = True
        thread.join()


def said(port: int, data: bytes) -> bytes:
    """Everything that is answered until the other side closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as wire:
        wire.sendall(data)
        answer = b""
        while piece := wire.recv(65536):
            answer += piece
    return answer


def problem_of(answer: bytes) -> dict[str, Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    assert "content-type: application/problem+json" in lines
    assert "safelight-protocol: 1" in lines
    problem: dict[str, Any] = json.loads(body)
    assert lines[0].split()[1] == str(problem["status"])
    assert f"x-correlation-id: {problem['correlation_id']}" in lines
    return problem


def is_well(port: int) -> bool:
    answer = said(port, f"GET /health HTTP/1.1\r\n{HEAD}Connection: close\r\n\r\n".encode())
    return answer.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64 + b"\r\n\r\n", "malformed_json"),
        (b"good morning\r\n\r\n", "malformed_json"),
        (b"GET /health HTTP/1.1\r\n\r\n", "malformed_json"),
        (f"POST /tasks HTTP/1.1\r\n{HEAD}Content-Length: many\r\n\r\n".encode(), "malformed_json"),
        (f"GET /health HTTP/1.1\r\n{HEAD}X: {'x' * 20_000}".encode(), "payload_too_large"),
    ],
    ids=["encrypted", "words", "no host", "no length", "long head"],
)
def test_what_is_no_http_is_a_problem_like_any_other(port: int, data: bytes, code: str) -> None:
    assert problem_of(said(port, data))["code"] == code
    assert is_well(port)


def test_a_body_that_stops_being_http_is_refused_and_starts_nothing(port: int) -> None:
    head = f"POST /tasks HTTP/1.1\r\n{HEAD}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = said(port, head.encode() + b"3\r\n{ab\r\nno size\r\n")
    assert problem_of(answer)["code"] == "malformed_json"
    assert is_well(port)


def test_an_upgrade_is_answered_as_the_request_that_it_is(port: int) -> None:
    head = f"GET /health HTTP/1.1\r\n{HEAD}Connection: upgrade, close\r\nUpgrade: websocket\r\n\r\n"
    assert said(port, head.encode()).startswith(b"HTTP/1.1 200")
