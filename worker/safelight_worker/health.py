"""Answers GET /health from what is in memory."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Protocol

from safelight_worker import __version__
from safelight_worker.catalog import model_entry
from safelight_worker.child import memory
from safelight_worker.contract import PROTOCOL, Json
from safelight_worker.families import ModelState, Unavailable
from safelight_worker.host_local import ENGINE_NAME
from safelight_worker.messages import Gpu
from safelight_worker.tasks import Runner, Tasks


class Described(Runner, Protocol):
    """A runner that can say what it has."""

    engine_version: str
    gpus: Sequence[Gpu]

    def models(self) -> list[ModelState]:
        """What is known of each model that is offered."""

    def is_warm(self, model: str) -> bool:
        """Whether its weights are in memory."""


def create_health(
    name: str, host: Described, tasks: Tasks, notice: Json | None = None
) -> Callable[[], Mapping[str, Any]]:
    """A function that answers GET /health. `notice` is what creators are told about who made their picture."""
    instance = str(uuid.uuid4())
    started = time.monotonic()

    def health() -> Mapping[str, Any]:
        models = [describe_model(host, state) for state in host.models()]
        return {
            "protocol": PROTOCOL,
            "worker": {"name": name, "version": __version__},
            "engine": {"name": ENGINE_NAME, "version": host.engine_version, "notice": notice},
            "instance": instance,
            "uptime_s": round(time.monotonic() - started, 3),
            "ready": not tasks.stopping.is_set() and any(model["available"] for model in models),
            "models": models,
            "slots": dict(host.slots),
            "busy": tasks.busy(),
            "gpus": [asdict(gpu) for gpu in host.gpus],
            "memory": memory(),
            "results_kept_s": int(tasks.keep_seconds),
        }

    return health


def describe_model(host: Described, state: ModelState) -> dict[str, Any]:
    """One model as health shows it: a mode is available only when a task for it would be taken."""
    entry = model_entry(state.model)
    assert entry is not None
    reasons = {mode["id"]: host.unavailable(state.model, mode["id"]) for mode in entry["modes"]}
    available = any(reason is None for reason in reasons.values())
    first = next((reason for reason in reasons.values() if reason is not None), None)
    return {
        "id": state.model,
        "type": entry["type"],
        "available": available,
        "weights": "in_place" if available else state.weights,
        "reason": None if available else _notice(first),
        "warm": host.is_warm(state.model),
        "modes": [
            {"id": mode, "available": reason is None, "reason": _notice(reason)} for mode, reason in reasons.items()
        ],
        "limits": [dict(limit) for limit in host.limits(state.model)],
    }


def _notice(reason: Unavailable | None) -> dict[str, str] | None:
    return None if reason is None else {"code": reason.code, "detail": reason.detail}
