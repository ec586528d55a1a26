"""Gets the weights of a model: with progress, going on where it was broken off, and with every file checked.

A file lies under its name only when its length and checksum were right. What has been fetched is noted in a manifest
beside it, so that it can be said later, without reading gigabytes, whether all is in place. Imports no torch.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Protocol

import httpx

from safelight_worker import hub_token
from safelight_worker.hub import FetchError, Hub, Remote, refuse
from safelight_worker.in_place import LOCK, MANIFEST, in_place, manifest_of, read_json, write_json
from safelight_worker.lock import LOCK_FILE, Locked, forget, held, learn, locked
from safelight_worker.memory import gigabytes
from safelight_worker.settings import ModelSpec, SettingsError, Source, read_settings

CHUNK = 1 << 20


class Progress(Protocol):
    """Who is told how far a file is."""

    def __call__(self, name: str, done: int, total: int | None) -> None:
        """`done` of `total` bytes of the file are here."""


def fetch_model(spec: ModelSpec, hub: Hub, progress: Progress, renew: bool = False) -> list[str]:
    """Fetches what a model lacks and returns the names of the files that were fetched.

    The first fetch is trusted and later ones must bring the same (see lock.py); `renew` trusts what is there now.
    FetchError when it cannot be done, another process fetches the same, or there is too little space for all of it.
    """
    wanted = [source for source in spec.sources.values() if source.named and source.path is None]
    fetched: list[str] = []
    for source in wanted:
        source.folder.mkdir(parents=True, exist_ok=True)
        with _alone(source.folder):
            if renew:
                forget(source)
            fetched += _fetch_source(source, hub, progress)
    return fetched


def _fetch_source(source: Source, hub: Hub, progress: Progress) -> list[str]:
    known = locked(source)
    commit, listed = _listed(source, hub, known)
    if not listed:
        raise FetchError(f"The hub has no file for {source.name}.")
    remotes = [held(known, remote) for remote in listed]
    noted = dict(manifest_of(source.folder).get("files", {}))
    wanted = {remote.name: remote for remote in remotes}
    here = {
        name: noted[name] for name, remote in wanted.items() if _is_there(source.folder / name, remote, noted.get(name))
    }
    here |= _adopted(source.folder, {name: remote for name, remote in wanted.items() if name not in here})
    missing = [remote for name, remote in wanted.items() if name not in here]
    _refuse_without_space(source.folder, missing)
    manifest = {**_origin(source), "commit": commit, "wanted": list(wanted), "files": here}
    learnt = dict(known.files if known is not None else {}) | here
    write_json(source.folder / MANIFEST, manifest)
    # Before the first byte: going on later must mean the same commit.
    learn(source, commit, learnt)
    for remote in missing:
        here[remote.name] = learnt[remote.name] = _fetch_file(source.folder / remote.name, remote, hub, progress)
        write_json(source.folder / MANIFEST, manifest)
        learn(source, commit, learnt)
    return [remote.name for remote in missing]


def _listed(source: Source, hub: Hub, known: Locked | None) -> tuple[str, list[Remote]]:
    """The commit and the files of a source: of the commit that was found the first time, if there was one."""
    if source.url is not None:
        if source.file is None:
            raise FetchError(f"The settings name no file for {source.name}.")
        return "", [Remote(source.file, source.url, source.bytes, source.sha256)]
    commit = known.commit if known is not None else hub.commit(str(source.repo), source.revision)
    try:
        return commit, [_pinned(source, remote) for remote in hub.files(source, commit)]
    except FetchError as error:
        if known is None or error.again:
            raise
        raise FetchError(
            f"{error} That is of the commit that was fetched the first time; --renew takes today's."
        ) from error


def _adopted(folder: Path, remotes: Mapping[str, Remote]) -> dict[str, dict[str, Any]]:
    """Files that somebody put here: taken when they are exactly what would be fetched."""
    taken = {}
    for name, remote in remotes.items():
        file = folder / name
        if file.is_file() and remote.size == file.stat().st_size and (remote.sha256 or remote.git):
            noted = hashed(file, remote.git is not None)
            if _fits(noted, remote):
                taken[name] = noted
    return taken


def _pinned(source: Source, remote: Remote) -> Remote:
    """What the settings say about a file wins over what the hub says."""
    if source.file is None or (source.bytes is None and source.sha256 is None):
        return remote
    return Remote(remote.name, remote.url, source.bytes or remote.size, source.sha256 or remote.sha256, remote.git)


def _is_there(file: Path, remote: Remote, noted: Mapping[str, Any] | None) -> bool:
    if noted is None or not file.is_file() or file.stat().st_size != noted.get("bytes"):
        return False
    return _fits(noted, remote)


def _refuse_without_space(folder: Path, remotes: list[Remote]) -> None:
    begun = sum(part.stat().st_size for remote in remotes if (part := _part_of(folder / remote.name)).is_file())
    needed = sum(remote.size or 0 for remote in remotes) - begun
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise FetchError(f"Not enough space: {gigabytes(needed)} are needed and {gigabytes(free)} are free.")


def _part_of(file: Path) -> Path:
    return file.with_name(f"{file.name}.part")


def _fetch_file(file: Path, remote: Remote, hub: Hub, progress: Progress) -> dict[str, Any]:
    """One file, in as many tries as it takes while every try brings something."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part, attempt = _part_of(file), 0
    _forget_foreign(part, remote)
    while True:
        before = part.stat().st_size if part.is_file() else 0
        attempt += 1
        try:
            _transfer(part, remote, hub, progress)
            break
        except (httpx.HTTPError, FetchError) as error:
            if part.is_file() and part.stat().st_size > before:
                attempt = 1
            hub.rest_or_raise(error, attempt)
        except OSError as error:
            raise FetchError(f"{file.name} cannot be written: {error.strerror}.") from error
    noted = _checked(part, remote)
    with part.open("rb") as stream:
        os.fsync(stream.fileno())
    part.replace(file)
    _identity_of(part).unlink(missing_ok=True)
    return noted


