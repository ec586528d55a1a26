"""A stand-in for Modal's server on loopback: enough of its protocol for the real modal command to deploy an app.

It believes every token but those whose id begins with ak-unknown. Ids that begin with ak-slow wait for ever in the middle of
a deploy; ak-nowhere gives the app no address. Prints its port, then one line of JSON for each call: name, token id, facts.
Usage: modal_server.py ADDRESS_OF_THE_APP
"""

import asyncio
import json
import sys

from grpclib import GRPCError
from grpclib.const import Status
from grpclib.server import Server
from modal_proto import api_grpc
from modal_proto import api_pb2 as api

ADDRESS = sys.argv[1]
deployed: dict[str, api.FunctionData] = {}


def handle(token: str) -> api.FunctionHandleMetadata:
    address = "" if token.startswith("ak-nowhere") else ADDRESS
    return api.FunctionHandleMetadata(function_name="web", web_url=address, is_method=False)


def create(request: api.FunctionCreateRequest, token: str) -> api.FunctionCreateResponse:
    ranked = api.FunctionData.RankedFunction(rank=0, function=request.function)
    deployed[token] = api.FunctionData(ranked_functions=[ranked])
    return api.FunctionCreateResponse(
        function_id="fu-1", function=request.function, function_data=deployed[token], handle_metadata=handle(token)
    )


def get(request: api.FunctionGetRequest, token: str) -> api.FunctionGetResponse:
    if token not in deployed:
        raise GRPCError(Status.NOT_FOUND, f"There is no app {request.app_name}.")
    return api.FunctionGetResponse(function_id="fu-1", function=deployed[token], handle_metadata=handle(token))


ENVIRONMENT = api.EnvironmentMetadata(
    name="main", settings=api.EnvironmentSettings(image_builder_version="2025.06")
)
answers = {
    "AppCreate": lambda request, token: api.AppCreateResponse(app_id="ap-1"),
    "EnvironmentGetOrCreate": lambda request, token: api.EnvironmentGetOrCreateResponse(
        environment_id="en-1", metadata=ENVIRONMENT
    ),
    "SecretGetOrCreate": lambda request, token: api.SecretGetOrCreateResponse(secret_id="st-1"),
    "MountGetOrCreate": lambda request, token: api.MountGetOrCreateResponse(mount_id="mo-1"),
    "MountPutFile": lambda request, token: api.MountPutFileResponse(exists=True),
    "ImageGetOrCreate": lambda request, token: api.ImageGetOrCreateResponse(
        image_id="im-1",
        result=api.GenericResult(status=api.GenericResult.GENERIC_STATUS_SUCCESS),
        metadata=api.ImageMetadata(image_builder_version="2025.06"),
    ),
    "FunctionPrecreate": lambda request, token: api.FunctionPrecreateResponse(
        function_id="fu-1", handle_metadata=handle(token)
    ),
    "FunctionCreate": create,
    "FunctionGet": get,
    "AppPublish": lambda request, token: api.AppPublishResponse(
        url=f"https://modal.example/{token}", deployed_at=1.0
    ),
}


def facts(name: str, request) -> dict:
    """What tests look at: the secret as it arrives, the source as it arrives, the name of the app."""
    if name == "SecretGetOrCreate":
        return {"secret": dict(request.env_dict)}
    if name == "MountGetOrCreate":
        return {"files": [[file.filename, file.sha256_hex] for file in request.files]}
    if name == "AppPublish":
        return {"app": request.name, "commit": request.commit_info.commit_hash}
    if name == "FunctionCreate":
        return {"max_containers": request.function.autoscaler_settings.max_containers}
    return {}


def method(name: str):
    async def answer(self, stream) -> None:
        request = await stream.recv_message()
        token = str(stream.metadata.get("x-modal-token-id", ""))
        print(json.dumps({"call": name, "token": token, **facts(name, request)}), flush=True)
        if token.startswith("ak-unknown"):
            raise GRPCError(Status.UNAUTHENTICATED, f"Token {token} is not known here.")
        if token.startswith("ak-slow") and name == "FunctionCreate":
            await asyncio.sleep(3600)
        make = answers.get(name, lambda request, token: stream._send_type())
        await stream.send_message(make(request, token))

    return answer


async def main() -> None:
    base = api_grpc.ModalClientBase
    stand_in = type("StandIn", (base,), {name: method(name) for name in base.__abstractmethods__})
    server = Server([stand_in()])
    await server.start("127.0.0.1", 0)
    print(server._server.sockets[0].getsockname()[1], flush=True)
    await server.wait_closed()


asyncio.run(main())
