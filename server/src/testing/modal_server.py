"""A stand-in for Modal's server on loopback: enough of its protocol for the real modal command to deploy the worker.

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
#: Functions by token and name.
deployed: dict[tuple[str, str], api.FunctionData] = {}


def handle(token: str, name: str) -> api.FunctionHandleMetadata:
    address = "" if name != "web" or token.startswith("ak-nowhere") else ADDRESS
    return api.FunctionHandleMetadata(function_name=name, web_url=address, is_method=False)


def precreate(request: api.FunctionPrecreateRequest, token: str) -> api.FunctionPrecreateResponse:
    name = request.function_name
    return api.FunctionPrecreateResponse(function_id=f"fu-{name}", handle_metadata=handle(token, name))


def described(request: api.FunctionCreateRequest):
    """A function comes as itself, or as its alternatives by card, the preferred one first."""
    ranked = sorted(request.function_data.ranked_functions, key=lambda one: one.rank)
    return (ranked[0].function if ranked else request.function), ranked


def create(request: api.FunctionCreateRequest, token: str) -> api.FunctionCreateResponse:
    first, ranked = described(request)
    name = first.function_name or request.function_data.function_name
    data = api.FunctionData()
    data.CopyFrom(request.function_data)
    if not ranked:
        data.ranked_functions.append(api.FunctionData.RankedFunction(rank=0, function=request.function))
    deployed[token, name] = data
    return api.FunctionCreateResponse(
        function_id=f"fu-{name}",
        function=request.function if not ranked else None,
        function_data=data,
        handle_metadata=handle(token, name),
    )


def get(request: api.FunctionGetRequest, token: str) -> api.FunctionGetResponse:
    name = request.object_tag
    if (token, name) not in deployed:
        raise GRPCError(Status.NOT_FOUND, f"There is no app {request.app_name}.")
    return api.FunctionGetResponse(
        function_id=f"fu-{name}", function=deployed[token, name], handle_metadata=handle(token, name)
    )


ENVIRONMENT = api.EnvironmentMetadata(
    name="main", settings=api.EnvironmentSettings(image_builder_version="2025.06")
)
answers = {
    "AppCreate": lambda request, token: api.AppCreateResponse(app_id="ap-1"),
    "AppGetOrCreate": lambda request, token: api.AppGetOrCreateResponse(app_id="ap-1"),
    "EnvironmentGetOrCreate": lambda request, token: api.EnvironmentGetOrCreateResponse(
        environment_id="en-1", metadata=ENVIRONMENT
    ),
    "SecretGetOrCreate": lambda request, token: api.SecretGetOrCreateResponse(secret_id="st-1"),
    "VolumeGetOrCreate": lambda request, token: api.VolumeGetOrCreateResponse(
        volume_id=f"vo-{request.deployment_name}", metadata=api.VolumeMetadata(name=request.deployment_name)
    ),
    "DictGetOrCreate": lambda request, token: api.DictGetOrCreateResponse(
        dict_id=f"di-{request.deployment_name}", metadata=api.DictMetadata(name=request.deployment_name)
    ),
    "ClassCreate": lambda request, token: api.ClassCreateResponse(
        class_id="cs-1", handle_metadata=api.ClassHandleMetadata()
    ),
    "MountGetOrCreate": lambda request, token: api.MountGetOrCreateResponse(mount_id="mo-1"),
    "MountPutFile": lambda request, token: api.MountPutFileResponse(exists=True),
    "ImageGetOrCreate": lambda request, token: api.ImageGetOrCreateResponse(
        image_id="im-1",
        result=api.GenericResult(status=api.GenericResult.GENERIC_STATUS_SUCCESS),
        metadata=api.ImageMetadata(image_builder_version="2025.06"),
    ),
    "FunctionPrecreate": precreate,
    "FunctionCreate": create,
    "FunctionGet": get,
    "AppPublish": lambda request, token: api.AppPublishResponse(
        url=f"https://modal.example/{token}", deployed_at=1.0
    ),
}


def facts(name: str, request) -> dict:
    """What tests look at: the secret as it arrives, the source as it arrives, what each function asks for."""
    if name == "SecretGetOrCreate":
        return {"secret": dict(request.env_dict)}
    if name == "MountGetOrCreate":
        return {"files": [[file.filename, file.sha256_hex] for file in request.files]}
    if name == "AppPublish":
        return {"app": request.name, "commit": request.commit_info.commit_hash}
    if name in ("VolumeGetOrCreate", "DictGetOrCreate"):
        return {"named": request.deployment_name}
    if name == "ImageGetOrCreate":
        return {"image": list(request.image.dockerfile_commands)}
    if name == "FunctionCreate":
        first, ranked = described(request)
        scaler = first.autoscaler_settings if first.HasField("autoscaler_settings") else request.function_data.autoscaler_settings
        return {
            "function": first.function_name or request.function_data.function_name,
            "cards": [one.function.resources.gpu_config.gpu_type for one in ranked] or [first.resources.gpu_config.gpu_type],
            "secrets": len(first.secret_ids),
            "min_containers": scaler.min_containers,
            "max_containers": scaler.max_containers,
        }
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
