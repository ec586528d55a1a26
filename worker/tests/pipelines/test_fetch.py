"""Getting weights from a stand-in of the hub: progress, going on, checksums, faults, and what is in place."""

from __future__ import annotations

import fcntl
import hashlib
import io
import random
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from stand_in_hub import COMMIT, StandIn

from safelight_worker import fetch
from safelight_worker.families import Placement, family_named
from safelight_worker.fetch import FetchError, Hub, Lines, fetch_model
from safelight_worker.in_place import in_place
from safelight_worker.settings import ModelSpec, Source

LARGE = random.Random(1).randbytes(300_000)
FILES = {
    "config.json": b'{"a": 1}',
    "part/model.safetensors": LARGE,
    "part/config.json": b"{}",
    "part/notes.md": b"not wanted",
    "tokenizer/vocab with space.json": b'{"b": 2}',
}
INCLUDE = ("*.json", "*/*.json", "*/*.safetensors")


@pytest.fixture
def hub_files() -> Iterator[StandIn]:
    stand_in = StandIn(dict(FILES))
    yield stand_in
    stand_in.close()


@pytest.fixture
def hub(hub_files: StandIn) -> Iterator[Hub]:
    made = Hub(hub_files.endpoint, pause=0.001)
    yield made
    made.close()


@pytest.fixture
def spec(tmp_path: Path) -> ModelSpec:
    source = Source("pipeline", tmp_path / "weights", repo="someone/model", include=INCLUDE)
    return ModelSpec("flux", "Some licence", "https://example.org", False, {"pipeline": source}, {})


def quiet(_name: str, _done: int, _total: int | None) -> None:
    pass


def asked(stand_in: StandIn) -> list[tuple[str, str | None]]:
    """Requests for the large file with their range."""
    return [(path, wanted) for path, wanted, _ in stand_in.requests if path.endswith(".safetensors")]


def with_source(spec: ModelSpec, **changes: object) -> ModelSpec:
    return replace(spec, sources={"pipeline": replace(spec.sources["pipeline"], **changes)})


def test_files_that_are_wanted_come_with_progress(spec: ModelSpec, hub: Hub) -> None:
    told: list[tuple[str, int, int | None]] = []
    assert in_place(spec).state == "missing"
    fetched = fetch_model(spec, hub, lambda *progress: told.append(progress))
    place = spec.sources["pipeline"].place
    assert sorted(fetched) == sorted(name for name in FILES if name.endswith(("json", "safetensors")))
    for name in fetched:
        assert (place / name).read_bytes() == FILES[name]
    assert not (place / "part" / "notes.md").exists()
    assert told[-1][0] in FILES
    assert ("part/model.safetensors", 300_000, 300_000) in told
    assert in_place(spec) == fetch.in_place(spec)
    assert (in_place(spec).state, in_place(spec).have, in_place(spec).wanted) == ("in_place", 4, 4)
    assert not list(place.rglob("*.part*"))


def test_a_second_time_nothing_is_fetched(spec: ModelSpec, hub: Hub, hub_files: StandIn) -> None:
    fetch_model(spec, hub, quiet)
    hub_files.requests.clear()
    assert fetch_model(spec, hub, quiet) == []
    assert asked(hub_files) == []
    (spec.sources["pipeline"].place / "part" / "model.safetensors").unlink()
    assert in_place(spec).detail == "1 of 4 files are not in place yet."
    assert fetch_model(spec, hub, quiet) == ["part/model.safetensors"]


def test_what_broke_off_goes_on(spec: ModelSpec, hub: Hub, hub_files: StandIn) -> None:
    hub_files.break_after = 110_000
    fetch_model(spec, hub, quiet)
    ranges = [wanted for _, wanted in asked(hub_files)]
    assert ranges[0] is None
    assert len(ranges) == 3
    assert all(wanted is not None and int(wanted[6:-1]) > 0 for wanted in ranges[1:])
    assert (spec.sources["pipeline"].place / "part" / "model.safetensors").read_bytes() == LARGE


def test_a_stopped_command_goes_on_where_it_was(spec: ModelSpec, hub: Hub, hub_files: StandIn) -> None:
    class Stopped(Exception):
        pass

    hub_files.break_after = 100_000

    def stop(name: str, done: int, _total: int | None) -> None:
        if name.endswith(".safetensors") and done >= 100_000:
            raise Stopped

    with pytest.raises(Stopped):
        fetch_model(spec, hub, stop)
    part = spec.sources["pipeline"].place / "part" / "model.safetensors.part"
    have = part.stat().st_size
    assert have > 0
    assert in_place(spec).state == "missing"
    hub_files.requests.clear()
    hub_files.break_after = None
    fetch_model(spec, hub, quiet)
    assert asked(hub_files)[0][1] == f"bytes={have}-"
    assert (part.parent / "model.safetensors").read_bytes() == LARGE


