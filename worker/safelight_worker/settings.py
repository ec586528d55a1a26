"""Which weights a model needs, where they come from and where they lie. Read by both processes: imports no torch."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

Option = float | str | bool

_HUB_ID = re.compile(r"^([A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(?:@([\w.-]+))?$")
_SHA256 = re.compile(r"^[0-9a-f]{64}$")


class SettingsError(Exception):
    """The settings cannot be used; the text says where and why."""


@dataclass(frozen=True)
class Source:
    """One place that weights come from: files of a hub's repository, one file of an address, or what lies here already.

    `folder` is where fetched files are put. `bytes` and `sha256` belong to `file`, None when not known beforehand.
    """

    name: str
    folder: Path
    repo: str | None = None
    revision: str = "main"
    url: str | None = None
    subfolder: str | None = None
    include: tuple[str, ...] = ()
    file: str | None = None
    bytes: int | None = None
    sha256: str | None = None
    path: Path | None = None
    optional: bool = False

    @property
    def named(self) -> bool:
        """Whether anything is named at all; an optional source may be empty."""
        return self.path is not None or self.repo is not None or self.url is not None

    @property
    def place(self) -> Path:
        """The folder or file that the loader reads, whether it is there or not."""
        if self.path is not None:
            return self.path
        if self.file is not None:
            return self.folder / self.file
        return self.folder / self.subfolder if self.subfolder else self.folder


@dataclass(frozen=True)
class ModelSpec:
    """What the settings say about one model."""

    model: str
    licence: str
    licence_link: str
    gated: bool
    sources: Mapping[str, Source]
    options: Mapping[str, Option]

    def source(self, name: str) -> Source | None:
        """A source that is named in the settings, None for an unnamed optional one."""
        found = self.sources.get(name)
        return found if found is not None and found.named else None

    def number(self, name: str, otherwise: float) -> float:
        """A numeric option. SettingsError when it is something else."""
        value = self.options.get(name, otherwise)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise SettingsError(f"{self.model}.options.{name} is not a number")
        return float(value)


def read_settings(
    weights: Path, override: Path | None = None, environment: Mapping[str, str] | None = None
) -> dict[str, ModelSpec]:
    """The settings of every model by its catalog id.

    `weights` is the folder for fetched files. `override` is a TOML file in the shape of models.toml, whose entries win;
    SAFELIGHT_<MODEL>_<SOURCE> in the environment (default: the process's own) wins over both. SettingsError for
    anything that cannot be meant.
    """
    shipped = tomllib.loads((Path(__file__).parent / "models.toml").read_text("utf-8"))
    table = shipped if override is None else _merged(shipped, _read(override))
    unknown = set(table) - set(shipped)
    if unknown:
        raise SettingsError(f"There is no model {sorted(unknown)[0]!r}")
    environment = os.environ if environment is None else environment
    return {model: _spec(model, entry, weights, environment) for model, entry in table.items()}


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"The settings file cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise SettingsError(f"The settings file is no TOML: {error}") from error


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for key, value in above.items():
        old = result.get(key)
        result[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result


def _spec(model: str, entry: object, weights: Path, environment: Mapping[str, str]) -> ModelSpec:
    if not isinstance(entry, dict):
        raise SettingsError(f"{model} is not a table")
    unknown = set(entry) - {"licence", "licence_link", "gated", "sources", "options"}
    if unknown:
        raise SettingsError(f"{model} has no setting {sorted(unknown)[0]!r}")
    sources = {
        name: _source(f"{model}.{name}", name, fields, weights / model / name)
        for name, fields in entry.get("sources", {}).items()
    }
    for name, source in sources.items():
        elsewhere = environment.get(f"SAFELIGHT_{model}_{name}".upper())
        if elsewhere:
            sources[name] = _moved(source, elsewhere)
    return ModelSpec(
        model,
        str(entry["licence"]),
        str(entry["licence_link"]),
        bool(entry.get("gated")),
        sources,
        entry.get("options", {}),
    )


def _source(where: str, name: str, fields: object, folder: Path) -> Source:
    if not isinstance(fields, dict):
        raise SettingsError(f"{where} is not a table")
    texts, wholes = {"repo", "revision", "url", "subfolder", "file", "sha256", "path"}, {"bytes"}
    for key, value in fields.items():
        fits = (
            (key in texts and isinstance(value, str))
            or (key in wholes and isinstance(value, int))
            or (key == "optional" and isinstance(value, bool))
            or (key == "include" and isinstance(value, list) and all(isinstance(pattern, str) for pattern in value))
        )
        if not fits:
            raise SettingsError(f"{where} has no setting {key!r}, or not with this value")
    if (repo := fields.get("repo")) is not None and not _HUB_ID.match(repo):
        raise SettingsError(f"{where}.repo is not owner/name")
    if (sha256 := fields.get("sha256")) is not None and not _SHA256.match(sha256):
        raise SettingsError(f"{where}.sha256 is not 64 lower-case hex digits")
    for key in ("file", "subfolder"):
        if ".." in Path(fields.get(key, "")).parts or Path(fields.get(key, "")).is_absolute():
            raise SettingsError(f"{where}.{key} leads out of its folder")
    given = dict(fields)
    given["include"] = tuple(given.get("include", ()))
    given["path"] = Path(given["path"]).expanduser() if "path" in given else None
    return Source(name=name, folder=folder, **given)


def _moved(source: Source, elsewhere: str) -> Source:
    """The same source, but where somebody says: on this machine if it is there, else a repository of the hub."""
    path = Path(elsewhere).expanduser()
    hub = _HUB_ID.match(elsewhere)
    if hub is None or path.exists():
        return replace(source, path=path, repo=None, url=None)
    bare = replace(source, path=None, url=None, repo=hub[1], revision=hub[2] or "main")
    return bare if hub[1] == source.repo else replace(bare, sha256=None, bytes=None)
