"""The SDK's two containers of headers, with the same contents and manners, in fewer steps.

Both are asked dozens of times for each request; each lookup makes an object or goes through the e-mail package's
policy. And the body of a request is asked for alone, where the original prepares the whole request to throw it away.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .sdk_watch import watch

_NAMES_MAX = 500
_names: set[str] = set()
are_short = False
"""Whether `HeadersDict` keeps lower-case name → (name, value)."""


def _plain(name: str) -> bool:
    if name in _names:
        return True
    if type(name) is not str or not name.isascii() or not name.replace("-", "").isalnum():
        return False
    if len(_names) < _NAMES_MAX:
        _names.add(name)
    return True


def install() -> Callable[[], None]:
    """Put the shorter containers in place; the answer takes them away again."""
    import botocore.awsrequest as awsrequest
    import botocore.compat as compat

    global are_short
    undo: list[Callable[[], None]] = []

    def put(owner: Any, **members: Any) -> None:
        for name, member in members.items():
            if name in owner.__dict__:
                undo.append(lambda o=owner, n=name, m=owner.__dict__[name]: setattr(o, n, m))  # type: ignore[misc]
            else:
                undo.append(lambda o=owner, n=name: delattr(o, n))  # type: ignore[misc]
            setattr(owner, name, member)

    _shorten_headers_dict(awsrequest, put)
    _shorten_messages(compat.HTTPHeaders, put)
    _shorten_body(awsrequest, put)
    _shorten_preparation(awsrequest, compat.HTTPHeaders, put)

    are_short = True

    def remove() -> None:
        global are_short
        are_short = False
        for step in reversed(undo):
            step()

    return remove


def _shorten_headers_dict(awsrequest: Any, put: Callable[..., None]) -> None:
    # Keyed by the lower-case name, with the first spelling beside the value: what the original's key objects come to.
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        made: dict[str, tuple[str, Any]] = {}
        self._dict = made
        given: Any = args[0] if len(args) == 1 and not kwargs else None
        if type(self) is not awsrequest.HeadersDict or type(given) not in (dict, list):
            self.update(*args, **kwargs)
            return
        for name, value in given.items() if type(given) is dict else given:
            lower = name.lower()
            known = made.get(lower)
            made[lower] = (name if known is None else known[0], value)

    def __setitem__(self: Any, key: str, value: Any) -> None:
        lower = key.lower()
        known = self._dict.get(lower)
        self._dict[lower] = (key if known is None else known[0], value)

    def __getitem__(self: Any, key: str) -> Any:
        try:
            return self._dict[key.lower()][1]
        except KeyError:
            raise KeyError(awsrequest._HeaderKey(key)) from None

    def __delitem__(self: Any, key: str) -> None:
        try:
            del self._dict[key.lower()]
        except KeyError:
            raise KeyError(awsrequest._HeaderKey(key)) from None

    def __contains__(self: Any, key: Any) -> bool:
        return key.lower() in self._dict

    def get(self: Any, key: str, default: Any = None) -> Any:
        known = self._dict.get(key.lower())
        return default if known is None else known[1]

    def items(self: Any) -> Any:
        return list(self._dict.values())

    put(
        awsrequest.HeadersDict,
        __init__=__init__,
        __setitem__=__setitem__,
        __getitem__=__getitem__,
        __delitem__=__delitem__,
        __contains__=__contains__,
        __iter__=lambda self: iter([name for name, _ in self._dict.values()]),
        __repr__=lambda self: repr({awsrequest._HeaderKey(name): value for name, value in self._dict.values()}),
        get=get,
        items=items,
    )


def _shorten_messages(headers: Any, put: Callable[..., None]) -> None:
    # An e-mail message without the way through its policy, for plain names and texts; all else goes that way.
    stock = headers.__mro__[1]

    def __setitem__(self: Any, name: str, value: Any) -> None:
        if (type(value) is str or type(value) is bytes) and _plain(name):
            self._headers.append((name, value))
        else:
            stock.__setitem__(self, name, value)

    def __contains__(self: Any, name: str) -> bool:
        lower = name.lower()
        return any(known.lower() == lower for known, _ in self._headers)

    def get(self: Any, name: str, failobj: Any = None) -> Any:
        lower = name.lower()
        for known, value in self._headers:
            if known.lower() == lower:
                return stock.get(self, name, failobj) if type(value) is str and not value.isascii() else value
        return failobj

    def items(self: Any) -> Any:
        for _, value in self._headers:
            if type(value) is str and not value.isascii():
                return stock.items(self)
        return list(self._headers)

    put(
        headers,
        __setitem__=__setitem__,
        __contains__=__contains__,
        __getitem__=lambda self, name: self.get(name),
        get=get,
        items=items,
    )


def _shorten_body(awsrequest: Any, put: Callable[..., None]) -> None:
    request, preparer = awsrequest.AWSRequest, awsrequest.AWSRequestPreparer
    stock = request.__dict__["body"].fget

    def body(self: Any) -> Any:
        if type(self._request_preparer) is not preparer:
            return stock(self)
        found = self._request_preparer._prepare_body(self)
        return found.encode("utf-8") if isinstance(found, str) else found

    put(request, body=property(body))


def _shorten_preparation(awsrequest: Any, kind: Any, put: Callable[..., None]) -> None:
    # A signed request made final in one pass over its headers. The original appends each header's encoding behind all
    # headers and lets the last one win.
    import botocore.endpoint as endpoint_module

    endpoint: Any = endpoint_module.Endpoint
    stock = endpoint.prepare_request
    request_class, preparer, final = awsrequest.AWSRequest, awsrequest.AWSRequestPreparer, awsrequest.HeadersDict
    is_stock = watch(
        (request_class, "prepare"),
        (preparer, "prepare _prepare_url _prepare_body _prepare_headers _determine_content_length"),
        (endpoint, "_encode_headers"),
    )

    def prepare_request(self: Any, request: Any) -> Any:
        body: Any = request.data
        given = request.headers
        if (
            type(request) is not request_class
            or type(request._request_preparer) is not preparer
            or type(given) is not kind
            or type(body) not in (bytes, dict)
            or request.params
            or request.method != "POST"
            or not is_stock()
        ):
            return stock(self, request)
        made: dict[str, tuple[str, Any]] = {}
        encoded = []
        for name, value in given._headers:
            lower = name.lower()
            if type(value) is str:
                if not value.isascii():
                    return stock(self, request)
                value = value.encode()
                encoded.append((name, value))
            elif lower in made:
                return stock(self, request)
            known = made.get(lower)
            made[lower] = (name if known is None else known[0], value)
        given._headers.extend(encoded)
        if type(body) is dict:
            body = request._request_preparer._prepare_body(request)
        if "transfer-encoding" not in made and "content-length" not in made:
            made["content-length"] = ("Content-Length", str(len(body)))
        headers = final()
        headers._dict = made
        return awsrequest.AWSPreparedRequest(
            request.method, request.url, headers, None if body == b"" else body, request.stream_output, request.context
        )

    put(endpoint, prepare_request=prepare_request)
