"""What the serving container asks of Modal. Nothing else here imports modal, which only Modal's containers have."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import modal

from safelight_worker import messages
from safelight_worker.attempt import RunFailed
from safelight_worker.files import write_whole
from safelight_worker.host_modal import FilesOpen

log = logging.getLogger(__name__)

_OPEN_FILES = "open files"


class Calls:
    """See host_modal.Remote. `model` is the class whose method `run` runs orders, the last two are volumes."""

    def __init__(self, model: Any, shared: modal.Dict, data: Any, weights: Any) -> None:
        self._model = model
        self._shared = shared
        self._data = data
        self._weights = weights

    async def spawn(self, order: messages.RunOrder, seconds: float) -> str:
        """See Remote."""
        with _reached():
            call = await self._model(name=order.job.model).run.spawn.aio(order, seconds)
            return str(call.object_id)

    async def outcome(self, call: str) -> messages.Done | messages.Failed | messages.NoRoom | None:
        """See Remote."""
        try:
            found: messages.Done | messages.Failed | messages.NoRoom
            found = await modal.FunctionCall.from_id(call).get.aio(timeout=0)
            return found
        except TimeoutError:
            return None
        except (modal.exception.ConnectionError, modal.exception.ServiceError) as error:
            raise OSError(str(error)) from error
        except (Exception, modal.exception.InputCancellation) as error:
            # Its container died, its time was over, or what was raised in it is raised here again.
            log.warning("a call was lost: %s", type(error).__name__, exc_info=error)
            raise RunFailed("worker_lost", "The call was lost.") from None

    async def cancel(self, call: str) -> None:
        """See Remote."""
        with _reached(), contextlib.suppress(modal.exception.NotFoundError):
            await modal.FunctionCall.from_id(call).cancel.aio(terminate_containers=True)

    async def read(self, key: str) -> Any:
        """See Remote."""
        with _reached():
            return await self._shared.get.aio(key)

    async def write(self, key: str, value: Any) -> None:
        """See Remote."""
        with _reached():
            await self._shared.put.aio(key, value)

    async def forget(self, key: str) -> None:
        """See Remote."""
        with _reached():
            await self._shared.pop.aio(key, None)

    async def reload(self) -> None:
        """See Remote."""
        try:
            with _reached():
                await self._data.reload.aio()
        except RuntimeError as error:
            raise (FilesOpen if _OPEN_FILES in str(error) else OSError)(str(error)) from error

    async def reload_weights(self) -> None:
        """See Remote."""
        try:
            with _reached():
                await self._weights.reload.aio()
        except RuntimeError as error:
            raise OSError(str(error)) from error

    async def copy(self, name: str, target: Path) -> None:
        """See Remote."""
        try:
            pieces = [piece async for piece in self._data.read_file.aio(name)]
        except Exception as error:
            # The package fetches the pieces itself, with errors of its own library.
            raise OSError(str(error)) from error
        await asyncio.to_thread(write_whole, target, b"".join(pieces))

    async def commit(self) -> None:
        """See Remote."""
        try:
            with _reached():
                await self._data.commit.aio()
        except RuntimeError as error:
            # The package brings the volume up to date after it has committed; that it could not is no harm here.
            if _OPEN_FILES not in str(error):
                raise OSError(str(error)) from error


@contextlib.contextmanager
def _reached() -> Iterator[None]:
    """Errors of the package as OSError, which is what callers know."""
    try:
        yield
    except modal.exception.Error as error:
        raise OSError(str(error)) from error