def test_files_fetched_before_a_stop_are_not_fetched_again(spec: ModelSpec, hub: Hub, hub_files: StandIn) -> None:
    hub_files.files["zz.json"] = b"[]"

    def stop(name: str, _done: int, _total: int | None) -> None:
        if name == "zz.json":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch_model(spec, hub, stop)
    assert (in_place(spec).have, in_place(spec).wanted) == (4, 5)
    assert fetch_model(spec, hub, quiet) == ["zz.json"]


def test_a_server_without_ranges_starts_over(spec: ModelSpec, hub: Hub, hub_files: StandIn) -> None:
    place = spec.sources["pipeline"].place
    hub_files.break_after = 110_000
    hub_files.ranges = False
    with pytest.raises(FetchError):
        fetch_model(spec, hub, quiet)
    hub_files.break_after = None
    fetch_model(spec, hub, quiet)
    assert (place / "part" / "model.safetensors").read_bytes() == LARGE


def test_half_a_file_of_another_state_is_thrown_away(spec: ModelSpec, hub: Hub, hub_files: StandIn) -> None:
    part = spec.sources["pipeline"].place / "part" / "model.safetensors.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * 1000)
    fetch_model(spec, hub, quiet)
    assert asked(hub_files) == [(f"/someone/model/resolve/{COMMIT}/part/model.safetensors", None)]


def test_wrong_bytes_are_thrown_away_and_said(spec: ModelSpec, hub: Hub, hub_files: StandIn) -> None:
    wrong = with_source(spec, include=(), file="part/model.safetensors", sha256="0" * 64)
    with pytest.raises(FetchError, match="checksum"):
        fetch_model(wrong, hub, quiet)
    folder = wrong.sources["pipeline"].folder
    assert [file.name for file in folder.rglob("*model*")] == []
    assert in_place(wrong).state == "missing"
    right = with_source(wrong, sha256=hashlib.sha256(LARGE).hexdigest(), bytes=len(LARGE))
    assert fetch_model(right, hub, quiet) == ["part/model.safetensors"]
    assert right.sources["pipeline"].place.read_bytes() == LARGE


def test_changed_small_files_are_found_by_their_blob(spec: ModelSpec, hub: Hub, hub_files: StandIn) -> None:
    listed = hub_files._entry
    hub_files._entry = lambda name: {**listed(name), "oid": "0" * 40} if name == "config.json" else listed(name)  # type: ignore[method-assign]
    with pytest.raises(FetchError, match="checksum"):
        fetch_model(spec, hub, quiet)


def test_what_somebody_put_there_is_taken_when_it_is_the_same(spec: ModelSpec, hub: Hub, hub_files: StandIn) -> None:
    file = spec.sources["pipeline"].place / "part" / "model.safetensors"
    file.parent.mkdir(parents=True)
    file.write_bytes(LARGE)
    assert "part/model.safetensors" not in fetch_model(spec, hub, quiet)
    assert asked(hub_files) == []
    assert in_place(spec).state == "in_place"


def test_only_the_folder_that_is_named_is_fetched(spec: ModelSpec, hub: Hub) -> None:
    inside = with_source(spec, subfolder="part", include=("*.safetensors", "config.json"))
    assert sorted(fetch_model(inside, hub, quiet)) == ["part/config.json", "part/model.safetensors"]
    assert (inside.sources["pipeline"].place / "model.safetensors").is_file()


@pytest.mark.parametrize(("statuses", "works"), [([503, 502], True), ([429], True), ([503] * 9, False), ([404], False)])
def test_refusals_are_tried_again_when_it_can_help(
    statuses: list[int], works: bool, spec: ModelSpec, hub: Hub, hub_files: StandIn
) -> None:
    hub_files.answers = list(statuses)
    if works:
        assert len(fetch_model(spec, hub, quiet)) == 4
    else:
        with pytest.raises(FetchError):
            fetch_model(spec, hub, quiet)


def test_the_token_stays_with_the_hub(spec: ModelSpec, hub_files: StandIn) -> None:
    content = StandIn(dict(FILES))
    hub_files.token, hub_files.elsewhere = "hf_secret", content.endpoint
    without, hub = Hub(hub_files.endpoint, pause=0.001), Hub(hub_files.endpoint, "hf_secret", pause=0.001)
    try:
        with pytest.raises(FetchError, match="accept the licence"):
            fetch_model(spec, without, quiet)
        assert len(fetch_model(spec, hub, quiet)) == 4
        assert {token for _, _, token in content.requests} == {None}
    finally:
        without.close()
        hub.close()
        content.close()


def test_a_hub_that_is_not_there_is_said(spec: ModelSpec, hub_files: StandIn) -> None:
    gone = StandIn({})
    hub = Hub(gone.endpoint, pause=0.001)
    gone.close()
    with pytest.raises(FetchError, match="cannot be reached"):
        fetch_model(spec, hub, quiet)
    hub.close()


