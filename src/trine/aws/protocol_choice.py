"""One API in several protocols: each request is answered in the one it speaks.

Enters an `http.Request`, leaves the `ServiceModel` that understands it. AWS moves services from the query protocol to
JSON and on to CBOR, and every SDK of the last years is still in use: the model of the installed botocore says which
protocol it speaks itself, never which ones come in.
"""

from __future__ import annotations

from trine.aws.protocol import ServiceModel
from trine.aws.protocol_cbor import PROTOCOL as CBOR
from trine.aws.protocol_cbor import is_cbor
from trine.http.message import Request


class ServiceModels:
    """The models of one service that speaks query, JSON 1.0 and CBOR."""

    def __init__(self, name: str, target_prefix: str, only: frozenset[str] | None = None) -> None:
        """As `ServiceModel`; `target_prefix` is what stands before an operation in `X-Amz-Target`."""
        first = ServiceModel(name, only)
        self.first = first
        self._by_protocol = {
            protocol: first.speaking(protocol, target_prefix=target_prefix) for protocol in ("query", "json", CBOR)
        }

    def of(self, request: Request) -> ServiceModel:
        """The model that speaks the request's protocol."""
        if is_cbor(request):
            return self._by_protocol[CBOR]
        return self._by_protocol["json" if request.headers.get(b"x-amz-target") is not None else "query"]
