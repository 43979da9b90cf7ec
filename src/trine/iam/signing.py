"""SigV4 for requests that the house itself sends to a service of the stack: integrations of the gateway, the console.

Enters a session or an access key and the parts of a request; leaves the header pairs that sign it. Source: "Create a
signed AWS API request" (IAM User Guide).
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime

from trine.iam.canonical import canonical_path, canonical_queries
from trine.iam.principal import AccessKey, Session

HeaderPairs = list[tuple[bytes, bytes]]


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def sign(
    credentials: Session | AccessKey,
    service: str,
    region: str,
    method: str,
    target: bytes,
    headers: HeaderPairs,
    body: bytes,
    now_seconds: float,
) -> HeaderPairs:
    """`headers` (`host` among them) and those that sign them: x-amz-date, authorization, for a session its token.

    `target` is the path with its query, percent-encoded as it goes out.
    """
    stamp = datetime.fromtimestamp(now_seconds, UTC).strftime("%Y%m%dT%H%M%SZ")
    signed = [*headers, (b"x-amz-date", stamp.encode())]
    if isinstance(credentials, Session):
        signed.append((b"x-amz-security-token", credentials.session_token.encode()))
    lines = sorted((name.lower(), b" ".join(value.split())) for name, value in signed)
    names = b";".join(name for name, _ in lines)
    path, _, query = target.partition(b"?")
    parts = (
        method.encode(),
        canonical_path(path),
        next(canonical_queries(query)),
        b"".join(b"%b:%b\n" % line for line in lines),
        names,
        hashlib.sha256(body).hexdigest().encode(),
    )
    request = b"\n".join(parts)
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(request).hexdigest()}"
    key = f"AWS4{credentials.secret_access_key}".encode()
    for part in (stamp[:8], region, service, "aws4_request"):
        key = _hmac(key, part)
    credential = f"{credentials.access_key_id}/{scope}"
    signature = _hmac(key, to_sign).hex()
    value = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names.decode()}, Signature={signature}"
    return [*signed, (b"authorization", value.encode())]