def test_too_little_space_is_said_before_a_byte_is_fetched(
    spec: ModelSpec, hub: Hub, hub_files: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(spec.sources["pipeline"].folder.parent)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(FetchError, match=r"0 MB are needed and 0 MB are free"):
        fetch_model(spec, hub, quiet)
    assert asked(hub_files) == []


def test_two_do_not_fetch_the_same(spec: ModelSpec, hub: Hub) -> None:
    folder = spec.sources["pipeline"].folder
    folder.mkdir(parents=True)
    with (folder / "fetch.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert in_place(spec).state == "fetching"
        with pytest.raises(FetchError, match="already"):
            fetch_model(spec, hub, quiet)
    assert in_place(spec).state == "missing"
    fetch_model(spec, hub, quiet)


def test_a_file_by_its_address_is_checked_against_the_settings(spec: ModelSpec, hub: Hub, hub_files: StandIn) -> None:
    url = f"{hub_files.endpoint}/content/part/model.safetensors"
    one = with_source(
        spec, repo=None, url=url, file="one.safetensors", bytes=len(LARGE), sha256=hashlib.sha256(LARGE).hexdigest()
    )
    assert fetch_model(one, hub, quiet) == ["one.safetensors"]
    assert in_place(one).state == "in_place"
    assert one.sources["pipeline"].place.read_bytes() == LARGE


def test_an_address_that_wants_an_account_is_said_with_what_helps(
    spec: ModelSpec, hub: Hub, hub_files: StandIn, tmp_path: Path
) -> None:
    elsewhere = StandIn({"one.safetensors": LARGE})
    sha256 = hashlib.sha256(LARGE).hexdigest()
    address = f"{elsewhere.endpoint}/content/one.safetensors"
    one = with_source(spec, repo=None, url=address, file="one.safetensors", bytes=len(LARGE), sha256=sha256)
    elsewhere.answers = [401]
    place = tmp_path / "weights" / "one.safetensors"
    with pytest.raises(FetchError, match=re.escape(f"put it there as {place};")):
        fetch_model(one, hub, quiet)
    place.write_bytes(LARGE)
    assert fetch_model(one, hub, quiet) == []
    assert in_place(one).state == "in_place"
    elsewhere.close()


def test_fetched_weights_are_loaded(
    tiny: dict[str, ModelSpec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tiny["flux"].sources["pipeline"].place
    files = [file for file in folder.rglob("*") if file.is_file()]
    stand_in = StandIn({str(file.relative_to(folder)): file.read_bytes() for file in files})
    monkeypatch.setenv("HF_ENDPOINT", stand_in.endpoint)
    monkeypatch.setenv("SAFELIGHT_FLUX_PIPELINE", "someone/model")
    try:
        assert fetch.run("flux", tmp_path / "weights", None) == 0
    finally:
        stand_in.close()
    told = capsys.readouterr().out
    assert "Non-Commercial" in told and "100 %" in told and "All files are in place." in told
    spec = fetch.read_settings(tmp_path / "weights")["flux"]
    assert family_named("flux").modes(spec) == {"txt2img": None, "img2img": None}
    from heard import Heard

    family_named("flux").load(spec, Placement(), Heard()).unload()


def test_the_command_tells_what_went_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], hub_files: StandIn
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", hub_files.endpoint)
    assert fetch.run("flux", tmp_path / "weights", None) == 1
    assert "no such repository" in capsys.readouterr().err
    assert fetch.run("flux", tmp_path / "weights", tmp_path / "missing.toml") == 1
    assert "settings file" in capsys.readouterr().err


def test_progress_on_a_stream_is_a_line_every_ten_percent() -> None:
    stream = io.StringIO()
    lines = Lines(stream)
    for done in range(1001):
        lines("model.safetensors", done * 1_000_000, 1_000_000_000)
    assert 10 <= len(stream.getvalue().splitlines()) <= 12
    assert stream.getvalue().splitlines()[-1].startswith("model.safetensors: 100 %, 1.0 GB of 1.0 GB")


def test_sources_that_lie_here_are_seen(tmp_path: Path, spec: ModelSpec, hub: Hub) -> None:
    here: Callable[[Path], ModelSpec] = lambda place: with_source(spec, path=place)  # noqa: E731
    assert in_place(here(tmp_path / "nothing")).state == "missing"
    (tmp_path / "folder").mkdir()
    assert in_place(here(tmp_path / "folder")).state == "missing"
    (tmp_path / "folder" / "model_index.json").touch()
    assert in_place(here(tmp_path / "folder")).state == "in_place"
    assert fetch_model(here(tmp_path / "folder"), hub, quiet) == []
