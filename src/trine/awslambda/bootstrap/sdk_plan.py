"""Whether an operation of a client may go straight, and everything about it that does not change from call to call.

Enters a client and an operation's name, leaves a `Plan`: one for each client and operation, good as long as no hook is
added or taken away. Every hook of the stock pipeline is looked at by name and owner; one too many, one too few, another
class somewhere, and the operation is not for the straight way.
"""

from __future__ import annotations

import base64
import decimal
from collections.abc import Callable
from typing import Any

from . import sdk_shapes
from .sdk_shapes import Convert, Unlike

_BUILD = ["generate_idempotent_uuid", "_handle_request_validation_mode_member"]
_DISCOVERY = "block_endpoint_discovery_required_operations"
"""There when the endpoint comes from the environment; no operation that goes straight is discovered."""
_RESOURCE_BUILD = ["TransformationInjector.inject_condition_expressions",
                   "TransformationInjector.inject_attribute_value_input", *_BUILD]  # fmt: skip
_RESOURCE_AFTER = ["RetryQuotaChecker.release_retry_quota", "TransformationInjector.inject_attribute_value_output"]
_EXPECTED = {
    "request-created": ["RequestSigner.handler", "MaxAttemptsSeeder.seed_max_attempts",
                        "UserAgentString.rebuild_and_replace_user_agent_handler", "add_retry_headers"],
    "before-call": ["add_recursion_detection_header", "inject_api_version_header_if_needed"],
    "choose-signer": ["set_operation_specific_signer", "_set_auth_scheme_preference_signer"],
    "needs-retry": ["install_retries.<locals>.needs_retry"],  # made by `sdk_events`
    "before-sign": [],
    "before-send": [],
    "response-received": [],
    "before-parse": [],
    "after-call-error": [],
}  # fmt: skip


class Plan:
    """What one operation of one client needs to go straight; `convert` is None where it may not."""

    convert: Convert | None = None
    """Parameters → what goes into the body as JSON."""
    parse: Convert
    hooks: Any
    """The emitter's table of hooks that this was made with; the emitter makes a new one when a hook changes."""
    emitter: Any
    operation: Any
    injector: Any = None
    """Of a resource's client: turns condition objects into expressions."""
    conditions: tuple[str, ...] = ()
    """Parameters that may hold condition objects."""
    idempotent: tuple[str, ...] = ()
    quota: Any
    attempts_max: int
    credentials: Any
    endpoint: Any
    session: Any
    signer: Any
    features: frozenset[str] = frozenset()
    """What the stock resolution of the endpoint adds to the User-Agent."""
    url: str
    place: Any
    canonical_begin: str
    head_begin: str
    target: str
    agent_key: Any = None
    agent: str = ""


def _names(hooks: list[Any]) -> list[str]:
    return [getattr(hook, "__qualname__", type(hook).__name__) for hook in hooks]


def plan(client: Any, name: str, parameters: Any, place_of: Callable[[Any, str], Any]) -> Plan | None:
    """The plan for `name`; None when this call cannot tell (its own arguments are wrong)."""
    import botocore.hooks as hooks

    made = Plan()
    emitter: Any = getattr(client.meta.events, "_emitter", None)
    if type(emitter) is not hooks.HierarchicalEmitter or type(client.meta.events) is not hooks.EventAliaser:
        return None
    made.emitter, made.hooks = emitter, emitter._lookup_cache
    made.operation = client.meta.service_model.operation_model(name)
    found = {event: list(emitter._handlers.prefix_search(f"{event}.dynamodb.{name}")) for event in (
        *_EXPECTED, "provide-client-params", "before-parameter-build", "after-call")}  # fmt: skip
    if not (_is_simple(client, made.operation) and _hooks_are_stock(client, emitter, found) and _is_stock(client)):
        return made
    if not _shapes(made, found):
        return made
    return made if _address(client, made, parameters, place_of) else None


