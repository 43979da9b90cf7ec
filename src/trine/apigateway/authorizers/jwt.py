"""JSON Web Tokens signed with RSA: taken apart, verified, their claims checked. Pure; no time, no network.

API Gateway takes RSA only (RS256, RS384, RS512: "Currently, only RSA-based algorithms are supported"), and verifying an
RSA signature needs no secret: one `pow` and a comparison with the whole padded message rebuilt from the digest
(RFC 8017, 8.2.2), which leaves nothing to parse and so nothing to forge. That is why no cryptography package is needed.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from msgspec import Struct

TOKEN_BYTES = 10_240
"""A token travels in a header, and headers have at most so many bytes together."""
MODULUS_BITS_MIN = 1_024
MODULUS_BITS_MAX = 16_384

_DIGEST_INFO = {
    "RS256": ("sha256", bytes.fromhex("3031300d060960864801650304020105000420")),
    "RS384": ("sha384", bytes.fromhex("3041300d060960864801650304020205000430")),
    "RS512": ("sha512", bytes.fromhex("3051300d060960864801650304020305000440")),
}
"""Algorithm → hash and the DER prefix of its DigestInfo (RFC 8017, 9.2, notes)."""


class TokenRefused(ValueError):
    """The token is not valid; the text is what `error_description` says."""


class RsaKey(Struct, frozen=True):
    """A public key of a key set."""

    key_id: str
    modulus: int
    exponent: int
    algorithm: str | None = None

    @property
    def size_bytes(self) -> int:
        """Length of a signature."""
        return (self.modulus.bit_length() + 7) // 8


class Token(Struct, frozen=True):
    """A token taken apart; nothing of it is verified yet."""

    algorithm: str
    key_id: str
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes


def bearer(value: str) -> str:
    """The token in a header: bare, or after `Bearer`."""
    head, _, tail = value.strip().partition(" ")
    return tail.strip() if head.lower() == "bearer" and tail else value.strip()


def _decode(part: str, what: str) -> bytes:
    try:
        if not part.isascii() or any(character in "+/=" or character.isspace() for character in part):
            raise ValueError
        return urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError:
        raise TokenRefused(f"the token's {what} is not base64url") from None


def _object(raw: bytes, what: str) -> dict[str, Any]:
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise TokenRefused(f"the token's {what} is not JSON") from None
    if not isinstance(value, dict):
        raise TokenRefused(f"the token's {what} is no object")
    return value


def read_token(text: str) -> Token:
    """Take a compact JWS apart. TokenRefused when it is none, or its algorithm is not RSA."""
    if len(text) > TOKEN_BYTES:
        raise TokenRefused("the token is too long")
    parts = text.split(".")
    if len(parts) != 3:
        raise TokenRefused("the token contains an invalid number of segments")
    header = _object(_decode(parts[0], "header"), "header")
    algorithm, key_id = header.get("alg"), header.get("kid")
    if algorithm not in _DIGEST_INFO:
        raise TokenRefused(f"signing method {str(algorithm)[:20]} is invalid")
    if not isinstance(key_id, str) or not key_id:
        raise TokenRefused("the token has no key id")
    if "crit" in header:
        raise TokenRefused("the token has critical extensions")
    claims = _object(_decode(parts[1], "claims"), "claims")
    signature = _decode(parts[2], "signature")
    return Token(str(algorithm), key_id, claims, f"{parts[0]}.{parts[1]}".encode(), signature)


def verify_signature(token: Token, key: RsaKey) -> None:
    """TokenRefused unless `key` signed the token with its algorithm."""
    if key.algorithm is not None and key.algorithm != token.algorithm:
        raise TokenRefused("the key is for another algorithm")
    name, prefix = _DIGEST_INFO[token.algorithm]
    digest = hashlib.new(name, token.signed).digest()
    size = key.size_bytes
    padding = size - 3 - len(prefix) - len(digest)
    number = int.from_bytes(token.signature, "big")
    if len(token.signature) != size or padding < 8 or number >= key.modulus:
        raise TokenRefused("the signature is invalid")
    expected = b"\x00\x01" + b"\xff" * padding + b"\x00" + prefix + digest
    found = pow(number, key.exponent, key.modulus).to_bytes(size, "big")
    if not hmac.compare_digest(found, expected):
        raise TokenRefused("the signature is invalid")


def read_key_set(document: bytes) -> dict[str, RsaKey]:
    """The RSA signature keys of a JWKS by key id; keys of other kinds are left out. TokenRefused when it is no set."""
    keys = _object(document, "key set").get("keys")
    if not isinstance(keys, list):
        raise TokenRefused("the key set has no keys")
    found: dict[str, RsaKey] = {}
    for entry in keys:
        if not isinstance(entry, dict) or entry.get("kty") != "RSA" or entry.get("use", "sig") != "sig":
            continue
        key_id, modulus, exponent = entry.get("kid"), entry.get("n"), entry.get("e")
        if not isinstance(key_id, str) or not isinstance(modulus, str) or not isinstance(exponent, str):
            continue
        n = int.from_bytes(_decode(modulus.rstrip("="), "key set"), "big")
        e = int.from_bytes(_decode(exponent.rstrip("="), "key set"), "big")
        if MODULUS_BITS_MIN <= n.bit_length() <= MODULUS_BITS_MAX and 3 <= e < 2**64 and n & 1 and e & 1:
            algorithm = entry.get("alg")
            found[key_id] = RsaKey(key_id, n, e, algorithm if isinstance(algorithm, str) else None)
    return found


def check_claims(claims: Mapping[str, Any], *, issuer: str, audience: Sequence[str], now_seconds: float) -> None:
    """`iss`, `aud` (or `client_id`), `exp`, `nbf` and `iat`, in the order of the HTTP API Developer Guide."""
    if claims.get("iss") != issuer:
        raise TokenRefused("the token's issuer is not the authorizer's")
    if audience:
        named = claims.get("aud", claims.get("client_id"))
        names = named if isinstance(named, list) else [named]
        if not any(name in audience for name in names if isinstance(name, str)):
            raise TokenRefused("the token's audience does not match")
    check_times(claims, now_seconds)


def check_times(claims: Mapping[str, Any], now_seconds: float) -> None:
    """`exp` must be in the future, `nbf` in the past, `iat` in the past."""
    expires = _instant(claims, "exp")
    if expires is None:
        raise TokenRefused("the token has no expiry")
    if expires <= now_seconds:
        raise TokenRefused("the token has expired")
    not_before = _instant(claims, "nbf")
    if not_before is not None and not_before > now_seconds:
        raise TokenRefused("the token is not valid yet")
    issued = _instant(claims, "iat")
    if issued is not None and issued > now_seconds:
        raise TokenRefused("the token was used before it was issued")


def _instant(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenRefused(f"the token's {name} is no number")
    return float(value)


def scopes_of(claims: Mapping[str, Any]) -> list[str]:
    """The scopes in `scope` or `scp`: one text with blanks, or a list."""
    value = claims.get("scope", claims.get("scp"))
    if isinstance(value, str):
        return value.split()
    return [str(scope) for scope in value] if isinstance(value, list) else []
