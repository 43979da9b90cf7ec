"""Two values that the SDK computes anew for every request and that hardly ever change: kept, by all they depend on.

The User-Agent string (built twice a call, 80 µs) and the SigV4 signing key of a day (four of five HMACs). Both come
from the original functions the first time.
"""

from __future__ import annotations

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
