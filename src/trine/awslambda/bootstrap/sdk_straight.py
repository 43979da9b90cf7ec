"""A DynamoDB call from arguments to answer in one function, where everything between is stock. By choice only.

Sends the first attempt of a call; an answer that is not a plain 200 is handed to the stock pipeline as what came back
for its own first attempt, so that errors, retries, their counts and their pauses are the original's.
`TRINE_SDK=straight` in a function's variables puts it in place.
"""

from __future__ import annotations

import hashlib
import hmac
import importlib
import logging
import os
import threading
import time
import uuid
import zlib
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from . import sdk_json, sdk_plan, sdk_sign, sdk_wire
from .sdk_shapes import Unlike
from .sdk_watch import watch

SOURCES = (
    "botocore.client:BaseClient",
    "botocore.endpoint:Endpoint",
    "botocore.signers:RequestSigner",
    "botocore.handlers:add_retry_headers",
    "botocore.handlers:add_recursion_detection_header",
    "botocore.handlers:inject_api_version_header_if_needed",
    "botocore.retries.standard:RetryHandler",
    "botocore.retries.standard:RetryQuotaChecker",
    "boto3.dynamodb.transform:TransformationInjector",
)
"""What the straight way stands for, beside what the pieces of `sdk_guard` replace."""
KNOWN = frozenset({"7e0dc1ab5c6b6e58"})
"""Fingerprints of these sources that it was tested with."""
_BYPASSED = (
    ("botocore.client:BaseClient", "_make_request _convert_to_request_dict _emit_api_params _resolve_endpoint_ruleset"),
    ("botocore.endpoint:Endpoint", "make_request create_request prepare_request _send_request _get_response"),
    ("botocore.endpoint:Endpoint", "_do_get_response _needs_retry"),
    ("botocore.signers:RequestSigner", "sign handler get_auth_instance _choose_signer"),
    ("botocore.auth:SigV4Auth", "add_auth canonical_request signature"),
    ("botocore.httpsession:URLLib3Session", "send"),
    ("botocore.hooks:EventAliaser", "emit emit_until_response"),
    ("botocore.hooks:HierarchicalEmitter", "emit emit_until_response _emit"),
    ("botocore.retries.standard:RetryHandler", "needs_retry"),
    ("botocore.parsers:JSONParser", "_handle_json_body _do_parse"),
    ("botocore.parsers:ResponseParser", "parse"),
    ("botocore.validate:ParamValidationDecorator", "serialize_to_request"),
    ("botocore.useragent:UserAgentString", "to_string"),
    ("botocore.awsrequest", "AWSHTTPConnection AWSHTTPConnectionPool AWSRequest AWSResponse"),
    ("urllib3.connectionpool:HTTPConnectionPool", "urlopen"),
    ("socket", "socket"),
)  # fmt: skip
"""Functions that a straight call does not run: once somebody has replaced one of them, all calls are stock."""
_CONVERTED = (
    ("boto3.dynamodb.types:TypeSerializer", "serialize _serialize_n _serialize_s _serialize_m _serialize_l"),
    ("boto3.dynamodb.types:TypeDeserializer", "deserialize _deserialize_n _deserialize_s _deserialize_b"),
    ("boto3.dynamodb.types:TypeDeserializer", "_deserialize_m"),
    ("boto3.dynamodb.types:TypeDeserializer", "_deserialize_l _deserialize_ns _deserialize_ss _deserialize_bs"),
)  # fmt: skip
"""And those that a call of a resource does not run."""
_LOGGERS = ("client", "endpoint", "hooks", "parsers", "auth", "regions", "retries.standard", "retries.quota",
            "retryhandler", "httpsession", "handlers", "awsrequest", "useragent", "utils", "validate", "httpchecksum",
            "compress")  # fmt: skip
_KEYS_MAX = 64

straight_calls = 0
"""How many calls went straight in this process; for tests."""
_first = threading.local()
"""The first attempt's outcome on its way into the stock pipeline: `outcome`, and `invocation`, its id."""
_logger: Any = logging.getLogger("botocore.endpoint")
_keys: dict[tuple[str, str, str, str], bytes] = {}
_stamp = (0, "")
_trace = ("", "")
"""The latest trace id, and the header that it makes."""


