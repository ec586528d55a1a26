"""The GPU worker on Modal: `modal deploy deploy/modal/worker_app.py`. All that it does stands in safelight_worker.

Read from the environment of the deploy: SAFELIGHT_APP (name), SAFELIGHT_WORKER_KEY (the key that the gateway sends),
SAFELIGHT_GPU (such as L40S, or H100,A100-80GB for whichever is free first), SAFELIGHT_MAX_CONTAINERS,
SAFELIGHT_MIN_CONTAINERS. Nothing here runs a model or reads a weight when it is imported.
"""

import os
from pathlib import Path

import modal

MOUNTS = {"weights": Path("/weights"), "data": Path("/data")}
NAME = os.environ.get("SAFELIGHT_APP", "safelight")
CARDS = [card.strip() for card in os.environ.get("SAFELIGHT_GPU", "H100").split(",") if card.strip()]
MOST = int(os.environ.get("SAFELIGHT_MAX_CONTAINERS", "1"))
LEAST = int(os.environ.get("SAFELIGHT_MIN_CONTAINERS", "0"))
LONGEST_RUN = 3600
#: How long a container keeps its model after a run, in seconds.
STAYS_WARM = 300

app = modal.App(NAME)
if modal.is_local():
    worker = Path(__file__).resolve().parents[2] / "worker"
    image = (
        modal.Image.debian_slim(python_version="3.11")
        .pip_install("torch==2.13.0")
        .pip_install_from_requirements(str(worker / "requirements.txt"), extra_options="--no-deps --require-hashes")
        .pip_install_from_requirements(
            str(worker / "requirements-cuda.txt"), extra_options="--no-deps --require-hashes"
        )
        .env(
            {"PYTHONPATH": "/app", "HF_HUB_OFFLINE": "1", "SAFELIGHT_APP": NAME, "SAFELIGHT_MAX_CONTAINERS": str(MOST)}
        )
        .add_local_dir(worker / "safelight_worker", "/app/safelight_worker", ignore=["**/__pycache__"])
    )
    # The key reaches the serving container alone, as a secret of this app.
    secrets = [modal.Secret.from_local_environ(["SAFELIGHT_WORKER_KEY"])]
else:
    image, secrets = modal.Image.debian_slim(), []
# One volume of weights for every worker of a workspace; what is made belongs to the one app.
weights = modal.Volume.from_name("safelight-weights", create_if_missing=True)
data = modal.Volume.from_name(f"{NAME}-data", create_if_missing=True)
shared = modal.Dict.from_name(f"{NAME}-runs", create_if_missing=True)
volumes = {str(MOUNTS["weights"]): weights, str(MOUNTS["data"]): data}


def specs():
    """The settings of every model, with weights on the volume."""
    from safelight_worker.settings import read_settings

    return read_settings(MOUNTS["weights"])


@app.cls(
    image=image,
    gpu=CARDS,
    volumes=volumes,
    timeout=LONGEST_RUN,
    startup_timeout=1200,
    scaledown_window=STAYS_WARM,
    min_containers=LEAST,
    max_containers=MOST,
)
class Model:
    """A container that holds one model."""

    name: str = modal.parameter()

    @modal.enter()
    def prepare(self):
        from safelight_worker.call_modal import CallRunner

        self.runner = CallRunner(specs()[self.name], shared, STAYS_WARM)

    @modal.method()
    def run(self, order, seconds):
        """Runs an order of the serving container; the file is on the volume when it answers."""
        data.reload()
        if not self.runner.is_loaded:
            # Weights may have been fetched since this container started.
            weights.reload()
        outcome = self.runner.run(order, seconds)
        data.commit()
        if self.runner.is_spoilt:
            modal.experimental.stop_fetching_inputs()
        return outcome

    @modal.exit()
    def leave(self):
        self.runner.leave()


# One serving container: it alone decides who gets a slot. It needs no graphics card.
@app.function(
    image=image,
    secrets=secrets,
    volumes=volumes,
    timeout=LONGEST_RUN,
    scaledown_window=1200,
    max_containers=1,
)
@modal.concurrent(max_inputs=100)
@modal.asgi_app()
def web():
    from safelight_worker.remote_modal import Calls

    return build(os.environ["SAFELIGHT_WORKER_KEY"], MOUNTS["data"], Calls(Model, shared, data, weights))


def build(key, folder, remote, models=None):
    """The app that a gateway talks to: over `folder`, with calls made by `remote`."""
    from safelight_worker.serve_modal import build_modal_app

    return build_modal_app(key, folder, specs() if models is None else models, remote, MOST)
