"""What the first fetch brought is what later ones must bring."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from stand_in_hub import COMMIT, StandIn

from safelight_worker import fetch, verify
from safelight_worker.fetch import FetchError, Hub, fetch_model
from safelight_worker.lock import LOCK_FILE
from safelight_worker.settings import ModelSpec, Source

LARGE = random.Random(2).randbytes(50_000)
OTHER = random.Random(3).randbytes(50_000)
NEXT = "d" * 40


@pytest.fixture
def hub_files() -> Iterator[StandIn]:
    stand_in = StandIn({"config.json": b'{"a": 1}', "model.safetensors": LARGE})
    yield stand_in
    stand_in.close()


@pytest.fixture
def hub(hub_files: StandIn) -> Iterator[Hub]:
    made = Hub(hub_files.endpoint, pause=0.001)
    yield made
    made.close()


@pytest.fixture
def spec(tmp_path: Path) -> ModelSpec:
    source = Source("pipeline", tmp_path / "flux" / "pipeline", repo="someone/model")
    return ModelSpec("flux", "Some licence", "https://example.org", False, {"pipeline": source}, {})


def quiet(_name: str, _done: int, _total: int | None) -> None:
    pass


def lock_of(spec: ModelSpec) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((spec.sources["pipeline"].folder.parent / LOCK_FILE).read_text())["sources"]
    return found


def changed(spec: ModelSpec, **changes: object) -> ModelSpec:
    return replace(spec, sources={"pipeline": replace(spec.sources["pipeline"], **changes)})


def test_the_first_fetch_writes_down_commit_and_checksums(spec: ModelSpec, hub: Hub) -> None:
    fetch_model(spec, hub, quiet)
    entry = lock_of(spec)["pipeline"]
    assert entry["commit"] == COMMIT
    assert entry["files"]["model.safetensors"] == {
        "bytes": len(LARGE),
        "sha256": fetch.hashed(spec.sources["pipeline"].folder / "model.safetensors")["sha256"],
    }
    assert set(entry["files"]) == {"config.json", "model.safetensors"}


def test_a_branch_that_has_moved_does_not_move_the_weights(spec: ModelSpec, hub: Hub, hub_files: StandIn) -> None:
    fetch_model(spec, hub, quiet)
    hub_files.main, hub_files.commits = NEXT, [COMMIT, NEXT]
    shutil.rmtree(spec.sources["pipeline"].folder)
    hub_files.requests.clear()
    assert len(fetch_model(spec, hub, quiet)) == 2
    assert not any(NEXT in path or "/revision/" in path for path, _, _ in hub_files.requests)
    fetch_model(spec, hub, quiet, renew=True)
    assert lock_of(spec)["pipeline"]["commit"] == NEXT


@pytest.mark.parametrize("content", [OTHER, LARGE[:-1]])
def test_another_file_under_the_same_name_is_refused(
    content: bytes, spec: ModelSpec, hub: Hub, hub_files: StandIn
) -> None:
    fetch_model(spec, hub, quiet)
    hub_files.files["model.safetensors"] = content
    shutil.rmtree(spec.sources["pipeline"].folder)
    with pytest.raises(FetchError, match=r"not the file that was fetched the first time.*--renew"):
        fetch_model(spec, hub, quiet)
    assert not (spec.sources["pipeline"].folder / "model.safetensors").exists()
    fetch_model(spec, hub, quiet, renew=True)
    assert (spec.sources["pipeline"].folder / "model.safetensors").read_bytes() == content


def test_a_small_file_that_lies_about_itself_is_thrown_away(spec: ModelSpec, hub: Hub, hub_files: StandIn) -> None:
    fetch_model(spec, hub, quiet)
    hub_files.files["config.json"] = b'{"a": 2}'
    shutil.rmtree(spec.sources["pipeline"].folder)
    with pytest.raises(FetchError, match="checksum"):
        fetch_model(spec, hub, quiet)


def test_a_file_by_its_address_is_learnt_as_well(spec: ModelSpec, hub: Hub, hub_files: StandIn) -> None:
    one = changed(spec, repo=None, url=f"{hub_files.endpoint}/content/model.safetensors", file="model.safetensors")
    fetch_model(one, hub, quiet)
    hub_files.files["model.safetensors"] = OTHER
    one.sources["pipeline"].place.unlink()
    with pytest.raises(FetchError, match="checksum"):
        fetch_model(one, hub, quiet)


def test_a_commit_that_is_gone_and_a_lock_that_is_broken_are_said(
    spec: ModelSpec, hub: Hub, hub_files: StandIn
) -> None:
    fetch_model(spec, hub, quiet)
    hub_files.main, hub_files.commits = NEXT, [NEXT]
    with pytest.raises(FetchError, match=r"fetched the first time; --renew"):
        fetch_model(spec, hub, quiet)
    lock = spec.sources["pipeline"].folder.parent / LOCK_FILE
    lock.write_text("{")
    with pytest.raises(FetchError, match="cannot be read"):
        fetch_model(spec, hub, quiet)


def test_settings_that_name_another_place_are_a_decision(spec: ModelSpec, hub: Hub, hub_files: StandIn) -> None:
    fetch_model(spec, hub, quiet)
    hub_files.main, hub_files.commits = NEXT, [COMMIT, NEXT]
    fetch_model(changed(spec, revision="v2"), hub, quiet)
    assert lock_of(spec)["pipeline"]["commit"] == NEXT


def test_verify_reads_every_byte(
    tmp_path: Path, hub_files: StandIn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", hub_files.endpoint)
    monkeypatch.setenv("SAFELIGHT_FLUX_PIPELINE", "someone/model")
    assert verify.run("flux", tmp_path, None) == 1
    assert "pipeline was never fetched" in capsys.readouterr().err
    # Only the weights' patterns of flux are fetched, and of the stand-in's files none lies where they say.
    hub_files.files = {"model_index.json": b"{}", "transformer/model.safetensors": LARGE}
    assert fetch.run("flux", tmp_path, None) == 0
    assert LOCK_FILE in capsys.readouterr().out
    assert verify.run("flux", tmp_path, None) == 0
    assert "2 files are what was fetched first" in capsys.readouterr().out
    file = tmp_path / "flux" / "pipeline" / "transformer" / "model.safetensors"
    file.write_bytes(OTHER)
    (tmp_path / "flux" / "pipeline" / "model_index.json").unlink()
    assert verify.run("flux", tmp_path, None) == 1
    told = capsys.readouterr()
    assert "transformer/model.safetensors is damaged or another file" in told.err
    assert "model_index.json is missing" in told.err
    assert "0 files are what was fetched first, 2 are not" in told.out
