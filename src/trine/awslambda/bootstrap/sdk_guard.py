"""Which of the SDK's functions may be replaced: those whose source is the very one a replacement was written for.

A version of botocore whose function reads differently runs stock. Fingerprints are of the source text, so they hold for
every Python version.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import inspect
from collections.abc import Callable
from typing import Any

from . import (
    sdk_endpoint,
    sdk_events,
    sdk_headers,
    sdk_resource,
    sdk_session,
    sdk_shapes,
    sdk_sign,
    sdk_straight,
    sdk_wire,
)

Put = Callable[[], Callable[[], None]]
PIECES: dict[str, tuple[Put, tuple[str, ...]]] = {
    "agent": (
        sdk_sign.install_agent,
        (
            "botocore.useragent:UserAgentString",
            "botocore.useragent:modify_components",
        ),
    ),
    "invocation": (sdk_sign.install_invocation, ("botocore.endpoint:Endpoint._update_retries_context",)),
    "key": (sdk_sign.install_key, ("botocore.auth:SigV4Auth.signature", "botocore.auth:SigV4Auth._sign")),
    "sign": (sdk_sign.install_sign, ("botocore.auth:SigV4Auth", "botocore.auth:_host_from_url")),
    "wire": (
        sdk_wire.install,
        (
            "botocore.httpsession:URLLib3Session",
            "botocore.awsrequest:AWSResponse",
            "botocore.awsrequest:AWSConnection",
        ),
    ),
    "headers": (
        sdk_headers.install,
        (
            "botocore.awsrequest:HeadersDict",
            "botocore.awsrequest:_HeaderKey",
            "botocore.awsrequest:AWSRequest",
            "botocore.awsrequest:AWSRequestPreparer",
            "botocore.awsrequest:AWSPreparedRequest",
            "botocore.endpoint:Endpoint.prepare_request",
            "botocore.endpoint:Endpoint._encode_headers",
            "botocore.utils:determine_content_length",
            "botocore.compat:HTTPHeaders",
        ),
    ),
    "endpoint": (
        sdk_endpoint.install,
        (
            "botocore.regions:EndpointRulesetResolver",
            "botocore.endpoint_provider:EndpointProvider",
        ),
    ),
    "urls": (sdk_endpoint.install_urls, ("botocore.awsrequest:_urljoin",)),
    "serialize": (
        sdk_shapes.install_serializer,
        (
            "botocore.validate:ParamValidationDecorator",
            "botocore.validate:ParamValidator",
            "botocore.serialize:Serializer",
            "botocore.serialize:JSONSerializer",
        ),
    ),
    "parse": (
        sdk_shapes.install_parser,
        ("botocore.parsers:BaseJSONParser", "botocore.parsers:JSONParser", "botocore.parsers:ResponseParser"),
    ),
    "events": (
        sdk_events.install_events,
        ("botocore.hooks:EventAliaser", "botocore.hooks:HierarchicalEmitter"),
    ),
    "retries": (
        sdk_events.install_retries,
        (
            "botocore.retries.standard:RetryHandler",
            "botocore.retries.standard:RetryPolicy",
            "botocore.retries.standard:RetryEventAdapter",
            "botocore.retries.standard:RetryContext",
            "botocore.retries.standard:StandardRetryConditions",
            "botocore.retries.standard:MaxAttemptsChecker",
            "botocore.retries.standard:OrRetryChecker",
            "botocore.retries.standard:TransientRetryableChecker",
            "botocore.retries.standard:ThrottledRetryableChecker",
            "botocore.retries.standard:ThrottlingStatusCodeChecker",
            "botocore.retries.standard:ModeledRetryableChecker",
            "botocore.retries.special:RetryIDPCommunicationError",
            "botocore.retries.special:RetryDDBChecksumError",
        ),
    ),
    "resource": (
        sdk_resource.install,
        (
            "boto3.dynamodb.types:TypeSerializer",
            "boto3.dynamodb.types:TypeDeserializer",
            "boto3.dynamodb.transform:ParameterTransformer",
            "boto3.dynamodb.transform:copy_dynamodb_params",
        ),
    ),
    "hooks": (sdk_session.install_hooks, ("botocore.compat:accepts_kwargs", "botocore.hooks:BaseEventHooks")),
    "rules": (
        sdk_endpoint.install_rules,
        ("botocore.endpoint_provider:EndpointProvider", "botocore.endpoint_provider:RuleSet"),
    ),
    "contexts": (
        sdk_session.install_contexts,
        (
            "botocore.httpsession:create_urllib3_context",
            "botocore.httpsession:URLLib3Session._get_ssl_context",
            "botocore.httpsession:URLLib3Session._get_pool_manager_kwargs",
        ),
    ),
    "credentials": (
        sdk_session.install_credentials,
        (
            "botocore.session:Session.get_credentials",
            "botocore.session:Session._create_credential_resolver",
            "botocore.session:Session._register_credential_provider",
            "botocore.session:ComponentLocator",
            "botocore.credentials:create_credential_resolver",
            "botocore.credentials:EnvProvider",
            "botocore.credentials:CredentialResolver",
        ),
    ),
    "session": (
        sdk_session.install_session,
        (
            "boto3:_get_default_session",
            "boto3:setup_default_session",
            "boto3.session:Session",
            "botocore.session:Session",
            "botocore.session:get_session",
        ),
    ),
}
"""Name of each replacement → (what puts it in place, the source that it stands for)."""

KNOWN: dict[str, frozenset[str]] = {
    "agent": frozenset({"bd508eaad45c651d", "c76988cde7a54bae"}),
    "invocation": frozenset({"f50793020b61fed6"}),
    "key": frozenset({"d504b3e9aa1b68a2"}),
    "sign": frozenset({"9c6c2c4e6410ba86"}),
    "wire": frozenset({"06d3b061caa8e1d0"}),
    "headers": frozenset({"8d333f7686c786ac"}),
    "endpoint": frozenset({"5874c440c364c4a2"}),
    "urls": frozenset({"62a7d7fa68989100"}),
    "serialize": frozenset({"27d7e5835dbb2017"}),
    "parse": frozenset({"e685b58b16b96743"}),
    "events": frozenset({"a37ab35ed69b3e43"}),
    "retries": frozenset({"6f7d3c7f8ad7f82d"}),
    "resource": frozenset({"72187272375d9aa8"}),
    "hooks": frozenset({"3c254b5a28c67e76"}),
    "rules": frozenset({"f8ad0e8e0d8adb13"}),
    "contexts": frozenset({"fd693125bf144296"}),
    "credentials": frozenset({"96491a6b88f11bd1"}),
    "session": frozenset({"acd8d80d06f616ce"}),
}
"""Fingerprints that each piece was tested with."""


def fingerprint(names: tuple[str, ...]) -> str:
    """Hash of the source of `module:object` names; '' when one is missing."""
    digest = hashlib.sha256()
    try:
        for name in names:
            module, _, path = name.partition(":")
            found: Any = functools.reduce(getattr, path.split("."), importlib.import_module(module))
            for function in _functions(found):
                digest.update(_source(function))
    except (ImportError, AttributeError, OSError, TypeError):
        return ""
    return digest.hexdigest()[:16]


def _functions(found: Any) -> list[Any]:
    # A class stands for all functions it defines, in a fixed order.
    if not inspect.isclass(found):
        return [found]
    members = [getattr(member, "fget", None) or member for _, member in sorted(vars(found).items())]
    return [
        getattr(member, "__func__", member)
        for member in members
        if hasattr(getattr(member, "__func__", member), "__code__")
    ]


def _source(function: Any) -> bytes:
    # The lines from its first to its last instruction: inspect.getsource would tokenize the file, which costs more.
    code = function.__code__
    last = max((line for _, _, line in code.co_lines() if line is not None), default=code.co_firstlineno)
    return b"".join(_lines(code.co_filename)[code.co_firstlineno - 1 : last])


@functools.lru_cache(maxsize=32)
def _lines(path: str) -> list[bytes]:
    with open(path, "rb") as file:
        return file.read().splitlines(keepends=True)


_fits_straight = False


def install() -> dict[str, Callable[[], None]]:
    """Put in place what fits this SDK; name → what takes it away again."""
    global _fits_straight
    # All are looked at before the first is put in place.
    known = [name for name, (_, names) in PIECES.items() if fingerprint(names) in KNOWN.get(name, frozenset())]
    _fits_straight = len(known) == len(PIECES) and fingerprint(sdk_straight.SOURCES) in sdk_straight.KNOWN
    return {name: PIECES[name][0]() for name in known}


def install_straight(installed: dict[str, Callable[[], None]]) -> None:
    """Put the straight way on top of the pieces where all of them fit and its own sources do."""
    if _fits_straight:
        installed["straight"] = sdk_straight.install()
