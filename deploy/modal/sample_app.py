"""Stands in for the worker until it is there: a web endpoint that speaks just enough of the worker protocol to say how it is."""

import hmac
import os

import modal

app = modal.App(os.environ.get("SAFELIGHT_APP", "safelight"))
# The key reaches the container as a secret of this app, read here from the environment of the deploy.
secrets = [modal.Secret.from_local_environ(["SAFELIGHT_WORKER_KEY"])] if modal.is_local() else []
image = modal.Image.debian_slim(python_version="3.12").uv_pip_install("fastapi==0.165.0")


@app.function(image=image, secrets=secrets, max_containers=int(os.environ.get("SAFELIGHT_MAX_CONTAINERS", "1")))
@modal.asgi_app()
def web():
    from fastapi import FastAPI, Request
    from fastapi.responses import JSONResponse

    server = FastAPI()

    @server.get("/health")
    def health(request: Request) -> JSONResponse:
        wanted = f"Bearer {os.environ['SAFELIGHT_WORKER_KEY']}".encode()
        if not hmac.compare_digest(request.headers.get("authorization", "").encode(), wanted):
            return JSONResponse({"code": "wrong_key"}, 401)
        none = {"image": 0, "video": 0, "total": 0}
        facts = {"protocol": 1, "ready": False, "models": [], "slots": none, "busy": none, "gpus": []}
        names = {"worker": {"name": "sample", "version": "1"}, "engine": {"name": "none", "version": "1", "notice": None}}
        rest = {"instance": "sample", "uptime_s": 0, "memory": {"total_bytes": 0, "free_bytes": 0}, "results_kept_s": 0}
        return JSONResponse(facts | names | rest)

    return server
