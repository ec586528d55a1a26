"""Runs the modal command, or another script, and ends with the server that started it.

Descriptor 3 is a pipe whose other end only the server holds. It closes with the server, even when that was killed, and then
the whole process group goes: a deploy that nobody follows any more must not go on with somebody's credentials.
Usage: lifeline.py modal ARGUMENT... | lifeline.py SCRIPT
"""

import importlib.util
import os
import runpy
import signal
import sys
import threading


def end_with_the_server() -> None:
    while os.read(3, 1):
        pass
    os.killpg(0, signal.SIGKILL)


if importlib.util.find_spec("modal") is None:
    sys.exit(91)
os.set_inheritable(3, False)
threading.Thread(target=end_with_the_server, daemon=True).start()
sys.argv = sys.argv[1:]
if sys.argv[0] == "modal":
    runpy.run_module("modal", run_name="__main__", alter_sys=True)
else:
    runpy.run_path(sys.argv[0], run_name="__main__")
