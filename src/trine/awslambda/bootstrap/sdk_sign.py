"""Values that the SDK computes anew for every request and that hardly ever change, kept by all they depend on; and
SigV4 of a plain request in one pass.

The User-Agent string (built twice a call, 80 µs) and the SigV4 signing key of a day (four of five HMACs) come from the
original functions the first time. Plain requests are POSTs of bytes to `/` without a query, as DynamoDB's all are.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

_KEYS_MAX = 64


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
    parts = ("canonical_request", "headers_to_sign", "payload", "string_to_sign", "_inject_signature_to_request",
             "_modify_request_before_signing", "_set_necessary_date_headers")  # fmt: skip
    watched = [(name, signer.__dict__[name]) for name in parts]

    def add_auth(self: Any, request: Any) -> None:
        headers, body, context = request.headers, request.data, request.context
        if (
            type(self) is not signer
            or self.credentials is None
            or request.params
            or type(body) is not bytes
            or type(headers) is not compat.HTTPHeaders
            or request.method.upper() != "POST"
            or not request.url.startswith("http://")
            or request.url.find("/", 7) != len(request.url) - 1
            or context.get("checksum")
            or not context.get("payload_signing_enabled", True)
            or "Date" in headers
            or "X-Amz-Content-SHA256" in headers
            or auth.logger.isEnabledFor(10)
            or any(signer.__dict__[name] is not part for name, part in watched)
        ):
            stock(self, request)
            return
        credentials = self.credentials
        timestamp = context["timestamp"] = module.get_current_datetime().strftime(auth.SIGV4_TIMESTAMP)
        replaced = {"authorization", "x-amz-date"}
        if credentials.token:
            replaced.add("x-amz-security-token")
        kept: list[Any] = [pair for pair in headers._headers if pair[0].lower() not in replaced]
        kept.append(("X-Amz-Date", timestamp))
        if credentials.token:
            kept.append(("X-Amz-Security-Token", credentials.token))
        headers._headers[:] = kept
        signed: dict[str, str] = {}
        for name, value in kept:
            lower = name.lower()
            if lower not in unsigned:
                text = " ".join((value.decode("utf-8") if type(value) is bytes else value).split())
                signed[lower] = f"{signed[lower]},{text}" if lower in signed else text
        if "host" not in signed:
            signed["host"] = module._host_from_url(request.url)
        names = sorted(signed)
        listed = ";".join(names)
        lines = "\n".join([f"{name}:{signed[name]}" for name in names])
        canonical = f"POST\n/\n\n{lines}\n\n{listed}\n{hashlib.sha256(body).hexdigest()}"
        digest = hashlib.sha256(canonical.encode("utf-8")).hexdigest()
        scope = f"{timestamp[0:8]}/{self._region_name}/{self._service_name}/aws4_request"
        signature = self.signature(f"AWS4-HMAC-SHA256\n{timestamp}\n{scope}\n{digest}", request)
        headers["Authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, SignedHeaders={listed}, "
            f"Signature={signature}"
        )

    signer.add_auth = add_auth

    def remove() -> None:
        signer.add_auth = stock

    return remove
