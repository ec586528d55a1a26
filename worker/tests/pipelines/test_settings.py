"""Which weights, from where: the file that comes along, a file over it, and the environment over both."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from safelight_worker.settings import SettingsError, read_settings

CATALOG = json.loads((Path(__file__).parents[3] / "catalog" / "inference_settings.json").read_text("utf-8"))


def test_every_model_of_the_catalog_has_weights_and_a_licence(tmp_path: Path) -> None:
    specs = read_settings(tmp_path, environment={})
    assert sorted(specs) == sorted(entry["id"] for entry in CATALOG["models"])
    for model, spec in specs.items():
        assert spec.licence and spec.licence_link.startswith("https://")
        assert any(source.named for source in spec.sources.values())
        for source in spec.sources.values():
            assert source.named or source.optional
            assert source.folder == tmp_path / model / source.name
            assert source.repo is None or source.file or source.include


def test_large_files_are_pinned_by_checksum(tmp_path: Path) -> None:
    specs = read_settings(tmp_path, environment={})
    for model in ("pony", "phr00t"):
        source = specs[model].sources["checkpoint"]
        assert source.sha256 is not None and len(source.sha256) == 64
        assert source.bytes is not None and source.bytes > 6_000_000_000
        assert source.file is not None and source.place == source.folder / source.file


def test_a_file_overrides_single_entries(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    lines = ("[anisora.sources.t2v]", 'repo = "someone/t2v"', "[anisora.options]", "shift = 7")
    file.write_text("\n".join((*lines, "[pony.sources.checkpoint]", 'path = "/x/y"')), "utf-8")
    specs = read_settings(tmp_path, file, environment={})
    source = specs["anisora"].source("t2v")
    assert source is not None and source.repo == "someone/t2v"
    assert specs["anisora"].number("shift", 5.0) == 7
    assert specs["anisora"].number("boundary", 0.1) == 0.9
    assert specs["pony"].sources["checkpoint"].place == Path("/x/y")
    assert specs["flux"] == read_settings(tmp_path, environment={})["flux"]


def test_the_environment_says_where_a_source_lies(tmp_path: Path) -> None:
    file = tmp_path / "pony.safetensors"
    file.touch()
    environment = {
        "SAFELIGHT_PONY_CHECKPOINT": str(file),
        "SAFELIGHT_FLUX_PIPELINE": "someone/flux@v2",
        "SAFELIGHT_ANISORA_TRANSFORMER_2": "/not/there",
    }
    specs = read_settings(tmp_path, environment=environment)
    assert specs["pony"].sources["checkpoint"].place == file
    assert specs["pony"].sources["checkpoint"].url is None
    flux = specs["flux"].sources["pipeline"]
    assert (flux.repo, flux.revision) == ("someone/flux", "v2")
    assert specs["anisora"].sources["transformer_2"].place == Path("/not/there")


@pytest.mark.parametrize(
    "text",
    [
        "pony = 3",
        "[sketch]\nlicence = 'x'",
        "[pony]\nlicense = 'x'",
        "[pony.sources.checkpoint]\nfile = '../x'",
        "[pony.sources.checkpoint]\nfile = '/x'",
        "[pony.sources.checkpoint]\nsha256 = 'ABC'",
        "[pony.sources.checkpoint]\nrepo = 'no repository'",
        "[pony.sources.checkpoint]\nbytes = 'many'",
        "[pony.sources.checkpoint]\ncolour = 'red'",
        "[pony.sources]\ncheckpoint = 1",
        "[[[",
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(SettingsError):
        read_settings(tmp_path, file, environment={})


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        read_settings(tmp_path, tmp_path / "missing.toml", environment={})


def test_options_are_numbers_where_numbers_are_needed(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[flux.options]\nfixed_shift = 'high'\n", "utf-8")
    with pytest.raises(SettingsError):
        read_settings(tmp_path, file, environment={})["flux"].number("fixed_shift", 3.0)


def test_every_repository_is_pinned_by_a_commit_and_every_address_by_a_checksum(tmp_path: Path) -> None:
    for spec in read_settings(tmp_path, environment={}).values():
        for source in spec.sources.values():
            if source.repo is not None:
                assert len(source.revision) == 40, f"{spec.model}.{source.name}"
            if source.url is not None:
                assert source.sha256 is not None, f"{spec.model}.{source.name}"
