"""A model's process as the serving process sees it: started, given orders, heard, and killed."""

from __future__ import annotations

import asyncio
import contextlib
import time
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess

from safelight_worker import child, messages
from safelight_worker.settings import ModelSpec


class ProcessDied(Exception):
    """The process of a model is gone."""


class ModelChild:
    """The serving process' end of a model's process.

    `warm`: it holds its weights. `is_gone`: it has died, in a run or between two. `used_at` is a time of
    `time.monotonic()`.
    """

    def __init__(self, spec: ModelSpec, context: ForkServerContext) -> None:
        self.model = spec.model
        self.warm = False
        self.is_gone = False
        self.used_at = time.monotonic()
        self.cancel = context.Event()
        self._pipe, theirs = context.Pipe()
        self._theirs: Connection | None = theirs
        self._process: ForkServerProcess = context.Process(
            target=child.serve_model, args=(theirs, self.cancel, spec), daemon=True, name=f"model-{spec.model}"
        )
        self._messages: asyncio.Queue[messages.FromModel | None] = asyncio.Queue()

    async def start(self) -> None:
        """Returns when the process stands. Errors: ProcessDied."""
        await asyncio.to_thread(self._process.start)
        assert self._theirs is not None
        self._theirs.close()
        self._theirs = None
        asyncio.get_running_loop().add_reader(self._pipe.fileno(), self._read)
        if not isinstance(await self.receive(), messages.Ready):
            raise ProcessDied

    @property
    def pid(self) -> int | None:
        """Its process id, None before it has started."""
        return self._process.pid

    def send(self, order: messages.RunOrder) -> None:
        """Gives it an order. Errors: ProcessDied."""
        self.used_at = time.monotonic()
        try:
            self._pipe.send(order)
        except OSError as error:
            raise ProcessDied from error

    async def receive(self) -> messages.FromModel:
        """The next message. Errors: ProcessDied."""
        message = await self._messages.get()
        if message is None:
            self._messages.put_nowait(None)
            raise ProcessDied
        return message

    async def kill(self) -> None:
        """Ends the process at once and returns when it is gone."""
        self._stop_reading()
        if self._process.pid is not None:
            self._process.kill()
            await asyncio.to_thread(self._process.join)
        self._pipe.close()
        if self._theirs is not None:
            # It may be on its way yet: it finds nobody to talk to, and ends.
            self._theirs.close()

    def _read(self) -> None:
        try:
            while self._pipe.poll():
                self._messages.put_nowait(self._pipe.recv())
        except (EOFError, OSError):
            self.is_gone = True
            self._stop_reading()
            self._messages.put_nowait(None)

    def _stop_reading(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            asyncio.get_running_loop().remove_reader(self._pipe.fileno())
