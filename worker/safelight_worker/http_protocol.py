"""HTTP on the wire: bytes that are no HTTP are refused in the one form too."""

from __future__ import annotations

import json
import sys
import uuid

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from safelight_worker.answers import COMMON, PROBLEM
from safelight_worker.contract import ERROR_CODES, Refusal

_TOO_LARGE = 431


class PlainSpokenProtocol(H11Protocol):
    """uvicorn's protocol, which answers such bytes with a line of plain text."""

    def send_400_response(self, msg: str) -> None:
        """See uvicorn, which calls this while it handles the parser's error."""
        del msg
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            # An answer is under way: all that can be said is that it ends here.
            self.transport.close()
            return
        fault = sys.exc_info()[1]
        if isinstance(fault, h11.RemoteProtocolError) and fault.error_status_hint == _TOO_LARGE:
            refusal = Refusal("payload_too_large", "The head of the request is too large.")
        else:
            refusal = Refusal("malformed_json", "The request is not valid HTTP.")
        correlation_id = str(uuid.uuid4())
        body = json.dumps(refusal.problem("", correlation_id)).encode()
        headers = {
            **COMMON,
            "x-correlation-id": correlation_id,
            "content-type": PROBLEM,
            "content-length": str(len(body)),
            "connection": "close",
        }
        status = ERROR_CODES[refusal.code].status
        for event in (
            h11.Response(status_code=status, headers=list(headers.items()), reason=b"Refused"),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
