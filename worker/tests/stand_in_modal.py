"""A stand-in of Modal's server on the loopback interface: dictionaries, volumes and calls, as the package asks."""

from __future__ import annotations

import asyncio
import pickle
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from grpclib import GRPCError
from grpclib.const import Status
from grpclib.server import Server
from modal_proto import api_grpc
from modal_proto import api_pb2 as api


class StandIn:
    """Holds `entries` of one dictionary, `outcomes` of calls (None while they go on), and `files` of a volume.

    `refusals` are errors to answer instead, by the name of the request, each once.
    """

    def __init__(self) -> None:
        self.entries: dict[bytes, bytes] = {}
        self.outcomes: dict[str, api.GenericResult | None] = {}
        self.files: dict[str, bytes] = {}
        self.refusals: dict[str, GRPCError] = {}
        self.asked: list[str] = []
        self.blocks = self._serve_blocks()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.url = asyncio.run_coroutine_threadsafe(self._start(), self.loop).result()

    def _serve_blocks(self) -> ThreadingHTTPServer:
        """Contents of files come over HTTP."""
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                data = stand_in.files[self.path.lstrip("/")]
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return server

    async def _start(self) -> str:
        base = api_grpc.ModalClientBase
        methods = {name: self._method(name) for name in base.__abstractmethods__}
        self.server = Server([type("Answers", (base,), methods)()])
        await self.server.start("127.0.0.1", 0)
        return f"http://127.0.0.1:{self.server._server.sockets[0].getsockname()[1]}"  # type: ignore[union-attr]

    def close(self) -> None:
        async def stop() -> None:
            self.server.close()
            await self.server.wait_closed()

        asyncio.run_coroutine_threadsafe(stop(), self.loop).result()
        self.blocks.shutdown()
        self.blocks.server_close()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()

    def _method(self, name: str) -> Any:
        async def answer(_self: Any, stream: Any) -> None:
            request = await stream.recv_message()
            self.asked.append(name)
            if name in self.refusals:
                raise self.refusals.pop(name)
            make = getattr(self, f"_{name}", None)
            await stream.send_message(stream._send_type() if make is None else make(request))

        return answer

    def ends(self, call: str, value: object) -> None:
        """A call answers so."""
        self.outcomes[call] = api.GenericResult(
            status=api.GenericResult.GENERIC_STATUS_SUCCESS, data=pickle.dumps(value, protocol=4)
        )

    def _DictGetOrCreate(self, request: Any) -> Any:  # noqa: N802
        return api.DictGetOrCreateResponse(dict_id="di-1", metadata=api.DictMetadata(name=request.deployment_name))

    def _VolumeGetOrCreate(self, request: Any) -> Any:  # noqa: N802
        return api.VolumeGetOrCreateResponse(
            volume_id="vo-1", metadata=api.VolumeMetadata(name=request.deployment_name)
        )

    def _DictGet(self, request: Any) -> Any:  # noqa: N802
        return api.DictGetResponse(found=request.key in self.entries, value=self.entries.get(request.key))

    def _DictUpdate(self, request: Any) -> Any:  # noqa: N802
        for entry in request.updates:
            self.entries[entry.key] = entry.value
        return api.DictUpdateResponse(created=True)

    def _DictPop(self, request: Any) -> Any:  # noqa: N802
        found = request.key in self.entries
        return api.DictPopResponse(found=found, value=self.entries.pop(request.key, None))

    def _FunctionGetOutputs(self, request: Any) -> Any:  # noqa: N802
        if request.function_call_id not in self.outcomes:
            raise GRPCError(Status.NOT_FOUND, "There is no such call.")
        result = self.outcomes[request.function_call_id]
        if result is None:
            return api.FunctionGetOutputsResponse(num_unfinished_inputs=1)
        item = api.FunctionGetOutputsItem(result=result, data_format=api.DATA_FORMAT_PICKLE)
        return api.FunctionGetOutputsResponse(outputs=[item])

    def _VolumeGetFile2(self, request: Any) -> Any:  # noqa: N802
        if request.path not in self.files:
            raise GRPCError(Status.NOT_FOUND, "There is no such file.")
        data = self.files[request.path]
        url = f"http://127.0.0.1:{self.blocks.server_address[1]}/{request.path}"
        return api.VolumeGetFile2Response(get_urls=[url], size=len(data), len=len(data))


def failure(status: int, text: str) -> api.GenericResult:
    """How a call ends that was lost."""
    return api.GenericResult(status=status, exception=text)  # type: ignore[arg-type]


def open_files() -> GRPCError:
    """What a volume says while files of it are open."""
    return GRPCError(Status.FAILED_PRECONDITION, "there are open files preventing the operation")
