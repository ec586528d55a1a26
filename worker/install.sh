#!/bin/sh
# Makes a Python environment that runs the GPU worker: sh worker/install.sh [FOLDER]  (gpu, in the current folder)
# torch comes first, in the exact version and the build that this machine's settings of pip take; everything else is
# checked against the hashes of the lists. What a card needs beside it is added where torch sees one.
# PYTHON names another Python than python3 (3.11 or newer).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-gpu}
python=${PYTHON:-python3}
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "Python 3.11 or newer is needed; name it in PYTHON." >&2
  exit 1
fi
if ! "$python" -m venv "$folder"; then
  echo "The environment could not be made (on Debian: apt install python3-venv)." >&2
  exit 1
fi
install() { "$folder/bin/python" -m pip install --quiet --no-input --disable-pip-version-check "$@"; }
echo "Installing torch into $folder (several gigabytes where it is built for cards) …"
install torch==2.13.0
echo "Installing the rest …"
install --no-deps --require-hashes -r "$here/requirements.txt"
if "$folder/bin/python" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then
  install --no-deps --require-hashes -r "$here/requirements-cuda.txt"
else
  echo "torch sees no graphics card here: the worker will run on the processor."
fi
# The package alone, from a copy: building leaves files beside it.
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -R "$here/pyproject.toml" "$here/safelight_worker" "$copy"
install --no-deps --no-build-isolation "$copy"
echo "Done: $folder/bin/safelight-worker --help"
