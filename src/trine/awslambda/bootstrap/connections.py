"""Calls to AWS's own addresses in which `AWS_ENDPOINT_URL` has no say stay in the house.

Two kinds, both written as AWS's guides tell people to:

- `https://{api}.execute-api.{region}.amazonaws.com/{stage}/@connections/…`: handlers of WebSocket APIs make the
  management client's endpoint out of their event's `domainName` and `stage`. A handler of botocore's own event puts the
  variable's address in its place before the request is signed; the Host header keeps naming the API.
- `https://cognito-idp.{region}.amazonaws.com/{pool}/.well-known/…`: whoever verifies the tokens of a user pool fetches
  its keys there. Connections to that host are plain ones to the variable's address, in `http.client` and in urllib3
  (requests).

Nothing else is touched.
"""

from __future__ import annotations

import importlib.util
import os
import re
import socket
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

EVENT = "before-sign.apigatewaymanagementapi"
POOL_HOST = re.compile(r"cognito-idp(-fips)?\.[a-z0-9-]+\.amazonaws\.com(\.cn)?", re.IGNORECASE)


def stay(request: Any, **_: Any) -> None:
    """Send a request that is about to be signed to `AWS_ENDPOINT_URL`, when it would go to an HTTPS endpoint."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if not endpoint or not request.url.startswith("https://"):
        return
    parts = urlsplit(request.url)
    request.headers["Host"] = parts.netloc
    request.url = endpoint.rstrip("/") + parts.path


def install() -> None:
    """For all that is loaded already or will be."""
    for name, change in _CHANGES.items():
        module = sys.modules.get(name)
        if module is not None:
            change(module)
        elif not any(isinstance(each, _Watch) and each.name == name for each in sys.meta_path):
            sys.meta_path.insert(0, _Watch(name, change))


def _change_handlers(module: ModuleType) -> None:
    entry = (EVENT, stay)
    if entry not in module.BUILTIN_HANDLERS:
        module.BUILTIN_HANDLERS.append(entry)


def _change_connections(module: ModuleType) -> None:
    kind: Any = module.HTTPSConnection
    stock = kind.connect
    if getattr(stock, "stays_in", False):
        return

    def connect(self: Any) -> None:
        endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
        if not endpoint.startswith("http://") or POOL_HOST.fullmatch(str(self.host).rstrip(".")) is None:
            stock(self)
            return
        to = urlsplit(endpoint)
        timeout = self.timeout if isinstance(self.timeout, (int, float)) else None
        self.sock = socket.create_connection((to.hostname, to.port or 80), timeout)
        self.is_verified = True  # urllib3 warns otherwise

    connect.stays_in = True  # type: ignore[attr-defined]
    kind.connect = connect


_CHANGES: dict[str, Callable[[ModuleType], None]] = {
    "botocore.handlers": _change_handlers,
    "http.client": _change_connections,
    "urllib3.connection": _change_connections,
}


class _Watch:
    """Waits for a module to be imported, then steps back."""

    def __init__(self, name: str, change: Callable[[ModuleType], None]) -> None:
        self.name = name
        self._change = change

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != self.name:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            stock = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                stock(module)
                self._change(module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec
