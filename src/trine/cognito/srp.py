"""Secure Remote Password, the server's side, in the form that Cognito's clients speak.

Enters numbers and texts, leaves numbers and bytes; no state. A client proves that it knows the password and neither
sends it nor anything from which it could be guessed without a talk with the server.

Sources: RFC 5054 (the 3,072-bit group), RFC 2945, and the client that AWS publishes (amazon-cognito-identity-js,
`AuthenticationHelper`): padding of numbers, HKDF with the info "Caldera Derived Key", and what is signed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import NamedTuple

_N_HEX = (
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B"
    "302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE6"
    "49286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D"
    "670C354E4ABC9804F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF695581718"
    "3995497CEA956AE515D2261898FA051015728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7D"
    "B3970F85A6E1E4C7ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C"
    "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF"
)
N = int(_N_HEX, 16)
G = 2
SECRET_EXPONENT_BYTES = 32
SALT_BYTES = 16
KEY_BYTES = 16
_INFO = b"Caldera Derived Key\x01"


class Exchange(NamedTuple):
    """One sign-in under way: the client's A, the server's secret exponent b, and the B that was sent."""

    a_public: int
    b_secret: int
    b_public: int


def padded(number: int) -> bytes:
    """`number` as two's complement bytes of a positive number: a zero byte in front of a high first bit."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big") if number else b"\0"


def _hash(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha256(b"".join(parts)).digest(), "big")


_K = _hash(padded(N), padded(G))


def verifier(pool_name: str, user_id: str, password: str, salt: int) -> int:
    """What the server keeps of a password: g to the power of a hash of everything. `pool_name` is the id behind `_`."""
    inner = hashlib.sha256(f"{pool_name}{user_id}:{password}".encode()).digest()
    return pow(G, _hash(padded(salt), inner), N)


def begin(a_public: int, kept_verifier: int, b_secret: int) -> Exchange:
    """The server's first step. ValueError when `a_public` is one that would give the key away (RFC 5054, 2.5.4)."""
    if a_public % N == 0 or not 0 < a_public < N:
        raise ValueError("A is zero modulo N, or out of range")
    return Exchange(a_public, b_secret, (_K * kept_verifier + pow(G, b_secret, N)) % N)


def session_key(exchange: Exchange, kept_verifier: int) -> bytes:
    """The key that both sides have when the password was right."""
    scramble = _hash(padded(exchange.a_public), padded(exchange.b_public))
    shared = pow(exchange.a_public * pow(kept_verifier, scramble, N) % N, exchange.b_secret, N)
    extracted = hmac.digest(padded(scramble), padded(shared), "sha256")
    return hmac.digest(extracted, _INFO, "sha256")[:KEY_BYTES]


def claim(key: bytes, pool_name: str, user_id: str, secret_block: bytes, timestamp: str) -> str:
    """`PASSWORD_CLAIM_SIGNATURE`: what a client that has the key signs."""
    message = pool_name.encode() + user_id.encode() + secret_block + timestamp.encode()
    return base64.b64encode(hmac.digest(key, message, "sha256")).decode()
