"""Tokens signed with a key pair made for these tests and used nowhere else."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from typing import Any

import orjson
import pytest

N = 0xDEFEA699D72E071C187416BC742EAE1EDF429EE63777BEA5CFA022775844D302DE0AC1FA9DF12670BD0273792EC0A1E062E9AD3E2CFD9A1C5B302582CEB161257AB4F63C3E94271CE98F9465CE51F876D34B5AE7EC568D1860B5C725F862931C8AD3BD8E62B15F7A51C56E721AB0ECD1D18C9E5E4BD2C6E6F3CCFCADB2FA39E1  # noqa: E501
D = 0x9A849224DFBA012B32B69E5A8F9719084364027F3BC839CEE383EEDE0BC804FF63A4C8AD446C295ACD5DB96E2B3B47F0181A1BF58D6F5D2E70F177CCA034C13ECFFC8E79B17C8B8D65F2ADC0A946F809855E14FAEC8F03A1D3B5FBA61622668D4E5EA6080A869D24C4DE40ABCD3ADF8E2770E3AF4AFB1B4B044BA71B25E348C1  # noqa: E501
PREFIX = {
    "RS256": ("sha256", "3031300d060960864801650304020105000420"),
    "RS384": ("sha384", "3041300d060960864801650304020205000430"),
    "RS512": ("sha512", "3051300d060960864801650304020305000440"),
}


def encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def sign(claims: dict[str, Any], algorithm: str = "RS256", key_id: str | None = "key-1", **header: Any) -> str:
    """A compact JWS of `claims`."""
    head = {"alg": algorithm, **({"kid": key_id} if key_id else {}), **header}
    text = f"{encode(orjson.dumps(head))}.{encode(orjson.dumps(claims))}"
    name, prefix = PREFIX.get(algorithm, PREFIX["RS256"])
    digest = bytes.fromhex(prefix) + hashlib.new(name, text.encode()).digest()
    message = b"\x00\x01" + b"\xff" * (125 - len(digest)) + b"\x00" + digest
    signature = pow(int.from_bytes(message, "big"), D, N).to_bytes(128, "big")
    return f"{text}.{encode(signature)}"


def jwks(key_id: str = "key-1", **more: Any) -> dict[str, Any]:
    return {
        "keys": [{"kty": "RSA", "use": "sig", "kid": key_id, "n": encode(N.to_bytes(128, "big")), "e": "AQAB", **more}]
    }


@pytest.fixture
def sign_token() -> Any:
    return sign


@pytest.fixture
def key_set() -> Any:
    return jwks