def _is_quiet() -> bool:
    # No logger of the bypassed code would write a debug line. The logging module empties this cache when levels change.
    known: bool | None = _logger._cache.get("trine")
    if known is None:
        names = [*(f"botocore.{name}" for name in _LOGGERS), "boto3.resources.action", "boto3.resources.model"]
        known = _logger._cache["trine"] = not any(logging.getLogger(name).isEnabledFor(logging.DEBUG) for name in names)
    return known


def _signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    scope = (secret, date, region, service)
    key = _keys.get(scope)
    if key is None:
        if len(_keys) >= _KEYS_MAX:
            _keys.clear()
        key = f"AWS4{secret}".encode()
        for part in (date, region, service, "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        _keys[scope] = key
    return key


def _now() -> str:
    global _stamp
    seconds = int(time.time())
    if _stamp[0] != seconds:
        _stamp = (seconds, time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds)))
    return _stamp[1]


def _trace_line() -> str:
    # What `add_recursion_detection_header` adds.
    global _trace
    trace = os.environ.get("_X_AMZN_TRACE_ID")
    if not trace or "AWS_LAMBDA_FUNCTION_NAME" not in os.environ:
        return ""
    if _trace[0] != trace:
        _trace = (trace, "X-Amzn-Trace-Id: {}\r\n".format(quote(trace, safe="-=;:+&[]{}\"',")))
    return _trace[1]


