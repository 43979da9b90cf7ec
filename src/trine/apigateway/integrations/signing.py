"""SigV4 for requests that the gateway itself sends to a service of the stack, with a role's temporary credentials.

Enters a POST to `/` and a session; leaves the header pairs that sign it. Written out for this one shape of request;
verifying is the identity wing's work. Source: "Create a signed AWS API request" (IAM User Guide).
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime

from trine.iam.principal import Session

HeaderPairs = list[tuple[bytes, bytes]]


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def sign_post(
    session: Session, service: str, region: str, host: str, headers: HeaderPairs, body: bytes, now_seconds: float
) -> HeaderPairs:
    """`headers` and those that sign them: host, x-amz-date, x-amz-security-token, authorization."""
    stamp = datetime.fromtimestamp(now_seconds, UTC).strftime("%Y%m%dT%H%M%SZ")
    signed = [
        *headers,
        (b"host", host.encode()),
        (b"x-amz-date", stamp.encode()),
        (b"x-amz-security-token", session.session_token.encode()),
    ]
    lines = sorted((name.lower(), value.strip()) for name, value in signed)
    names = b";".join(name for name, _ in lines).decode()
    canonical = b"".join(b"%b:%b\n" % line for line in lines)
    request = b"POST\n/\n\n%b\n%b\n%b" % (canonical, names.encode(), hashlib.sha256(body).hexdigest().encode())
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(request).hexdigest()}"
    key = f"AWS4{session.secret_access_key}".encode()
    for part in (stamp[:8], region, service, "aws4_request"):
        key = _hmac(key, part)
    signature = _hmac(key, to_sign).hex()
    credential = f"{session.access_key_id}/{scope}"
    value = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
    return [*signed, (b"authorization", value.encode())]
