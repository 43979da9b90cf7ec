"""Values that the SDK computes anew for every request and that hardly ever change, kept by all they depend on; and
SigV4 of a plain request in one pass.

The User-Agent string (built twice a call, 80 µs) and the SigV4 signing key of a day (four of five HMACs) come from the
original functions the first time. Plain requests are POSTs of bytes or forms to `/` without a query, as those of the
JSON and query protocols all are.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable
from typing import Any

from .sdk_watch import watch

_KEYS_MAX = 64
_HOSTS_MAX = 200
_DATED = frozenset({"date", "x-amz-content-sha256"})
_REPLACED = frozenset({"authorization", "x-amz-date"})
_TOKEN = "x-amz-security-token"  # noqa: S105 -- a header's name


def install_agent() -> Callable[[], None]:
    """Keep the User-Agent string with each object that makes it; the answer undoes this."""
    import botocore.context
    import botocore.useragent as useragent

    maker: Any = useragent.UserAgentString
    stock = maker.to_string
    get_context: Any = botocore.context.get_context

    def to_string(self: Any) -> str:
        config, context = self._client_config, get_context()
        key = (
            frozenset(context.features) if context is not None else None,
            frozenset(self._client_features or ()),
            self._session_user_agent_name,
            self._session_user_agent_version,
            self._session_user_agent_extra,
            self._execution_env,
            id(config),
            config and (
                config.__dict__.get("_supplied_user_agent"),
                config.user_agent,
                config.user_agent_extra,
                config.user_agent_appid,
                (config.retries or {}).get("mode"),
                config.endpoint_discovery_enabled,
            ),
            useragent.modify_components,
        )  # fmt: skip
        kept = self.__dict__.get("_trine_agent")
        if kept is not None and kept[0] == key:
            text: str = kept[1]
            return text
        text = stock(self)
        self._trine_agent = (key, text)
        return text

    maker.to_string = to_string

    def remove() -> None:
        maker.to_string = stock

    return remove


def invocation_id() -> str:
    """What `str(uuid.uuid4())` gives, at a third of the time."""
    drawn = os.urandom(16).hex()
    variant = "89ab"[int(drawn[16], 16) & 3]
    return f"{drawn[:8]}-{drawn[8:12]}-4{drawn[13:16]}-{variant}{drawn[17:20]}-{drawn[20:]}"


def install_invocation() -> Callable[[], None]:
    """Give each call its id without making a UUID of it; the answer undoes this."""
    import uuid

    import botocore.endpoint as endpoint_module

    endpoint: Any = endpoint_module.Endpoint
    stock = endpoint._update_retries_context
    is_stock = watch((endpoint_module, "uuid"), (uuid, "uuid4 UUID"), (os, "urandom"))

    def _update_retries_context(self: Any, context: Any, attempt: int, success_response: Any = None) -> None:
        retries = context.setdefault("retries", {})
        if "invocation-id" in retries or not is_stock():
            stock(self, context, attempt, success_response)
            return
        retries["attempt"] = attempt
        retries["invocation-id"] = invocation_id()
        if success_response:
            stock(self, context, attempt, success_response)

    endpoint._update_retries_context = _update_retries_context

    def remove() -> None:
        endpoint._update_retries_context = stock

    return remove


def install_key() -> Callable[[], None]:
    """Keep derived signing keys by secret, day, region and service; the answer undoes this."""
    import botocore.auth as auth

    signer: Any = auth.SigV4Auth
    stock = signer.signature
    stock_sign = signer._sign
    kept: dict[tuple[str, str, str, str], bytes] = {}

    def signature(self: Any, string_to_sign: str, request: Any) -> str:
        if type(self)._sign is not stock_sign:
            found: str = stock(self, string_to_sign, request)
            return found
        scope = (self.credentials.secret_key, request.context["timestamp"][0:8], self._region_name, self._service_name)
        key = kept.get(scope)
        if key is None:
            if len(kept) >= _KEYS_MAX:
                kept.clear()
            key = self._sign(f"AWS4{scope[0]}".encode(), scope[1])
            for part in (scope[2], scope[3], "aws4_request"):
                key = self._sign(key, part)
            kept[scope] = key
        return hmac.digest(key, string_to_sign.encode("utf-8"), "sha256").hex()

    signer.signature = signature

    def remove() -> None:
        signer.signature = stock

    return remove


def install_sign() -> Callable[[], None]:
    """Sign plain requests in one pass over their headers; the answer undoes this."""
    import botocore.auth as auth
    import botocore.compat as compat

    signer: Any = auth.SigV4Auth
    module: Any = auth
    stock = signer.add_auth
    unsigned = frozenset(auth.SIGNED_HEADERS_BLACKLIST)
    is_stock = watch(
        (auth, "_host_from_url"),
        (signer, "canonical_request headers_to_sign payload string_to_sign _inject_signature_to_request"),
        (signer, "_modify_request_before_signing _set_necessary_date_headers"),
    )
    hosts: dict[str, str | None] = {}
    stamp: tuple[Any, str] = (None, "")

    def host_of(url: str) -> str | None:
        # The Host header of a plain URL; None for another one.
        host = module._host_from_url(url) if url.startswith("http://") and url.find("/", 7) == len(url) - 1 else None
        if len(hosts) >= _HOSTS_MAX:
            hosts.clear()
        hosts[url] = host
        return host

    def written(moment: Any) -> str:
        nonlocal stamp
        second = moment.replace(microsecond=0)
        if second != stamp[0]:
            stamp = (second, moment.strftime(auth.SIGV4_TIMESTAMP))
        return stamp[1]

    def add_auth(self: Any, request: Any) -> None:
        headers, context, url = request.headers, request.context, request.url
        body = request.body if type(request.data) is dict else request.data  # a form is a dictionary until it is sent
        host = hosts[url] if url in hosts else host_of(url)
        if (
            host is None
            or type(self) is not signer
            or self.credentials is None
            or request.params
            or type(body) is not bytes
            or type(headers) is not compat.HTTPHeaders
            or request.method != "POST"
            or context.get("checksum")
            or not context.get("payload_signing_enabled", True)
            or auth.logger.isEnabledFor(10)
            or not is_stock()
        ):
            stock(self, request)
            return
        credentials = self.credentials
        token = credentials.token
        signed: dict[str, str] = {"host": host}
        kept: list[Any] = []
        for pair in headers._headers:
            name, value = pair
            lower = name.lower()
            if lower in _DATED or lower == "host":
                stock(self, request)
                return
            if lower in _REPLACED or (token and lower == _TOKEN):
                continue
            kept.append(pair)
            if lower not in unsigned:
                text = " ".join((value.decode("utf-8") if type(value) is bytes else value).split())
                signed[lower] = f"{signed[lower]},{text}" if lower in signed else text
        timestamp = context["timestamp"] = signed["x-amz-date"] = written(module.get_current_datetime())
        kept.append(("X-Amz-Date", timestamp))
        if token:
            kept.append(("X-Amz-Security-Token", token))
            signed[_TOKEN] = " ".join(token.split())
        names = sorted(signed)
        listed = ";".join(names)
        lines = "\n".join([f"{name}:{signed[name]}" for name in names])
        canonical = f"POST\n/\n\n{lines}\n\n{listed}\n{hashlib.sha256(body).hexdigest()}"
        digest = hashlib.sha256(canonical.encode("utf-8")).hexdigest()
        scope = f"{timestamp[0:8]}/{self._region_name}/{self._service_name}/aws4_request"
        signature = self.signature(f"AWS4-HMAC-SHA256\n{timestamp}\n{scope}\n{digest}", request)
        authorization = (
            f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, SignedHeaders={listed}, "
            f"Signature={signature}"
        )
        kept.append(("Authorization", authorization))
        headers._headers[:] = kept

    signer.add_auth = add_auth

    def remove() -> None:
        signer.add_auth = stock

    return remove