def _identity_of(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _forget_foreign(part: Path, remote: Remote) -> None:
    """A half-fetched file is gone on with only when it is certain to be the same one."""
    identity = {"size": remote.size, "sha256": remote.sha256, "git": remote.git, "url": remote.url}
    if part.is_file() and read_json(_identity_of(part)) != identity:
        part.unlink()
    write_json(_identity_of(part), identity)


def _transfer(part: Path, remote: Remote, hub: Hub, progress: Progress) -> None:
    have = part.stat().st_size if part.is_file() else 0
    if remote.size is not None and have > remote.size:
        part.unlink()
        have = 0
    if remote.size is not None and have == remote.size and have > 0:
        return
    headers = {**hub.headers(remote.url), "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    with hub.client.stream("GET", remote.url, headers=headers) as answer:
        if answer.status_code == 416:
            part.unlink(missing_ok=True)
            raise FetchError("The hub does not have the rest of a file.", again=True)
        if not hub.owns(remote.url) and answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise FetchError(
                f"{httpx.URL(remote.url).host} gives the file to those alone who have an account there. "
                f"Get it with one and put it there as {part.with_suffix('')}; the same command then checks it."
            )
        refuse(answer)
        goes_on = answer.status_code == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        have = have if goes_on else 0
        total = remote.size if remote.size is not None else _length(answer, have)
        with part.open("ab" if goes_on else "wb") as stream:
            for chunk in answer.iter_raw():
                stream.write(chunk)
                have += len(chunk)
                progress(remote.name, have, total)
        if total is not None and have < total:
            raise FetchError(f"{Path(remote.name).name} broke off.", again=True)


def _length(answer: httpx.Response, have: int) -> int | None:
    length = answer.headers.get("Content-Length")
    return have + int(length) if length and length.isdigit() else None


def _checked(part: Path, remote: Remote) -> dict[str, Any]:
    """What is noted of a file after its length and hash were right. FetchError, and the file gone, otherwise."""
    noted = hashed(part, remote.git is not None)
    if not _fits(noted, remote):
        part.unlink()
        _identity_of(part).unlink(missing_ok=True)
        name = Path(remote.name).name
        raise FetchError(f"{name} does not have the checksum that it should have and was thrown away. Try again.")
    return noted


def hashed(file: Path, with_git: bool = False) -> dict[str, Any]:
    """Length and hashes of a file; `git` is the hash of its blob."""
    size = file.stat().st_size
    sha256, git = hashlib.sha256(), hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            sha256.update(chunk)
            if with_git:
                git.update(chunk)
    noted: dict[str, Any] = {"bytes": size, "sha256": sha256.hexdigest()}
    return {**noted, "git": git.hexdigest()} if with_git else noted


def _fits(noted: Mapping[str, Any], remote: Remote) -> bool:
    if remote.size is not None and noted["bytes"] != remote.size:
        return False
    if remote.sha256 is not None:
        return bool(noted["sha256"] == remote.sha256)
    return remote.git is None or bool(noted.get("git") == remote.git)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[IO[str]]:
    with (folder / LOCK).open("w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise FetchError("These weights are being fetched already.") from error
        yield lock


def _origin(source: Source) -> dict[str, Any]:
    return {"repo": source.repo, "revision": source.revision, "url": source.url}


class Lines:
    """Tells progress on a stream: one line a file that is written over on a terminal, else a line every ten percent."""

    def __init__(self, stream: IO[str]) -> None:
        self.stream = stream
        self.terminal = stream.isatty()
        self.name = ""
        self.share = -1
        self.began = (0.0, 0)

    def __call__(self, name: str, done: int, total: int | None) -> None:
        """See Progress."""
        now = time.monotonic()
        if name != self.name:
            self.name, self.share, self.began = name, -1, (now, done)
        share = done * 100 // total if total else 0
        if share == self.share or (not self.terminal and share // 10 == self.share // 10 and done != total):
            return
        self.share = share
        pace = (done - self.began[1]) / max(now - self.began[0], 1e-3)
        of = f" of {gigabytes(total)}" if total else ""
        line = f"{name}: {share} %, {gigabytes(done)}{of}, {gigabytes(int(pace))}/s"
        ending = "\n" if not self.terminal or done == total else "\r"
        print(line.ljust(79) if self.terminal else line, end=ending, file=self.stream, flush=True)


def _refuse_strong_token(hub: Hub) -> None:
    """FetchError for a token that can do more than read: it is not needed, and where it is used it can be lost."""
    if not hub.token:
        return
    verdict = hub_token.ask(hub)
    reason = hub_token.refusal(verdict, os.environ)
    if reason is not None:
        raise FetchError(reason)
    if verdict == "unknown":
        print("safelight-worker: what HF_TOKEN may do cannot be found out; it is used all the same", file=sys.stderr)


def run(model: str, weights: Path, settings: Path | None, renew: bool = False) -> int:
    """The command: fetches a model and tells its licence. The exit code; what went wrong is told on stderr."""
    try:
        spec = read_settings(weights.resolve(), settings)[model]
        print(f"{model}: {spec.licence}\n  {spec.licence_link}")
        hub = Hub(os.environ.get("HF_ENDPOINT"), os.environ.get("HF_TOKEN"))
        try:
            _refuse_strong_token(hub)
            fetched = fetch_model(spec, hub, Lines(sys.stdout), renew)
        finally:
            hub.close()
    except (FetchError, SettingsError) as error:
        print(f"safelight-worker: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"safelight-worker: the folder for weights cannot be used: {error.strerror}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("safelight-worker: stopped; the same command goes on from here", file=sys.stderr)
        return 130
    if not fetched:
        print(f"{model}: nothing to fetch")
        return 0
    print(f"{model}: {len(fetched)} files fetched, {in_place(spec).detail}")
    print(f"{model}: commits and checksums stand in {weights / model / LOCK_FILE}; later fetches must bring the same")
    return 0
