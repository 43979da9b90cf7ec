"""Calls to `https://{api}.execute-api.{region}.amazonaws.com/{stage}/@connections/…` stay in the house.

Handlers of WebSocket APIs make the management client's endpoint out of their event's `domainName` and `stage`, as AWS's
guide tells them to, so `AWS_ENDPOINT_URL` has no say there. A handler of botocore's own event puts that variable's
address in its place before the request is signed; the Host header keeps naming the API. Nothing else is touched.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

EVENT = "before-sign.apigatewaymanagementapi"
HANDLERS = "botocore.handlers"


def stay(request: Any, **_: Any) -> None:
    """Send a request that is about to be signed to `AWS_ENDPOINT_URL`, when it would go to an HTTPS endpoint."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if not endpoint or not request.url.startswith("https://"):
        return
    parts = urlsplit(request.url)
    request.headers["Host"] = parts.netloc
    request.url = endpoint.rstrip("/") + parts.path


def install() -> None:
    """For every session of botocore made from now on, whether it is loaded already or will be."""
    module = sys.modules.get(HANDLERS)
    if module is not None:
        _register(module)
    else:
        sys.meta_path.insert(0, _Watch())


def _register(module: ModuleType) -> None:
    entry = (EVENT, stay)
    if entry not in module.BUILTIN_HANDLERS:
        module.BUILTIN_HANDLERS.append(entry)


class _Watch:
    """Waits for a function's own botocore to be imported, then steps back."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != HANDLERS:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            stock = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                stock(module)
                _register(module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec
