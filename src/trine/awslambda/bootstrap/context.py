"""The `context` argument of a Python handler, with the attributes that AWS's runtime gives it."""

from __future__ import annotations

import json
import os
import time
from typing import Any

from . import logs
from .faults import Fault


class CognitoIdentity:
    """`context.identity`."""

    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")

    def __repr__(self) -> str:
        return _shown(self, self.__slots__)

    def __init__(self, given: dict[str, Any] | None) -> None:
        self.cognito_identity_id = given.get("cognitoIdentityId") if given else None
        self.cognito_identity_pool_id = given.get("cognitoIdentityPoolId") if given else None


class Client:
    """`context.client_context.client`."""

    __slots__ = ("app_package_name", "app_title", "app_version_code", "app_version_name", "installation_id")

    def __repr__(self) -> str:
        return _shown(self, _CLIENT)

    def __init__(self, given: dict[str, Any]) -> None:
        for name in self.__slots__:
            setattr(self, name, given.get(name))


class ClientContext:
    """`context.client_context`."""

    __slots__ = ("client", "custom", "env")

    def __repr__(self) -> str:
        return _shown(self, ("custom", "env", "client"))

    def __init__(self, given: dict[str, Any]) -> None:
        self.custom = given.get("custom")
        self.env = given.get("env")
        client = given.get("client")
        self.client = Client(client) if client is not None else None


class LambdaContext:
    """What a handler can learn about its function, its environment and this invocation."""

    def __init__(self, headers: dict[str, str], constants: dict[str, Any]) -> None:
        self.__dict__.update(constants)
        self.aws_request_id = headers["lambda-runtime-aws-request-id"]
        self.invoked_function_arn = headers.get("lambda-runtime-invoked-function-arn")
        self.tenant_id = headers.get("lambda-runtime-aws-tenant-id")
        self._epoch_deadline_time_in_ms = int(headers["lambda-runtime-deadline-ms"])
        client = headers.get("lambda-runtime-client-context")
        given = _parse(client, "Client Context") if client else None
        self._w3c_fields = _take_w3c(given) if given else {}
        self.client_context = ClientContext(given) if given is not None else None
        identity = headers.get("lambda-runtime-cognito-identity")
        self.identity = CognitoIdentity(_parse(identity, "Cognito Identity")) if identity else _NO_IDENTITY

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function's timeout; 0 when it has passed."""
        left = self._epoch_deadline_time_in_ms - int(time.time() * 1000)
        return left if left > 0 else 0

    def log(self, message: object) -> None:
        """Write to the function's log."""
        logs.write_event(str(message))

    def w3c(self) -> dict[str, str]:
        """The W3C trace context that the caller sent along (`w3c` of the client context)."""
        return dict(self._w3c_fields)

    def __repr__(self) -> str:
        return _shown(self, _CONTEXT)


_CONTEXT = ("aws_request_id", "log_group_name", "log_stream_name", "function_name", "memory_limit_in_mb",
            "function_version", "invoked_function_arn", "client_context", "identity", "tenant_id")  # fmt: skip
_CLIENT = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")
_W3C = ("traceparent", "tracestate", "baggage")


def _shown(value: object, names: tuple[str, ...]) -> str:
    members = ",".join(f"{name}={getattr(value, name)}" for name in names)
    return f"{type(value).__name__}([{members}])"


def _take_w3c(client: dict[str, Any]) -> dict[str, str]:
    given = client.pop("w3c", None)
    if not isinstance(given, dict):
        return {}
    return {name: given[name] for name in _W3C if isinstance(given.get(name), str)}


_NO_IDENTITY = CognitoIdentity(None)


def constants_from_environment() -> dict[str, Any]:
    """The attributes that are the same for every invocation of one environment."""
    get = os.environ.get
    return {
        "aws_request_id": None,
        "log_group_name": get("AWS_LAMBDA_LOG_GROUP_NAME"),
        "log_stream_name": get("AWS_LAMBDA_LOG_STREAM_NAME"),
        "function_name": get("AWS_LAMBDA_FUNCTION_NAME"),
        "memory_limit_in_mb": get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"),
        "function_version": get("AWS_LAMBDA_FUNCTION_VERSION"),
    }


def _parse(text: str, name: str) -> dict[str, Any]:
    try:
        parsed = json.loads(text)
    except ValueError as fault:
        raise Fault("Runtime.LambdaContextUnmarshalError", f"Unable to parse {name} JSON: {fault}") from None
    return parsed if isinstance(parsed, dict) else {}
