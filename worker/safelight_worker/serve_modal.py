"""The app of the serving container on Modal."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from fastapi import FastAPI

from safelight_worker.app import Parts, build_app
from safelight_worker.health import create_health
from safelight_worker.host_modal import ModalHost, Remote, RunningStore
from safelight_worker.settings import ModelSpec
from safelight_worker.store import KeptTask, MediaShelf
from safelight_worker.tasks import Tasks

_KEEP_SECONDS = 24 * 3600.0


class CommittedStore(RunningStore):
    """A store on a volume: what it has written counts once it is committed, so that a restart finds it."""

    def __init__(self, root: Path, remote: Remote) -> None:
        super().__init__(root)
        self._remote = remote

    def put(self, kept: KeptTask) -> None:
        """See TaskStore. Called in a thread, never on a running loop."""
        super().put(kept)
        asyncio.run(self._remote.commit())


def build_modal_app(key: str, folder: Path, specs: Mapping[str, ModelSpec], remote: Remote, slots: int) -> FastAPI:
    """The protocol's app over a volume mounted at `folder`, with runs as calls of `remote`."""
    store = CommittedStore(folder, remote)
    shelf = MediaShelf(folder)
    host = ModalHost(store, specs, remote, slots)
    tasks = Tasks(host, store, shelf, _KEEP_SECONDS)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        for left in store.left:
            tasks.adopt(*await host.adopted(left))
        watching = [asyncio.create_task(host.keep_looking()), asyncio.create_task(tasks.keep_sweeping())]
        try:
            yield
        finally:
            for one in watching:
                one.cancel()
            await tasks.stop()

    return build_app(Parts(key, tasks, shelf, create_health("modal", host, tasks), lifespan))
