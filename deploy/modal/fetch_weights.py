"""Gets weights onto the volume that workers on Modal read: `modal run deploy/modal/fetch_weights.py --model flux`.

An app of its own, so that a token of the hub (HF_TOKEN, for gated models) is with this one run and with nothing that
stays deployed. Goes on where it was broken off.
"""

import os
from pathlib import Path

import modal

WEIGHTS = Path("/weights")

app = modal.App("safelight-fetch")
if modal.is_local():
    worker = Path(__file__).resolve().parents[2] / "worker"
    image = (
        modal.Image.debian_slim(python_version="3.11")
        .pip_install_from_requirements(str(worker / "requirements.txt"), extra_options="--no-deps --require-hashes")
        .env({"PYTHONPATH": "/app"})
        .add_local_dir(worker / "safelight_worker", "/app/safelight_worker", ignore=["**/__pycache__"])
    )
    tokens = [modal.Secret.from_local_environ(["HF_TOKEN"])] if "HF_TOKEN" in os.environ else []
else:
    image, tokens = modal.Image.debian_slim(), []
weights = modal.Volume.from_name("safelight-weights", create_if_missing=True)


@app.function(image=image, secrets=tokens, volumes={str(WEIGHTS): weights}, timeout=24 * 3600)
def fetch(model):
    from safelight_worker.fetch import run

    try:
        return run(model, WEIGHTS, None)
    finally:
        # What has come so far stays, also when it was broken off.
        weights.commit()


@app.local_entrypoint()
def main(model: str):
    """`model`: pony, flux, phr00t or anisora."""
    raise SystemExit(fetch.remote(model))
