"""The GPU worker on Modal: `modal deploy deploy/modal/worker_app.py`. All that it does stands in safelight_worker.

Read from the environment of the deploy: SAFELIGHT_APP (name), SAFELIGHT_WORKER_KEY (the key that the gateway sends),
SAFELIGHT_GPU (such as L40S or H100), SAFELIGHT_MAX_CONTAINERS, SAFELIGHT_MIN_CONTAINERS. Nothing here runs a model or
reads a file when it is imported.
"""

import os
from pathlib import Path

import modal

MOUNTS = {"weights": Path("/weights"), "data": Path("/data")}
NAME = os.environ.get("SAFELIGHT_APP", "safelight")
MOST = int(os.environ.get("SAFELIGHT_MAX_CONTAINERS", "1"))
LEAST = int(os.environ.get("SAFELIGHT_MIN_CONTAINERS", "0"))
LONGEST_RUN = 3600

app = modal.App(NAME)
if modal.is_local():
    worker = Path(__file__).resolve().parents[2] / "worker"
    requirements = str(worker / "requirements.txt")
    image = (
        modal.Image.debian_slim(python_version="3.11")
        .pip_install("torch==2.13.0", "bitsandbytes==0.50.2")
        .pip_install_from_requirements(requirements)
        .env(
            {"PYTHONPATH": "/app", "HF_HUB_OFFLINE": "1", "SAFELIGHT_APP": NAME, "SAFELIGHT_MAX_CONTAINERS": str(MOST)}
        )
        .add_local_dir(worker / "safelight_worker", "/app/safelight_worker", ignore=["**/__pycache__"])
    )
    # The key reaches the serving container alone, as a secret of this app.
    secrets = [modal.Secret.from_local_environ(["SAFELIGHT_WORKER_KEY"])]
    # A token of the hub, for models that are gated, reaches the one run that fetches.
    tokens = [modal.Secret.from_local_environ(["HF_TOKEN"])] if "HF_TOKEN" in os.environ else []
else:
    image, secrets, tokens = modal.Image.debian_slim(), [], []
weights = modal.Volume.from_name(f"{NAME}-weights", create_if_missing=True)
data = modal.Volume.from_name(f"{NAME}-data", create_if_missing=True)
shared = modal.Dict.from_name(f"{NAME}-runs", create_if_missing=True)
volumes = {str(MOUNTS["weights"]): weights, str(MOUNTS["data"]): data}


def specs():
    """The settings of every model, with weights on the volume."""
    from safelight_worker.settings import read_settings

    return read_settings(MOUNTS["weights"])


@app.cls(
    image=image,
    gpu=os.environ.get("SAFELIGHT_GPU", "H100"),
    volumes=volumes,
    timeout=LONGEST_RUN,
    startup_timeout=1200,
    scaledown_window=300,
    min_containers=LEAST,
    max_containers=MOST,
)
class Model:
    """A container that holds one model."""

    name: str = modal.parameter()

    @modal.enter()
    def prepare(self):
        from safelight_worker.host_modal import CallRunner

        self.runner = CallRunner(specs()[self.name])

    @modal.method()
    def run(self, order, seconds):
        """Runs an order of the serving container; the file is on the volume when it answers."""
        data.reload()
        outcome = self.runner.run(order, seconds, shared)
        data.commit()
        return outcome


class Calls:
    """What the serving container needs of Modal, see safelight_worker.host_modal.Remote."""

    async def spawn(self, order, seconds):
        call = await Model(name=order.job.model).run.spawn.aio(order, seconds)
        return call.object_id

    async def outcome(self, call):
        from safelight_worker.tasks import RunFailed

        try:
            return await modal.FunctionCall.from_id(call).get.aio(timeout=0)
        except TimeoutError:
            return None
        except modal.exception.Error:
            raise RunFailed("worker_lost", "The call was lost.") from None

    async def cancel(self, call):
        await modal.FunctionCall.from_id(call).cancel.aio(terminate_containers=True)

    async def read(self, key):
        return await shared.get.aio(key)

    async def write(self, key, value):
        await shared.put.aio(key, value)

    async def forget(self, key):
        await shared.pop.aio(key, None)

    async def reload(self):
        await data.reload.aio()

    async def commit(self):
        await data.commit.aio()


def build(key, folder, remote, models=None):
    """The app that a gateway talks to: over `folder`, with calls made by `remote`."""
    from safelight_worker.serve_modal import build_modal_app

    return build_modal_app(key, folder, specs() if models is None else models, remote, MOST)


# One serving container: it alone decides who gets a slot. It needs no graphics card.
@app.function(
    image=image,
    secrets=secrets,
    volumes=volumes,
    timeout=LONGEST_RUN,
    scaledown_window=1200,
    min_containers=LEAST,
    max_containers=1,
)
@modal.concurrent(max_inputs=100)
@modal.asgi_app()
def web():
    return build(os.environ["SAFELIGHT_WORKER_KEY"], MOUNTS["data"], Calls())


@app.function(image=image, secrets=tokens, volumes=volumes, timeout=6 * LONGEST_RUN)
def fetch(model: str):
    """`modal run deploy/modal/worker_app.py::fetch --model flux` gets the weights of a model onto the volume."""
    from safelight_worker.fetch import run

    code = run(model, MOUNTS["weights"], None)
    weights.commit()
    return code
