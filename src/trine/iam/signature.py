"""Signature Version 4: is this request really from the holder of the key, and from now?

Enters an `http.Request`, leaves the `SigningKey` that verified it. Everything in an Authorization header before the
signature stays the same for a day, so the parsed claims and the keyed hash states are cached under that prefix,
once it has verified; a hot call then costs four hashes and two comparisons. The payload's own hash is always what is
signed here: `UNSIGNED-PAYLOAD` and chunk signatures are S3's, other services answer them with a mismatch.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any
from urllib.parse import unquote_to_bytes

from trine.aws.arn import Place
from trine.clock import Clock
from trine.http.message import Request
from trine.iam import limits
from trine.iam.canonical import canonical_headers, canonical_path, canonical_queries
from trine.iam.claims import Claims, Scope, claims_of_header, claims_of_query, scope_of
from trine.iam.credentials import Credential
from trine.iam.errors import (
    ExpiredToken,
    IncompleteSignature,
    InvalidSignature,
    MissingAuthenticationToken,
    UnrecognizedClient,
)

_BLOCK_BYTES = 64
_sha256 = hashlib.sha256
_same = hmac.compare_digest
_STAMP = re.compile(rb"\d{8}T\d{6}Z")
_STAMPS_MAX = 256
_SKEW_SECONDS = float(limits.CLOCK_SKEW_SECONDS)  # compared with floats at every call: half the time of an integer
_SIGNATURE_CHARACTERS = 64
_OPENINGS_MAX = 64
_OPENING_MAX_BYTES = 4096
Opening = tuple[Any, ...]
States = tuple["hashlib._Hash", "hashlib._Hash", float]
"""The hash states behind an opening, and when it says that it was signed."""
_INVOCATION = b"amz-sdk-invocation-id"
"""Another one for each call, and signed by the SDK for JavaScript: an opening with it is never met again."""
_TOKEN = b"x-amz-security-token"
_UNSIGNED_ALLOWED = frozenset({_TOKEN, b"x-amz-content-sha256", b"x-amz-user-agent"})
"""`x-amz-` headers that change nothing when they are forged: the token is compared, the hash is computed anew."""


class SigningKey:
    """What one Authorization prefix stands for: its credential, scope, header names and keyed hash states."""

    __slots__ = ("_inner", "_is_new_each_time", "_outer", "_template", "credential", "date", "harmless", "known",
                 "names", "opened", "pick", "recent", "region", "scope", "service", "signed_headers")  # fmt: skip

    def __init__(self, claims: Claims, scope: Scope, credential: Credential) -> None:
        self.credential = credential
        self.date, self.region, self.service = scope.date, scope.region_meant, scope.service
        self.names = claims.signed_headers.split(b";")
        self.signed_headers = claims.signed_headers
        self._is_new_each_time = _INVOCATION in self.names
        parts = (scope.date, scope.region.encode(), scope.service.encode(), b"aws4_request")
        self.scope = b"/".join(parts)
        self.pick = _picker(self.names, credential.session is not None)
        escaped = [name.replace(b"%", b"%%") + b":%b\n" for name in self.names]
        self._template = (
            b"%b\n%b\n%b\n" + b"".join(escaped) + b"\n" + claims.signed_headers.replace(b"%", b"%%") + b"\n"
        )
        self.harmless = set(self.names) | _UNSIGNED_ALLOWED
        if credential.session is None:
            self.harmless.discard(_TOKEN)  # it belongs to no long-term key
        key = b"AWS4" + credential.secret.encode()
        for part in parts:
            key = hmac.digest(key, part, "sha256")
        padded = key.ljust(_BLOCK_BYTES, b"\0")
        self._inner = _sha256(bytes([byte ^ 0x36 for byte in padded]))
        self._outer = _sha256(bytes([byte ^ 0x5C for byte in padded]))
        self.known: Any = None
        """What `Access` knows of the caller that this key stands for; it forgets both together."""
        self.opened: dict[Opening, States] = {}
        """Openings whose token was right. A client sends the same one for a second."""
        self.recent: dict[bytes | None, tuple[Opening, tuple[bytes, ...], States]] = {}
        """By target: the latest of them, with the names of all headers that came with it. To compare with it takes a
        third of the time of finding it by its hash, for the token alone has a kilobyte."""

    def open(self, opening: Opening, headers: Mapping[bytes, bytes], stamp: bytes, signed_at: float) -> States:
        """The hash states behind the beginnings that `opening` gives the canonical request and the string to sign.

        An opening is all that a usual request is verified by, except its payload: method, target of the request line,
        the values of the signed headers (the stamp is one of them, `_harmless` sees to that) and of the token.
        """
        states = self.opened.get(opening)
        if states is None:
            method, request_target, signed = opening
            path, _, query = request_target.partition(b"?")
            canonical_query = next(canonical_queries(query)) if query else b""
            names_count = len(self.names)
            text = self._template % (method.encode(), canonical_path(path), canonical_query, *signed[:names_count])
            inner = self._inner.copy()
            inner.update(b"AWS4-HMAC-SHA256\n%b\n%b\n" % (stamp, self.scope))
            states = _sha256(text), inner, signed_at
            if len(text) > _OPENING_MAX_BYTES or self._is_new_each_time:
                return states
            if len(self.opened) >= _OPENINGS_MAX:
                self.opened.clear()
                self.recent.clear()
            self.opened[opening] = states
        self.recent[headers.get(b"x-amz-target")] = (opening, tuple(headers), states)
        return states

    def close(self, states: States, body: bytes) -> bytes:
        """The signature in hexadecimal of a request with `body` behind an opening."""
        canonical, inner, outer = states[0].copy(), states[1].copy(), self._outer.copy()
        canonical.update(_sha256(body).hexdigest().encode())
        inner.update(canonical.hexdigest().encode())
        outer.update(inner.digest())
        return outer.hexdigest().encode()

    def sign(self, stamp: bytes, canonical_request: bytes) -> bytes:
        """The signature in hexadecimal that `canonical_request` at `stamp` should bear."""
        inner = self._inner.copy()
        inner.update(
            b"AWS4-HMAC-SHA256\n%b\n%b\n%b" % (stamp, self.scope, _sha256(canonical_request).hexdigest().encode())
        )
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.hexdigest().encode()


def _picker(names: list[bytes], with_token: bool) -> Callable[[dict[bytes, bytes]], tuple[bytes, ...]]:
    """Takes the values of `names` out of a request's headers, and behind them the token's where it is not signed."""
    wanted = [*names, _TOKEN] if with_token and _TOKEN not in names else names
    if len(wanted) == 1:
        return lambda headers: (headers[wanted[0]],)
    return itemgetter(*wanted)


class Verifier:
    """Checks signatures of requests to a server at `home`; `find` gives the credential of an access key id."""

    def __init__(self, clock: Clock, find: Callable[[str], Credential | None], home: Place) -> None:
        self._now = clock.now
        self._find = find
        self._home = home
        self._keys: dict[bytes, SigningKey] = {}
        self._stamps: dict[bytes, float] = {}

    def forget(self) -> None:
        """Drop what is cached: a key was taken back or changed."""
        self._keys.clear()

    def verify(self, request: Request, service: str) -> SigningKey:
        """The key that signed `request` for `service`. Raises the named errors of `iam.errors`."""
        headers = request.headers.by_name
        authorization = headers.get(b"authorization")
        if authorization is None:
            return self._verify_query(request, service)
        key = self._keys.get(authorization[:-_SIGNATURE_CHARACTERS])
        if key is None or key.service != service:
            return self._verify_first(request, service, authorization)
        recent = key.recent.get(headers.get(b"x-amz-target"))
        if recent is not None:
            (method, target, signed), names, states = recent
            now, session = self._now(), key.credential.session
            if (
                tuple(headers) == names
                and not request.headers.repeats
                and key.pick(headers) == signed
                and request.target == target
                and request.method == method
                and -_SKEW_SECONDS <= states[2] - now <= _SKEW_SECONDS
                and (session is None or (session.expires_at > now and not session.revoked))
                and _same(key.close(states, request.body), authorization[-_SIGNATURE_CHARACTERS:])
            ):  # all but the payload and the signature is as it was when it was verified last
                return key
        return self._verify_known(request, service, key, authorization)

    def _verify_known(self, request: Request, service: str, key: SigningKey, authorization: bytes) -> SigningKey:
        """The way of a request whose key is known, and whose head is not like the one before."""
        headers, query = request.headers.by_name, request.query
        stamp = headers.get(b"x-amz-date")
        if stamp is None or not stamp.startswith(key.date) or (query and b"X-Amz-Algorithm" in query):
            return self._verify_first(request, service, authorization)
        try:
            opening = (request.method, request.target, key.pick(headers))
        except KeyError:  # it names a header that is not there
            return self._verify_first(request, service, authorization)
        signed_at = self._check_time(stamp, service)
        self._check_token(headers.get(_TOKEN), key.credential, service)
        signature = authorization[-_SIGNATURE_CHARACTERS:]
        if not request.headers.repeats and (headers.keys() <= key.harmless or self._harmless(headers, key)):
            states = key.open(opening, headers, stamp, signed_at)
            if _same(key.close(states, request.body), signature):
                return key
        # Repeated headers, or one that had to be signed; folded space, odd encoding, or a forgery.
        self._check_slowly(request, key, stamp, signature, service, query)
        return key

    def _harmless(self, headers: dict[bytes, bytes], key: SigningKey) -> bool:
        """Every `x-amz-` header has to be signed; names that passed are remembered, so that this is asked once."""
        extra = [name for name in headers if name not in key.harmless]
        if any(name.startswith(b"x-amz-") for name in extra):
            return False
        if len(key.harmless) < 4 * limits.SIGNED_HEADERS_MAX:
            key.harmless.update(extra)
        return True

    def _verify_first(self, request: Request, service: str, authorization: bytes) -> SigningKey:
        """The long way, for a prefix not seen before; it is cached only after it has verified."""
        headers = request.headers
        if b"X-Amz-Algorithm" in request.query:
            raise InvalidSignature(
                service,
                "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
            )
        stamp = headers.get(b"x-amz-date") or _http_date(headers.get(b"date"))
        claims = claims_of_header(authorization, service, dated=stamp is not None)
        assert stamp is not None
        self._check_time(stamp, service)
        key = self._key(claims, stamp, headers.get(b"x-amz-security-token"), service)
        self._check_slowly(request, key, stamp, claims.signature, service, request.query)
        _, _, last = authorization.rpartition(b"Signature=")
        # Only where the signature stands last does what is before it hold every claim.
        if last == claims.signature and len(last) == _SIGNATURE_CHARACTERS and headers.get(b"x-amz-date") is not None:
            if len(self._keys) >= limits.VERIFIED_PREFIXES_MAX:
                self._keys.pop(next(iter(self._keys)))
            self._keys[authorization[:-_SIGNATURE_CHARACTERS]] = key
        return key

    def _verify_query(self, request: Request, service: str) -> SigningKey:
        """A presigned URL: the claims stand in the query, the signature itself is left out of what is signed."""
        if b"X-Amz-Algorithm" not in request.query:
            raise MissingAuthenticationToken(service)
        pairs = [pair.partition(b"=") for pair in request.query.split(b"&")]
        claims = claims_of_query({name: unquote_to_bytes(value) for name, _, value in pairs}, service)
        assert claims.stamp is not None
        self._check_time(claims.stamp, service, lifetime_seconds=claims.expires_seconds)
        key = self._key(claims, claims.stamp, claims.token, service)
        rest = b"&".join(name + equals + value for name, equals, value in pairs if name != b"X-Amz-Signature")
        self._check_slowly(request, key, claims.stamp, claims.signature, service, rest)
        return key

    def _key(self, claims: Claims, stamp: bytes, token: bytes | None, service: str) -> SigningKey:
        scope = scope_of(claims, stamp, service, self._home)
        credential = self._find(scope.access_key_id)
        if credential is None:
            raise UnrecognizedClient(service)
        self._check_token(token, credential, service)
        return SigningKey(claims, scope, credential)

    def _check_token(self, token: bytes | None, credential: Credential, service: str) -> None:
        session = credential.session
        if session is None:
            if token is not None:
                raise UnrecognizedClient(service)
            return
        if token is None or not _same(token, credential.token) or session.revoked:
            raise UnrecognizedClient(service)
        if session.expires_at <= self._now():
            raise ExpiredToken(service)

    def _check_time(self, stamp: bytes, service: str, *, lifetime_seconds: int = limits.CLOCK_SKEW_SECONDS) -> float:
        """When it was signed, where that is not too long ago nor to come."""
        signed_at = self._stamps.get(stamp)
        if signed_at is None:
            signed_at = self._read_stamp(stamp, service)
        now = self._now()
        if now - lifetime_seconds <= signed_at <= now + limits.CLOCK_SKEW_SECONDS:
            return signed_at
        text = stamp.decode()
        if signed_at < now - lifetime_seconds:
            bound = _iso(now - lifetime_seconds)
            raise InvalidSignature(
                service,
                f"Signature expired: {text} is now earlier than {bound} ({_iso(now)} - {lifetime_seconds // 60} min.)",
            )
        skew = limits.CLOCK_SKEW_SECONDS
        raise InvalidSignature(
            service,
            f"Signature not yet current: {text} is still later than {_iso(now + skew)} "
            f"({_iso(now)} + {skew // 60} min.)",
        )

    def _read_stamp(self, stamp: bytes, service: str) -> float:
        try:
            if not _STAMP.fullmatch(stamp):
                raise ValueError
            signed_at = datetime.strptime(stamp.decode(), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
        except ValueError:
            raise IncompleteSignature(
                service,
                "Date must be in ISO-8601 'basic format'. Got '" + stamp[:64].decode("ascii", "replace")
                + "'. See http://en.wikipedia.org/wiki/ISO_8601",
            ) from None  # fmt: skip
        if len(self._stamps) >= _STAMPS_MAX:
            self._stamps.clear()
        self._stamps[stamp] = signed_at
        return signed_at

    def _check_slowly(
        self, request: Request, key: SigningKey, stamp: bytes, signature: bytes, service: str, query: bytes
    ) -> None:
        """Every canonical form a correct signer may have used; raises InvalidSignature when none fits."""
        names = request.headers.by_name
        if request.headers.repeats and len(request.headers.all(b"authorization")) > 1:
            # Which one counts, and to whom else? A proxy on the way may have read the other.
            raise IncompleteSignature(service, "Request has more than one Authorization header.")
        for name in names:
            if name.startswith(b"x-amz-") and name not in key.names and name not in _UNSIGNED_ALLOWED:
                shown = name.decode("ascii", "replace")
                raise InvalidSignature(service, f"'{shown}' must be a 'SignedHeader' in the AWS Authorization.")
        block = canonical_headers(request.headers, key.names)
        if block is None:
            raise InvalidSignature(service)
        path, payload = canonical_path(request.path), _sha256(request.body).hexdigest().encode()
        for canonical_query in canonical_queries(query):
            canonical = b"\n".join((request.method.encode(), path, canonical_query, block, key.signed_headers, payload))
            if _same(key.sign(stamp, canonical), signature):
                return
        raise InvalidSignature(service)


def _http_date(value: bytes | None) -> bytes | None:
    """A Date header as the ISO 8601 basic form that is signed."""
    if value is None:
        return None
    if _STAMP.fullmatch(value):
        return value
    from email.utils import parsedate_to_datetime  # only requests with a Date header pay for it

    try:
        return parsedate_to_datetime(value.decode("ascii")).astimezone(UTC).strftime("%Y%m%dT%H%M%SZ").encode()
    except (ValueError, TypeError, UnicodeDecodeError, OverflowError):
        return None


def _iso(instant: float) -> str:
    return datetime.fromtimestamp(instant, UTC).strftime("%Y%m%dT%H%M%SZ")
