"""The app that gets weights onto Modal's volume: with the real modal package, from a stand-in of the hub."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import modal
import pytest
from stand_in_hub import StandIn

from safelight_worker.lock import LOCK_FILE
from safelight_worker.settings import ModelSpec

APP = Path(__file__).parents[3] / "deploy" / "modal" / "fetch_weights.py"


@pytest.mark.filterwarnings("ignore:The fetch function is executing locally")
@pytest.mark.parametrize("token", [None, "hf_of_a_test"])
def test_weights_are_fetched_and_committed_with_a_token_only_when_there_is_one(
    token: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny: dict[str, ModelSpec]
) -> None:
    folder = tiny["flux"].sources["pipeline"].place
    hub = StandIn({str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()})
    hub.token = token
    monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
    monkeypatch.setenv("SAFELIGHT_FLUX_PIPELINE", "someone/model")
    monkeypatch.setenv("SAFELIGHT_PHR00T_CHECKPOINT", "someone/else")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    if token is not None:
        monkeypatch.setenv("HF_TOKEN", token)
    module: Any = runpy.run_path(str(APP))
    assert isinstance(module["fetch"], modal.Function)
    assert len(module["tokens"]) == (0 if token is None else 1)
    committed: list[bool] = []
    fetch = module["fetch"].local
    module["main"].info.raw_f.__globals__.update(
        WEIGHTS=tmp_path, weights=SimpleNamespace(commit=lambda: committed.append(True))
    )
    try:
        assert fetch("flux") == 0
        assert fetch("phr00t") == 1
    finally:
        hub.close()
    # Also when it was broken off: what has come so far stays.
    assert committed == [True, True]
    assert (tmp_path / "flux" / LOCK_FILE).is_file()
