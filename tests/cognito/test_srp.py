"""The SRP protocol against a client written from its description, and against values that would break it."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trine.cognito import srp

POOL, USER = "Ab12Cd34E", "ada"


def _pad_hex(number: int) -> bytes:
    """As JavaScript clients pad: an even number of digits, and 00 before a first digit of 8 or more."""
    digits = f"{number:x}"
    if len(digits) % 2:
        digits = "0" + digits
    elif digits[0] in "89abcdef":
        digits = "00" + digits
    return bytes.fromhex(digits)


class Client:
    """The other side: RFC 2945 with the padding and key derivation that AWS's clients use."""

    def __init__(self, password: str, a_secret: int) -> None:
        self.password, self.a = password, a_secret
        self.public = pow(srp.G, a_secret, srp.N)

    def signature(self, salt: int, b_public: int, block: bytes, timestamp: str) -> str:
        k = int.from_bytes(hashlib.sha256(_pad_hex(srp.N) + _pad_hex(srp.G)).digest())
        u = int.from_bytes(hashlib.sha256(_pad_hex(self.public) + _pad_hex(b_public)).digest())
        inner = hashlib.sha256(f"{POOL}{USER}:{self.password}".encode()).digest()
        x = int.from_bytes(hashlib.sha256(_pad_hex(salt) + inner).digest())
        shared = pow(b_public - k * pow(srp.G, x, srp.N), self.a + u * x, srp.N)
        extracted = hmac.new(_pad_hex(u), _pad_hex(shared), hashlib.sha256).digest()
        key = hmac.new(extracted, b"Caldera Derived Key" + bytes([1]), hashlib.sha256).digest()[:16]
        message = f"{POOL}{USER}".encode() + block + timestamp.encode()
        return base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()


def _signed(password: str, tried: str, salt: int, a: int, b: int) -> tuple[str, str]:
    kept = srp.verifier(POOL, USER, password, salt)
    client = Client(tried, a)
    exchange = srp.begin(client.public, kept, b)
    expected = srp.claim(srp.session_key(exchange, kept), POOL, USER, b"block", "Tue Sep 1 10:00:00 UTC 2026")
    return expected, client.signature(salt, exchange.b_public, b"block", "Tue Sep 1 10:00:00 UTC 2026")


@settings(max_examples=25)
@given(st.text(min_size=1, max_size=20), st.integers(1, 2**128 - 1), st.integers(2, 2**256), st.integers(2, 2**256))
def test_both_sides_agree_on_the_key_when_the_password_is_right(password: str, salt: int, a: int, b: int) -> None:
    expected, signature = _signed(password, password, salt, a, b)
    assert signature == expected


def test_a_wrong_password_gives_another_signature() -> None:
    expected, signature = _signed("right", "wrong", 12345, 2**200 + 1, 2**201 + 1)
    assert signature != expected


@pytest.mark.parametrize("a_public", [0, srp.N, 2 * srp.N, -1, srp.N + 5])
def test_values_that_would_give_the_key_away_are_refused(a_public: int) -> None:
    with pytest.raises(ValueError, match="A is zero"):
        srp.begin(a_public, 4, 5)


@given(st.integers(0, 2**70))
def test_numbers_are_padded_as_clients_pad_them(number: int) -> None:
    assert srp.padded(number) == _pad_hex(number)
