"""A stand-in of the hub on the loopback interface: listing, commits, ranges, redirects, and faults on demand."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "c" * 40


class StandIn:
    """Serves `files` (path to content) of one repository. Paths that end in .safetensors are large files.

    `main` is the commit of the branch; `commits` are the ones that are known, all with the same `files`.
    `requests` remembers method, path, range and token. `break_after` cuts every answer of a file after so many bytes;
    `answers` are statuses to give instead, one a request; `elsewhere` sends file requests to another stand-in.
    """

    def __init__(self, files: dict[str, bytes], repo: str = "someone/model") -> None:
        self.files = files
        self.repo = repo
        self.main = COMMIT
        self.commits = [COMMIT]
        self.requests: list[tuple[str, str | None, str | None]] = []
        self.break_after: int | None = None
        self.answers: list[int] = []
        self.elsewhere: str | None = None
        self.token: str | None = None
        self.whoami: object = None
        self.page_size = 3
        self.ranges = True
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                stand_in.answer(self)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        address = urlsplit(request.path)
        path = unquote(address.path)
        given = request.headers.get("Authorization")
        self.requests.append((path, request.headers.get("Range"), given))
        if self.answers:
            self._send(request, self.answers.pop(0), b"{}")
        elif self.token is not None and given != f"Bearer {self.token}":
            self._send(request, 401, b"{}")
        elif path == "/api/whoami-v2" and self.whoami is not None:
            self._send(request, 200, json.dumps(self.whoami).encode())
        elif path.startswith(f"/api/models/{self.repo}/revision/"):
            self._send(request, 200, json.dumps({"sha": self.main}).encode())
        elif (commit := self._commit_in(path)) is None and not path.startswith("/content/"):
            self._send(request, 404, b"{}")
        elif path.startswith(f"/api/models/{self.repo}/tree/"):
            self._list(request, path.removeprefix(f"/api/models/{self.repo}/tree/{commit}").strip("/"), address.query)
        elif path.startswith((f"/{self.repo}/resolve/", "/content/")):
            self._file(request, path.removeprefix("/content/").removeprefix(f"/{self.repo}/resolve/{commit}/"))
        else:
            self._send(request, 404, b"{}")

    def _commit_in(self, path: str) -> str | None:
        starts = (f"/api/models/{self.repo}/tree/", f"/{self.repo}/resolve/")
        return next((one for one in self.commits if path.startswith(tuple(f"{start}{one}" for start in starts))), None)

    def _list(self, request: BaseHTTPRequestHandler, under: str, query: str) -> None:
        names = sorted(name for name in self.files if name.startswith(under))
        start = int(query.split("cursor=")[1]) if "cursor=" in query else 0
        page = [self._entry(name) for name in names[start : start + self.page_size]]
        headers = {}
        if start + self.page_size < len(names):
            following = f"{self.endpoint}{urlsplit(request.path).path}?recursive=true&cursor={start + self.page_size}"
            headers["Link"] = f'<{following}>; rel="next"'
        self._send(request, 200, json.dumps([{"type": "directory", "path": "folder"}, *page]).encode(), headers)

    def _entry(self, name: str) -> dict[str, Any]:
        content = self.files[name]
        blob = hashlib.sha1(f"blob {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()
        entry: dict[str, Any] = {"type": "file", "path": name, "size": len(content), "oid": blob}
        if name.endswith(".safetensors"):
            entry["lfs"] = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 134}
        return entry

    def _file(self, request: BaseHTTPRequestHandler, name: str) -> None:
        if self.elsewhere is not None:
            self._send(request, 302, b"", {"Location": f"{self.elsewhere}/content/{name}"})
            return
        content, status, headers = self.files[name], 200, {}
        wanted = request.headers.get("Range")
        if wanted and self.ranges:
            start = int(wanted.removeprefix("bytes=").split("-")[0])
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            content, status = content[start:], 206
        request.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(content))}.items():
            request.send_header(key, value)
        request.end_headers()
        if self.break_after is not None and len(content) > self.break_after:
            request.wfile.write(content[: self.break_after])
            request.close_connection = True
            return
        request.wfile.write(content)

    @staticmethod
    def _send(
        request: BaseHTTPRequestHandler, status: int, content: bytes, headers: dict[str, str] | None = None
    ) -> None:
        request.send_response(status)
        for key, value in {**(headers or {}), "Content-Length": str(len(content))}.items():
            request.send_header(key, value)
        request.end_headers()
        request.wfile.write(content)
