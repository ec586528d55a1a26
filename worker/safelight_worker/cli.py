"""The command `safelight-worker`: `serve`, `fetch` and `verify`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from safelight_worker import __version__


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; the exit code. 1: it failed, with lines on stderr that a person can act on. 2: wrong usage."""
    options = _parser().parse_args(arguments)
    if options.command == "fetch":
        from safelight_worker.fetch import run

        return run(options.model, options.weights, options.settings, options.renew)
    if options.command == "verify":
        from safelight_worker.verify import run as verify

        return verify(options.model, options.weights, options.settings)
    from safelight_worker.serve import ServeOptions, StartupError, serve

    try:
        serve(
            ServeOptions(
                host=options.host,
                port=options.port,
                key_file=options.key_file,
                data=options.data,
                weights=options.weights,
                settings=options.settings,
                models=options.models,
                slots=options.slots,
                name=options.name,
                tiny=options.tiny,
                threads=options.threads,
                keep_hours=options.keep_hours,
            )
        )
    except StartupError as error:
        print(f"safelight-worker: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="safelight-worker", description="A GPU worker for Safelight gateways.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    _add_serve(commands.add_parser("serve", help="answer gateways until it is stopped"))
    fetch = commands.add_parser("fetch", help="get the weights of a model")
    fetch.add_argument(
        "--renew", action="store_true", help="take what is there now, not what was fetched the first time"
    )
    verify = commands.add_parser("verify", help="compare the weights of a model with what was fetched the first time")
    for command in (fetch, verify):
        command.add_argument("model", choices=("pony", "flux", "phr00t", "anisora"))
        _add_settings(command)
    return parser


def _add_serve(serve: argparse.ArgumentParser) -> None:
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s: this machine alone)")
    serve.add_argument("--port", type=_port, default=8700, help="port to listen on, 0 for any free one (%(default)s)")
    serve.add_argument("--key-file", type=Path, metavar="FILE", help="file with the worker key; made when missing")
    serve.add_argument("--data", type=Path, default=Path("worker-data"), help="folder for results (%(default)s)")
    serve.add_argument("--models", type=_names, metavar="NAMES", help="offer these alone, such as flux,pony")
    serve.add_argument("--slots", type=_count, default=1, help="tasks that run at once (%(default)s)")
    serve.add_argument("--name", default="worker", help="what the gateway shows (%(default)s)")
    serve.add_argument("--tiny", action="store_true", help="draw with tiny random weights: to try it, without a GPU")
    serve.add_argument("--threads", type=_count, help="processor threads of each model")
    serve.add_argument("--keep-hours", type=_count, default=24, help="how long results are kept (%(default)s)")
    _add_settings(serve)


def _add_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--weights", type=Path, metavar="FOLDER", default=Path("weights"), help="where weights lie (%(default)s)"
    )
    parser.add_argument("--settings", type=Path, metavar="FILE", help="settings of the models, in place of models.toml")


def _port(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 65535:
        raise ValueError
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
