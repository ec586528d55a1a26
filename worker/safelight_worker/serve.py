"""Serves the worker protocol on this machine until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import re
import secrets
import socket
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI

from safelight_worker.app import Parts, build_app
from safelight_worker.attempt import Attempt, Finished
from safelight_worker.catalog import CheckedTask
from safelight_worker.child import set_environment
from safelight_worker.families import model_names
from safelight_worker.health import create_health
from safelight_worker.host_local import LocalHost
from safelight_worker.http_protocol import PlainSpokenProtocol
from safelight_worker.settings import ModelSpec, SettingsError, read_settings
from safelight_worker.store import MediaShelf, TaskStore
from safelight_worker.tasks import Tasks

# The key in force, and former ones while it is being replaced.
_MOST_KEYS = 4
_KEY = re.compile(r"[\x21-\x7e]{16,512}")
_GRACE_SECONDS = 5
TINY_NOTICE = {
    "code": "tiny_models",
    "detail": "Tiny models with random weights, for trying things out: what they draw shows nothing.",
}


class StartupError(Exception):
    """The worker cannot start; the text says what a person can do about it."""


@dataclass(frozen=True)
class ServeOptions:
    """What `serve` is told on the command line."""

    host: str = "127.0.0.1"
    port: int = 8700
    key_file: Path | None = None
    data: Path = Path("worker-data")
    weights: Path = Path("weights")
    settings: Path | None = None
    models: Sequence[str] | None = None
    slots: int = 1
    name: str = "worker"
    tiny: bool = False
    threads: int | None = None
    keep_hours: int = 24


def serve(options: ServeOptions) -> None:
    """Serves until SIGTERM or SIGINT. Errors: StartupError."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    unknown = [name for name in options.models or () if name not in model_names()]
    if unknown:
        raise StartupError(f"--models: {', '.join(unknown)} is none of {', '.join(model_names())}.")
    try:
        specs = None if options.tiny else read_settings(options.weights.resolve(), options.settings)
    except SettingsError as error:
        raise StartupError(f"--settings: {error}.") from error
    set_environment(options.threads)
    data = options.data.resolve()
    with _data_folder(data), _listening_socket(options) as listener:
        key = read_key(options.key_file or data / "worker-key")
        asyncio.run(_serve(options, specs, data, key, listener))


async def _serve(
    options: ServeOptions, specs: Mapping[str, ModelSpec] | None, data: Path, key: str, listener: socket.socket
) -> None:
    store = TaskStore(data)
    shelf = MediaShelf(data)
    kind = LocalHost if specs is not None else _TinyHost
    host = kind(store, specs, data / "tiny", options.slots, options.models)
    tasks = Tasks(host, store, shelf, options.keep_hours * 3600.0)
    health = create_health(options.name, host, tasks, TINY_NOTICE if options.tiny else None)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await host.start()
        sweeping = asyncio.create_task(tasks.keep_sweeping())
        try:
            yield
        finally:
            sweeping.cancel()
            await tasks.stop()
            await host.stop()

    app = build_app(Parts(key, tasks, shelf, health, lifespan))
    config = uvicorn.Config(
        app,
        http=PlainSpokenProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_keep_alive=75,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        h11_max_incomplete_event_size=64 * 1024,
    )
    await _Server(config, tasks).serve(sockets=[listener])


class _TinyHost(LocalHost):
    """Says of every result that it shows nothing: whoever sees it need not have started this worker."""

    async def run(self, attempt: Attempt, task: CheckedTask, media: Mapping[str, Path]) -> Finished:
        """See Runner."""
        attempt.tell(warnings=[dict(TINY_NOTICE)])
        return await super().run(attempt, task, media)


class _Server(uvicorn.Server):
    """Says where it listens once it does, and ends waiting answers at once when it is told to stop."""

    def __init__(self, config: uvicorn.Config, tasks: Tasks) -> None:
        super().__init__(config)
        self._tasks = tasks
        self._loop = asyncio.get_running_loop()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn."""
        await super().startup(sockets)
        for listener in sockets or []:
            address, port = listener.getsockname()[:2]
            shown = f"[{address}]" if ":" in address else address
            print(f"Safelight worker listens on http://{shown}:{port}", flush=True)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """See uvicorn."""
        self._loop.call_soon_threadsafe(self._tasks.stopping.set)
        super().handle_exit(sig, frame)


def read_key(file: Path) -> str:
    """The keys in the file, one a line; made when it is missing, readable by this user alone. Errors: StartupError."""
    try:
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "w") as made:
                    made.write(f"slworker_{secrets.token_urlsafe(32)}\n")
                print(f"Made a worker key in {file}: enter it in the worker's account on the gateway.", flush=True)
        keys = file.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeError) as error:
        raise StartupError(f"--key-file: {file} cannot be read or made ({type(error).__name__}).") from error
    # It travels in a header; and one that can be guessed is none.
    keys = [key for key in (line.strip() for line in keys) if key]
    if not 1 <= len(keys) <= _MOST_KEYS or not all(_KEY.fullmatch(key) for key in keys):
        raise StartupError(f"--key-file: {file} must hold one key of 16 to 512 printable ASCII characters.")
    return "\n".join(keys)


@contextlib.contextmanager
def _data_folder(folder: Path) -> Iterator[None]:
    """Takes the folder for this worker alone; a kill lets go of it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StartupError(f"--data: {folder} cannot be used ({error.strerror}).") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StartupError(f"--data: another worker uses {folder}.") from error
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _listening_socket(options: ServeOptions) -> Iterator[socket.socket]:
    try:
        found: list[Any] = socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        raise StartupError(
            f"--port: cannot listen on {options.host} port {options.port} ({error.strerror})."
        ) from error
    with listener:
        yield listener