def _message(plan: sdk_plan.Plan, agent: str, body: bytes, invocation: str) -> bytes | None:
    # The signed request; None when a value could break a line.
    credentials, signer = plan.credentials, plan.signer
    timestamp, token = _now(), credentials.token
    date = timestamp[:8]
    token_line, token_canonical, listed = "", "", "content-type;host;x-amz-date;x-amz-target"
    if token:
        token_line = f"X-Amz-Security-Token: {token}\r\n"
        token_canonical = f"x-amz-security-token:{' '.join(token.split())}\n"
        listed = "content-type;host;x-amz-date;x-amz-security-token;x-amz-target"
    canonical = (
        f"{plan.canonical_begin}{timestamp}\n{token_canonical}x-amz-target:{plan.target}\n\n{listed}\n"
        f"{hashlib.sha256(body).hexdigest()}"
    )
    scope = f"{date}/{signer._region_name}/{signer._signing_name}/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = _signing_key(credentials.secret_key, date, signer._region_name, signer._signing_name)
    signature = hmac.digest(key, f"AWS4-HMAC-SHA256\n{timestamp}\n{scope}\n{digest}".encode(), "sha256").hex()
    if "\n" in agent or "\r" in agent or (token and ("\n" in token or "\r" in token)):
        return None
    head = (
        f"{plan.head_begin}{agent}\r\n{_trace_line()}X-Amz-Date: {timestamp}\r\n{token_line}"
        f"Authorization: AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, SignedHeaders={listed}, "
        f"Signature={signature}\r\namz-sdk-invocation-id: {invocation}\r\n"
        f"amz-sdk-request: attempt=1; max={plan.attempts_max}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode("latin-1") + body


def _agent(client: Any, plan: sdk_plan.Plan) -> str:
    import botocore.context as context

    config, current = client._client_config, context._context.get(None)
    features = frozenset(current.features) if current is not None and current.features else frozenset()
    key = (features, config.user_agent_extra, config.user_agent, config.user_agent_appid)
    if plan.agent_key != key:
        token = context.set_context(context.ClientContext(features=set(plan.features | features)))
        try:
            plan.agent, plan.agent_key = client._user_agent_creator.to_string(), key
        finally:
            context.reset_context(token)
    return plan.agent


def _answer(plan: sdk_plan.Plan, headers: sdk_wire.Headers, body: bytes) -> Any:
    lowered = {name: pair[1] for name, pair in headers.items()}
    checksum = lowered.get("x-amz-crc32")
    if checksum is not None and zlib.crc32(body) != int(checksum):
        raise Unlike  # the stock retry handler looks at it too
    parsed = plan.parse(sdk_json.read(body) if body else {})
    metadata: dict[str, Any] = {}
    if "x-amzn-requestid" in lowered:
        metadata["RequestId"] = lowered["x-amzn-requestid"]
    metadata.update(HTTPStatusCode=200, HTTPHeaders=lowered, RetryAttempts=0)
    parsed["ResponseMetadata"] = metadata
    return parsed


def _watch(bypassed: tuple[tuple[str, str], ...]) -> Callable[[], bool]:
    parts: list[tuple[Any, str]] = []
    for owner, names in bypassed:
        module, _, attribute = owner.partition(":")
        found: Any = importlib.import_module(module)
        parts.append((getattr(found, attribute) if attribute else found, names))
    return watch(*parts)


def install() -> Callable[[], None]:
    """Put the straight way in place, above the pieces of `sdk_guard`; the answer takes it away again."""
    import boto3.dynamodb.transform as transform
    import botocore.client as client_module
    import botocore.endpoint as endpoint_module
    import botocore.history as history

    base: Any = client_module.BaseClient
    endpoint: Any = endpoint_module.Endpoint
    stock_call, stock_context, stock_send = base._make_api_call, endpoint._update_retries_context, endpoint._send
    is_stock, converts_as_stock = _watch(_BYPASSED), _watch(_CONVERTED)
    recorder: Any = history.get_global_history_recorder()

    def _update_retries_context(self: Any, context: Any, attempt: int, success_response: Any = None) -> Any:
        invocation = _first.__dict__.pop("invocation", None)
        if invocation is not None:
            context.setdefault("retries", {})["invocation-id"] = invocation  # the first attempt went out under it
        return stock_context(self, context, attempt, success_response)

    def _send(self: Any, request: Any) -> Any:
        outcome = _first.__dict__.pop("outcome", None)
        if outcome is None:
            return stock_send(self, request)
        return sdk_wire.deliver(request, *outcome)

    def rerun(self: Any, plan: Any, name: str, parameters: Any, outcome: Any, invocation: str) -> Any:
        _first.outcome, _first.invocation = (outcome, plan.place.read_seconds), invocation
        try:
            return stock_call(self, name, parameters)
        finally:
            _first.__dict__.clear()

    def _make_api_call(self: Any, operation_name: str, api_params: Any) -> Any:
        plans = self.__dict__.setdefault("_trine_plans", {})
        plan = plans.get(operation_name)
        if plan is None or plan.hooks is not plan.emitter._lookup_cache:
            plan = sdk_plan.plan(self, operation_name, api_params, sdk_wire.place_of)
            if plan is None:
                return stock_call(self, operation_name, api_params)
            plans[operation_name] = plan
        if (
            plan.convert is None
            or recorder._enabled
            or not _is_quiet()
            or not is_stock()
            or (plan.injector is not None and not converts_as_stock())
            or self._endpoint is not plan.endpoint
            or plan.endpoint.http_session is not plan.session
            or self._request_signer is not plan.signer
            or plan.signer._credentials is not plan.credentials
            or type(api_params) is not dict
        ):
            return stock_call(self, operation_name, api_params)
        return _go(self, plan, operation_name, api_params)

    def _go(self: Any, plan: Any, name: str, given: dict[str, Any]) -> Any:
        global straight_calls
        parameters = given
        if plan.conditions and any(type(given.get(each)) not in (str, type(None)) for each in plan.conditions):
            parameters = transform.copy_dynamodb_params(given)  # condition objects become expressions, in a copy
            plan.injector.inject_condition_expressions(parameters, plan.operation)
        for member in plan.idempotent:
            if member not in given:
                given[member] = parameters[member] = str(uuid.uuid4())
        try:
            body = sdk_json.write(plan.convert(parameters))
        except (Unlike, ArithmeticError):
            return stock_call(self, name, given)
        invocation = sdk_sign.invocation_id()
        message = _message(plan, _agent(self, plan), body, invocation)
        if message is None:
            return stock_call(self, name, given)
        try:
            connection = sdk_wire.connection_to(plan.place)
        except OSError:
            return stock_call(self, name, given)  # nothing was sent
        try:
            outcome = status, headers, content = sdk_wire.exchange(plan.place, message, connection)
        except (OSError, EOFError, sdk_wire.Malformed) as error:
            return rerun(self, plan, name, given, error, invocation)
        straight_calls += 1
        if status != 200:
            return rerun(self, plan, name, given, outcome, invocation)
        try:
            answer = _answer(plan, headers, content)
        except Exception:
            return rerun(self, plan, name, given, outcome, invocation)
        plan.quota.release(1)
        return answer

    base._make_api_call, endpoint._update_retries_context, endpoint._send = (
        _make_api_call, _update_retries_context, _send)  # fmt: skip

    def remove() -> None:
        base._make_api_call, endpoint._update_retries_context, endpoint._send = stock_call, stock_context, stock_send

    return remove
