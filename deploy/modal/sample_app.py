"""Stands in for the GPU worker until it is there: speaks just enough of the worker protocol to say that it takes no tasks."""

import hmac
import json
import os

import modal

app = modal.App(os.environ.get("SAFELIGHT_APP", "safelight"))
# The key reaches the container as a secret of this app, read here from the environment of the deploy.
secrets = [modal.Secret.from_local_environ(["SAFELIGHT_WORKER_KEY"])] if modal.is_local() else []
none = {"image": 0, "video": 0, "total": 0}
health = {"protocol": 1, "ready": False, "models": [], "slots": none, "busy": none, "gpus": [], "memory": None}
health |= {"worker": {"name": "sample", "version": "1"}, "engine": {"name": "none", "version": "1", "notice": None}}
health |= {"instance": "sample", "uptime_s": 0, "results_kept_s": 60}


@app.function(secrets=secrets, max_containers=int(os.environ.get("SAFELIGHT_MAX_CONTAINERS", "1")))
@modal.asgi_app()
def web():
    async def answer(scope, receive, send):
        if scope["type"] != "http":
            return
        given = dict(scope["headers"]).get(b"authorization", b"")
        known = hmac.compare_digest(given, f"Bearer {os.environ['SAFELIGHT_WORKER_KEY']}".encode())
        status = 401 if not known else 200 if scope["path"] == "/health" else 404
        headers = [(b"content-type", b"application/json"), (b"safelight-protocol", b"1")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(health if status == 200 else {}).encode()})

    return answer
