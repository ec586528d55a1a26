"""What health says of weights: in place, missing, being fetched now, or not to be looked at."""

from __future__ import annotations

import fcntl
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from safelight_worker.child import probe_models
from safelight_worker.families import ModelState, Unavailable, flux
from safelight_worker.in_place import LOCK
from safelight_worker.settings import ModelSpec, Source


def looked_at(spec: ModelSpec) -> tuple[ModelState, Mapping[str, str | None]]:
    [state] = probe_models({spec.model: spec})
    return state, {mode: None if reason is None else reason.code for mode, reason in state.modes.items()}


@pytest.fixture
def absent(tiny: dict[str, ModelSpec], tmp_path: Path) -> ModelSpec:
    """FLUX from a hub, with nothing fetched yet."""
    folder = tmp_path / "flux"
    folder.mkdir()
    return replace(tiny["flux"], sources={"pipeline": Source("pipeline", folder, repo="someone/flux")})


def test_weights_that_are_here_are_in_place(tiny: dict[str, ModelSpec]) -> None:
    state, codes = looked_at(tiny["flux"])
    assert (state.weights, codes) == ("in_place", {"txt2img": None, "img2img": None})


def test_missing_weights_are_being_fetched_while_somebody_fetches_them(absent: ModelSpec) -> None:
    lacking = {"txt2img": "weights_missing", "img2img": "weights_missing"}
    state, codes = looked_at(absent)
    assert (state.weights, codes) == ("missing", lacking)
    (absent.sources["pipeline"].folder / "whole.safetensors.part").write_bytes(b"half")
    with (absent.sources["pipeline"].folder / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        state, codes = looked_at(absent)
        assert (state.weights, codes) == ("fetching", lacking)
        reason = state.modes["txt2img"]
        assert reason is not None and "being fetched" in reason.detail
    state, _ = looked_at(absent)
    assert state.weights == "missing"


def test_what_stands_in_no_settings_is_not_said_to_be_fetched(absent: ModelSpec) -> None:
    with (absent.sources["pipeline"].folder / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.MonkeyPatch.context() as patch:
            reason = Unavailable("not_configured", "No weights are named.")
            patch.setattr(flux.Flux, "modes", lambda _self, _spec: {"txt2img": reason, "img2img": None})
            state, codes = looked_at(absent)
    assert (state.weights, codes) == ("in_place", {"txt2img": "not_configured", "img2img": None})


def test_weights_that_cannot_be_looked_at_are_said_to_be_damaged(
    tiny: dict[str, ModelSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_self: object, _spec: ModelSpec) -> None:
        raise PermissionError(13, "Permission denied", "/a/secret/path")

    monkeypatch.setattr(flux.Flux, "modes", fail)
    state, codes = looked_at(tiny["flux"])
    assert (state.weights, codes) == ("missing", {"txt2img": "weights_damaged", "img2img": "weights_damaged"})
    assert all(reason is not None and "secret" not in reason.detail for reason in state.modes.values())
