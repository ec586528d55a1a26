"""What the first fetch of a model brought, so that later ones bring the same or say so. Imports no torch.

Many repositories are named by a branch, which moves. The first fetch is trusted: the commit that it found and the
checksum of every file are written to `weights-lock.json` beside the weights. Later fetches ask for that commit and want
those checksums.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from safelight_worker.hub import FetchError, Remote
from safelight_worker.in_place import read_json, write_json
from safelight_worker.settings import Source

LOCK_FILE = "weights-lock.json"


@dataclass(frozen=True)
class Locked:
    """What is known of a source. `commit` is empty for a file of an address; `files`: bytes and sha256 by name."""

    commit: str
    files: Mapping[str, Mapping[str, Any]]


def lock_file(source: Source) -> Path:
    """Where the lock of the source's model lies."""
    return source.folder.parent / LOCK_FILE


def locked(source: Source) -> Locked | None:
    """What was learnt of a source, None before its first fetch and when the settings name another place since.

    FetchError for a file that cannot be read: what it protected must not be forgotten without a word.
    """
    entry = _read(source).get(source.name)
    if entry is None or entry.get("origin") != _origin(source):
        return None
    return Locked(entry["commit"], entry["files"])


def learn(source: Source, commit: str, files: Mapping[str, Mapping[str, Any]]) -> None:
    """Writes down what a fetch has brought so far."""
    entries = _read(source)
    kept = {name: {"bytes": noted["bytes"], "sha256": noted["sha256"]} for name, noted in sorted(files.items())}
    entries[source.name] = {"origin": _origin(source), "commit": commit, "files": kept}
    write_json(lock_file(source), {"version": 1, "sources": dict(sorted(entries.items()))})


def forget(source: Source) -> None:
    """Lets the next fetch learn anew."""
    entries = _read(source)
    if entries.pop(source.name, None) is not None:
        write_json(lock_file(source), {"version": 1, "sources": entries})


def held(known: Locked | None, remote: Remote) -> Remote:
    """The file with the length and checksum that it had the first time. FetchError when it is another one now."""
    noted = None if known is None else known.files.get(remote.name)
    if noted is None:
        return remote
    other_size = remote.size is not None and remote.size != noted["bytes"]
    other_content = remote.sha256 is not None and remote.sha256 != noted["sha256"]
    if other_size or other_content:
        raise FetchError(
            f"{remote.name} is not the file that was fetched the first time ({LOCK_FILE}). "
            "If the change is meant, fetch with --renew."
        )
    return replace(remote, size=noted["bytes"], sha256=noted["sha256"])


def _read(source: Source) -> dict[str, Any]:
    file = lock_file(source)
    if not file.exists():
        return {}
    found = read_json(file)
    if not isinstance(found, dict) or not isinstance(found.get("sources"), dict):
        raise FetchError(f"{file} cannot be read. Put it back, or remove it to trust the next fetch anew.")
    return dict(found["sources"])


def _origin(source: Source) -> dict[str, Any]:
    """What the settings say; when they say something else, somebody has decided anew."""
    if source.url is not None:
        return {"url": source.url, "file": source.file, "sha256": source.sha256}
    return {"repo": source.repo, "revision": source.revision, "file": source.file, "sha256": source.sha256}