def _is_simple(client: Any, operation: Any) -> bool:
    service = client.meta.service_model
    return bool(
        service.service_name == "dynamodb"
        and service.resolved_protocol == "json"
        and not service.is_query_compatible
        and operation.http.get("requestUri") == "/"
        and operation.http.get("method") == "POST"
        and operation.input_shape is not None
        and operation.output_shape is not None
        and not any(
            getattr(operation, name)
            for name in (
                "has_streaming_output", "has_streaming_input", "has_event_stream_output", "endpoint", "http_checksum",
                "http_checksum_required", "request_compression", "deprecated", "auth", "unsigned_payload",
                "is_endpoint_discovery_operation",
            )
        )
    )  # fmt: skip


def _hooks_are_stock(client: Any, emitter: Any, found: dict[str, list[Any]]) -> bool:
    if any(_names(found[event]) != expected for event, expected in _EXPECTED.items()):
        return False
    created = found["request-created"]
    return (
        created[0].__self__ is client._request_signer
        and created[2].__self__ is client._user_agent_creator
        and not emitter._handlers.prefix_search("before-endpoint-resolution.dynamodb")
    )


def _is_stock(client: Any) -> bool:
    import botocore.credentials as credentials
    import botocore.endpoint as endpoint
    import botocore.httpsession as httpsession
    import botocore.regions as regions
    import botocore.serialize as serialize
    import botocore.validate as validate

    config, signer = client._client_config, client._request_signer
    return bool(
        type(signer._credentials) is credentials.Credentials
        and signer._signature_version == "v4"
        and config.signature_version in (None, "v4")
        and not config.auth_scheme_preference
        and config.inject_host_prefix is True
        and type(client._serializer) is validate.ParamValidationDecorator
        and type(client._serializer._serializer) is serialize.JSONSerializer
        and type(client._endpoint) is endpoint.Endpoint
        and type(client._endpoint.http_session) is httpsession.URLLib3Session
        and not client._endpoint._response_parser_factory._defaults
        and client._ruleset_resolver._builtins.get(regions.EndpointResolverBuiltins.SDK_ENDPOINT) is not None
    )


def _shapes(made: Plan, found: dict[str, list[Any]]) -> bool:
    # The two walks over parameters and answer; for a resource's client those that also convert attribute values.
    operation = made.operation
    known_in: dict[str, Convert] = {}
    known_out: dict[str, Convert] = {}
    first, after = found["before-parameter-build"], _names(found["after-call"])
    build = [name for name in _names(first) if name != _DISCOVERY]
    if found["provide-client-params"]:
        if _names(found["provide-client-params"]) != ["install.<locals>.copy_dynamodb_params"]:
            return False  # made by `sdk_resource`
        if build != _RESOURCE_BUILD or sorted(after) != _RESOURCE_AFTER:
            return False
        made.injector = first[0].__self__
        if operation.name == "TransactWriteItems" or not _is_plain_injector(made.injector):
            return False  # its conditions lie deep inside
        known_in["AttributeValue"], known_out["AttributeValue"] = _to_wire(), _from_wire()
        made.conditions = tuple(
            name
            for name, shape in operation.input_shape.members.items()
            if shape.name in ("ConditionExpression", "KeyExpression")
        )
    elif build != _BUILD or after != ["RetryQuotaChecker.release_retry_quota"]:
        return False
    import botocore.parsers as parsers

    try:
        made.parse = sdk_shapes.parser(operation.output_shape, parsers.DEFAULT_TIMESTAMP_PARSER, known_out)
        made.convert = sdk_shapes.serializer(operation.input_shape, known_in)
    except Unlike:
        made.convert = None
        return False
    made.idempotent = tuple(operation.idempotent_members)
    made.quota = next(h for h in found["after-call"] if h.__name__ == "release_retry_quota").__self__._quota
    made.attempts_max = found["request-created"][1].__self__._max_attempts
    return True


def _is_plain_injector(injector: Any) -> bool:
    import boto3.dynamodb.transform as transform
    import boto3.dynamodb.types as types

    return (
        type(injector) is transform.TransformationInjector
        and type(injector._serializer) is types.TypeSerializer
        and type(injector._deserializer) is types.TypeDeserializer
        and type(injector._transformer) is transform.ParameterTransformer
    )


