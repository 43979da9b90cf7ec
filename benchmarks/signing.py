"""Requests as the AWS SDKs sign and send them: the bytes of a signed POST to DynamoDB, ready for a load generator."""

from __future__ import annotations

import datetime
import hashlib
import hmac
import json
from dataclasses import dataclass

AGENT = "Boto3/1.44.5 md/Botocore#1.44.5 ua/2.1 os/linux#6.1 md/arch#x86_64 lang/python#3.11.7 md/pyimpl#CPython"


@dataclass(frozen=True)
class Key:
    """Credentials of one caller; the token belongs to those of a role."""

    access_key_id: str
    secret_access_key: str
    session_token: str = ""


UNKNOWN = Key("AKIAIOSFODNN7EXAMPLE", "secret")
"""For servers that check nothing, when no Trine runs beside them."""


@dataclass(frozen=True)
class Call:
    """One operation with its input document."""

    operation: str
    document: dict[str, object]

    def body(self) -> bytes:
        return json.dumps(self.document, separators=(",", ":")).encode()


class Signer:
    """Signs for one caller and region; the derived key is made once."""

    def __init__(self, key: Key, region: str = "us-east-1", service: str = "dynamodb") -> None:
        self._key = key
        self._now = datetime.datetime.now(datetime.UTC)
        day = f"{self._now:%Y%m%d}"
        self._scope = f"{day}/{region}/{service}/aws4_request"
        derived = b"AWS4" + key.secret_access_key.encode()
        for part in (day, region, service, "aws4_request"):
            derived = hmac.digest(derived, part.encode(), "sha256")
        self._derived = derived

    def request(self, call: Call, port: int) -> bytes:
        """The bytes of `call` for the server on `port`; valid for 15 minutes."""
        body = call.body()
        stamp = f"{self._now:%Y%m%dT%H%M%SZ}"
        signed = {
            "content-type": "application/x-amz-json-1.0",
            "host": f"127.0.0.1:{port}",
            "x-amz-date": stamp,
            "x-amz-target": f"DynamoDB_20120810.{call.operation}",
        }
        if self._key.session_token:
            signed["x-amz-security-token"] = self._key.session_token
        names = ";".join(sorted(signed))
        lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
        canonical = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
        to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{self._scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = hmac.new(self._derived, to_sign.encode(), "sha256").hexdigest()
        authorization = (
            f"AWS4-HMAC-SHA256 Credential={self._key.access_key_id}/{self._scope}, "
            f"SignedHeaders={names}, Signature={signature}"
        )
        headers = {**signed, "user-agent": AGENT, "authorization": authorization, "content-length": str(len(body))}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"POST / HTTP/1.1\r\n{head}\r\n".encode() + body
