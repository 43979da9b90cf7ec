"""Tokens: what is verified, and every way to forge one that must not work."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trine.apigateway.authorizers.jwt import (
    TokenRefused,
    bearer,
    check_claims,
    read_key_set,
    read_token,
    scopes_of,
    verify_signature,
)

NOW = 1_800_000_000
GOOD = {"iss": "https://issuer", "aud": "app", "exp": NOW + 60, "iat": NOW - 5, "nbf": NOW - 5, "sub": "u1"}


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512"])
def test_a_good_token(sign_token: Any, key_set: Any, algorithm: str) -> None:
    token = read_token(sign_token(GOOD, algorithm))
    verify_signature(token, read_key_set(orjson.dumps(key_set()))["key-1"])
    check_claims(token.claims, issuer="https://issuer", audience=["other", "app"], now_seconds=NOW)
    assert token.claims == GOOD


def test_bearer_or_bare() -> None:
    assert bearer("Bearer a.b.c") == bearer("bearer  a.b.c ") == bearer("a.b.c") == "a.b.c"


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "ES256", "PS256", "", None, 1])
def test_other_algorithms_are_refused(sign_token: Any, algorithm: Any) -> None:
    with pytest.raises(TokenRefused, match="signing method"):
        read_token(sign_token(GOOD, algorithm))


@pytest.mark.parametrize(
    "text",
    ["", "a", "a.b", "a.b.c", "a.b.c.d", "..", "e30.e30.e30", "bm90.e30.", "W10.e30.", "=.=.=", "a" * 20_000, "ä.b.c"],
)
def test_what_is_no_token(text: str) -> None:
    with pytest.raises(TokenRefused):
        read_token(text)


def test_critical_extensions_and_missing_key_ids(sign_token: Any) -> None:
    with pytest.raises(TokenRefused, match="critical"):
        read_token(sign_token(GOOD, crit=["exp"]))
    with pytest.raises(TokenRefused, match="key id"):
        read_token(sign_token(GOOD, key_id=None))


def test_changed_tokens_are_refused(sign_token: Any, key_set: Any) -> None:
    key = read_key_set(orjson.dumps(key_set()))["key-1"]
    head, claims, signature = sign_token(GOOD).split(".")
    other = sign_token({**GOOD, "sub": "admin"}).split(".")[1]
    for forged in (f"{head}.{other}.{signature}", f"{head}.{claims}.{signature[:-6]}AAAA", f"{head}.{claims}.AAAA",
                   f"{head}.{claims}."):  # fmt: skip
        with pytest.raises(TokenRefused, match="signature"):
            verify_signature(read_token(forged), key)


def test_a_key_for_another_algorithm(sign_token: Any, key_set: Any) -> None:
    key = read_key_set(orjson.dumps(key_set(alg="RS512")))["key-1"]
    with pytest.raises(TokenRefused):
        verify_signature(read_token(sign_token(GOOD)), key)


@given(st.integers(0, 127), st.integers(1, 255))
@settings(max_examples=40)
def test_no_bit_of_a_signature_may_change(position: int, change: int) -> None:
    from base64 import urlsafe_b64decode, urlsafe_b64encode

    text = _SIGNED
    head, claims, signature = text.split(".")
    raw = bytearray(urlsafe_b64decode(signature + "=="))
    raw[position] ^= change
    forged = f"{head}.{claims}.{urlsafe_b64encode(bytes(raw)).rstrip(b'=').decode()}"
    with pytest.raises(TokenRefused):
        verify_signature(read_token(forged), _KEY)


@pytest.fixture(autouse=True)
def _make_signed(sign_token: Any, key_set: Any) -> None:
    global _SIGNED, _KEY
    _SIGNED = sign_token(GOOD)
    _KEY = read_key_set(orjson.dumps(key_set()))["key-1"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"iss": "https://evil"}, "issuer"),
        ({"iss": None}, "issuer"),
        ({"aud": "other"}, "audience"),
        ({"aud": ["x", 1]}, "audience"),
        ({"exp": NOW}, "expired"),
        ({"exp": None}, "no expiry"),
        ({"exp": "soon"}, "no number"),
        ({"exp": True}, "no number"),
        ({"nbf": NOW + 1}, "not valid yet"),
        ({"iat": NOW + 1}, "before it was issued"),
    ],
)
def test_claims(change: dict[str, Any], reason: str) -> None:
    claims = {**GOOD, **change}
    with pytest.raises(TokenRefused, match=reason):
        check_claims(claims, issuer="https://issuer", audience=["app"], now_seconds=NOW)


def test_audience_may_be_the_client_id_or_unset() -> None:
    claims = {name: value for name, value in GOOD.items() if name != "aud"}
    check_claims({**claims, "client_id": "app"}, issuer="https://issuer", audience=["app"], now_seconds=NOW)
    check_claims(claims, issuer="https://issuer", audience=[], now_seconds=NOW)
    with pytest.raises(TokenRefused):
        check_claims(
            {**claims, "aud": "x", "client_id": "app"}, issuer="https://issuer", audience=["app"], now_seconds=NOW
        )


def test_scopes() -> None:
    assert scopes_of({"scope": "a b"}) == ["a", "b"]
    assert scopes_of({"scp": ["a", "b"]}) == ["a", "b"]
    assert scopes_of({}) == []


def test_key_sets(key_set: Any) -> None:
    assert list(read_key_set(orjson.dumps(key_set()))) == ["key-1"]
    others = [
        1,
        {"kty": "EC", "kid": "x"},
        {"kty": "RSA", "kid": "y", "n": "AQAB", "e": "AQAB"},
        {"kty": "RSA", "use": "enc", "kid": "z", "n": "AA", "e": "AQAB"},
    ]
    strange = {"keys": [*others, *key_set("k2")["keys"]]}
    assert list(read_key_set(orjson.dumps(strange))) == ["k2"]
    for document in (b"", b"[]", b"{}", b'{"keys": 1}'):
        with pytest.raises(TokenRefused):
            read_key_set(document)