def _address(client: Any, made: Plan, parameters: Any, place_of: Callable[[Any, str], Any]) -> bool:
    # One stock resolution of the endpoint, in a context of its own: url, signing and the features it notes.
    import botocore.awsrequest as awsrequest
    import botocore.context as context

    operation = made.operation
    request_context = {
        "client_region": client.meta.region_name,
        "client_config": client.meta.config,
        "has_streaming_input": False,
        "auth_type": operation.resolved_auth_type,
        "unsigned_payload": operation.unsigned_payload,
        "auth_options": None,
    }
    token = context.set_context(context.ClientContext())
    try:
        url, headers, _ = client._resolve_endpoint_ruleset(operation, parameters, request_context)
        made.features = frozenset(context.get_context().features)
    except Exception:
        return False  # the stock way meets the same fault and names it
    finally:
        context.reset_context(token)
    signer = made.signer = client._request_signer
    made.endpoint, made.session, made.credentials = client._endpoint, client._endpoint.http_session, signer._credentials
    made.url = awsrequest._urljoin(url, "/", None)
    made.place = place_of(made.session, made.url)
    stock = (
        not headers
        and request_context.get("auth_type") in (None, "v4")
        and not request_context.get("signing")
        and made.url.startswith("http://")
        and made.url.find("/", 7) == len(made.url) - 1
        and made.place is not None
    )
    if not stock:
        made.convert = None
        return True
    _heads(made)
    return True


def _heads(made: Plan) -> None:
    import botocore.auth as auth

    module: Any = auth
    metadata = made.operation.metadata
    content_type = f"application/x-amz-json-{metadata['jsonVersion']}"
    made.target = f"{metadata['targetPrefix']}.{made.operation.name}"
    made.canonical_begin = (
        f"POST\n/\n\ncontent-type:{content_type}\nhost:{module._host_from_url(made.url)}\nx-amz-date:"
    )
    made.head_begin = (
        f"POST / HTTP/1.1\r\nHost: {made.url[7:-1]}\r\nAccept-Encoding: identity\r\nX-Amz-Target: {made.target}\r\n"
        f"Content-Type: {content_type}\r\nUser-Agent: "
    )


def _to_wire() -> Convert:
    # A Python value → an attribute's value as JSON, in one step.
    import boto3.dynamodb.types as types

    number = types.DYNAMODB_CONTEXT.create_decimal

    def convert(value: Any) -> Any:
        kind = type(value)
        if kind is str:
            return {"S": value}
        if kind is bool:
            return {"BOOL": value}
        if kind is int or kind is decimal.Decimal:
            text = str(number(value))
            if text in ("Infinity", "NaN"):
                raise Unlike
            return {"N": text}
        if kind is dict:
            if any(type(name) is not str for name in value):
                raise Unlike
            return {"M": {name: convert(item) for name, item in value.items()}}
        if kind is list:
            return {"L": [convert(item) for item in value]}
        if value is None:
            return {"NULL": True}
        if kind is bytes:
            return {"B": base64.b64encode(value).decode()}
        raise Unlike  # sets, Binary, subclasses, floats: the original's way

    return convert


def _from_wire() -> Convert:
    import boto3.dynamodb.types as types

    number = types.DYNAMODB_CONTEXT.create_decimal
    steps: dict[str, Convert] = {
        "S": sdk_shapes.same,
        "BOOL": sdk_shapes.same,
        "N": number,
        "NULL": lambda value: None,
        "B": lambda value: types.Binary(base64.b64decode(value)),
        "SS": set,
        "NS": lambda value: set(map(number, value)),
        "BS": lambda value: {types.Binary(base64.b64decode(item)) for item in value},
        "M": lambda value: {name: convert(item) for name, item in value.items()},
        "L": lambda value: [convert(item) for item in value],
    }

    def convert(value: Any) -> Any:
        ((name, item),) = value.items()
        if item is None:
            raise Unlike
        return steps[name](item)

    return convert
