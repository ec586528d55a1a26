"""A run inside a call on one of Modal's graphics cards. Imports no modal: the dictionary is given."""

from __future__ import annotations

import contextlib
import logging
import time
import uuid
from collections.abc import MutableMapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from safelight_worker import messages
from safelight_worker.child import ModelRunner, prepare
from safelight_worker.encode import preview_webp
from safelight_worker.families import Cancelled, Stage, TimedOut
from safelight_worker.host_local import SHARES
from safelight_worker.settings import ModelSpec

if TYPE_CHECKING:
    from PIL.Image import Image

log = logging.getLogger(__name__)

_TELL_SECONDS = 0.4
_ASK_SECONDS = 1.0
_PREVIEW_SECONDS = 2.0


class SharedReport:
    """Report of a run inside a call: writes to the dictionary, seldom enough not to slow the run down."""

    def __init__(self, shared: MutableMapping[str, Any], key: str, seconds: float) -> None:
        self._shared = shared
        self._key = key
        self._ends = time.monotonic() + seconds
        self._told: dict[str, Any] = {
            "stage": "starting",
            "stage_detail": None,
            "step": None,
            "steps": None,
            "progress": 0,
            "preview_version": 0,
            "warnings": [],
        }
        self._written = self._asked = self._previewed = 0.0

    def stage(self, name: Stage, detail: str | None = None) -> None:
        """See Report."""
        self.check()
        self._tell(stage=name, stage_detail=detail, progress=max(self._told["progress"], SHARES[name]))

    def step(self, done: int, total: int) -> None:
        """See Report."""
        self.check()
        share = SHARES["denoise"] + (SHARES["decode"] - SHARES["denoise"]) * done // max(total, 1)
        self._tell(stage="denoise", stage_detail=None, step=done, steps=total, progress=share)

    def preview(self, images: Sequence[Image], fps: float) -> None:
        """See Report."""
        self.check()
        now = time.monotonic()
        if len(images) == 0 or now - self._previewed < _PREVIEW_SECONDS:
            return
        self._previewed = now
        # Apart from what is told with every step: it is a hundred times as large.
        if self._share(preview_key(self._key), preview_webp(images, fps)):
            self._tell(preview_version=self._told["preview_version"] + 1)

    def warn(self, code: str, parameter: str | None, detail: str) -> None:
        """See Report."""
        notice = {"code": code, "detail": detail, **({} if parameter is None else {"parameter": parameter})}
        if notice not in self._told["warnings"]:
            self._told["warnings"] = [*self._told["warnings"], notice]

    def check(self) -> None:
        """See LoadReport."""
        now = time.monotonic()
        if now > self._ends:
            raise TimedOut
        if now - self._asked >= _ASK_SECONDS:
            self._asked = now
            if self._is_stopped():
                raise Cancelled

    def flush(self) -> None:
        """Writes what is known now."""
        self._written = time.monotonic()
        self._share(self._key, dict(self._told))

    def _tell(self, **change: Any) -> None:
        self._told.update(change)
        if time.monotonic() - self._written >= _TELL_SECONDS:
            self.flush()

    def _share(self, key: str, value: Any) -> bool:
        """A run does not fail because nobody could be told."""
        try:
            self._shared[key] = value
        except Exception as error:
            log.warning("a run could not tell how far it is: %s", error)
            return False
        return True

    def _is_stopped(self) -> bool:
        try:
            return bool(self._shared.get(stop_key(self._key)))
        except Exception as error:
            log.warning("a run could not ask whether it is to stop: %s", error)
            return False


class CallRunner:
    """Runs orders inside a container that has a graphics card; it holds one model.

    The dictionary is told until when the container keeps it: `stays_warm` seconds after each run.
    """

    def __init__(self, spec: ModelSpec, shared: MutableMapping[str, Any], stays_warm: float) -> None:
        prepare()
        self._model = spec.model
        self._shared = shared
        self._stays_warm = stays_warm
        self._name = str(uuid.uuid4())
        self._runner = ModelRunner(spec, self._note_load)
        self.is_loaded = False
        self.is_spoilt = False

    def run(self, order: messages.RunOrder, seconds: float) -> messages.Done | messages.Failed | messages.NoRoom:
        """Runs an order; its file is on the volume afterwards, to be committed by the caller."""
        report = SharedReport(self._shared, run_key(order.job.task_id, order.job.attempt), seconds)
        if self.is_loaded:
            self._stay_until(time.time() + seconds + self._stays_warm)
        outcome = self._runner.answer(order_here(order, seconds), report)
        report.flush()
        self.is_spoilt = isinstance(outcome, messages.NoRoom) or getattr(outcome, "spoilt", False)
        if self.is_spoilt:
            self.leave()
        elif self.is_loaded:
            self._stay_until(time.time() + self._stays_warm)
        return outcome

    def leave(self) -> None:
        """Says that this container no longer holds its model, unless another has said since that it does."""
        with contextlib.suppress(Exception):
            if (self._shared.get(warm_key(self._model)) or {}).get("container") == self._name:
                self._shared.pop(warm_key(self._model))

    def _note_load(self, loaded: messages.Loaded) -> None:
        log.info("loaded in %.1f s", loaded.seconds)
        self.is_loaded = True
        self._stay_until(time.time() + self._stays_warm)

    def _stay_until(self, moment: float) -> None:
        try:
            self._shared[warm_key(self._model)] = {"container": self._name, "until": moment}
        except Exception as error:
            log.warning("nobody could be told that %s is warm: %s", self._model, error)


def order_here(order: messages.RunOrder, seconds: float) -> messages.RunOrder:
    """The order with its deadline by this machine's clock."""
    return replace(order, job=replace(order.job, deadline=time.monotonic() + seconds))


def run_key(task_id: str, attempt: int) -> str:
    """Where the dictionary holds what a run tells."""
    return f"run/{task_id}/{attempt}"


def preview_key(key: str) -> str:
    """Where it holds the newest step picture of a run."""
    return f"{key}/preview"


def stop_key(key: str) -> str:
    """What is true there once a run is to stop."""
    return f"{key}/stop"


def call_key(task_id: str) -> str:
    """Where the call of a task is written down."""
    return f"call/{task_id}"


def warm_key(model: str) -> str:
    """Where a container says until when it keeps a model."""
    return f"warm/{model}"
