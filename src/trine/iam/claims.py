"""What a signature claims about itself, before anything is believed: key id, scope, signed headers.

Enters an Authorization header or a presigned query, leaves `Claims`; what does not parse raises IncompleteSignature
with AWS's sentences, which show the header only as a hash.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import NamedTuple

from trine.iam import limits
from trine.iam.errors import IncompleteSignature, InvalidSignature

_ALGORITHM = b"AWS4-HMAC-SHA256"
_HEADER_NAMES = re.compile(rb"[a-z0-9!#$%&'*+.^_`|~-]+(?:;[a-z0-9!#$%&'*+.^_`|~-]+)*")
_SIGNATURE = re.compile(rb"[0-9a-f]{64}")


class Claims(NamedTuple):
    """The parsed parts of a signature. `stamp`, `expires_seconds` and `token` only from presigned URLs."""

    access_key_id: str
    date: bytes
    region: str
    service: str
    signed_headers: bytes
    signature: bytes
    digest_note: str = ""
    stamp: bytes | None = None
    expires_seconds: int = 0
    token: bytes | None = None


def claims_of_header(authorization: bytes, service: str) -> Claims:
    """Parse `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`."""
    digest = base64.b64encode(hashlib.sha256(authorization).digest()).decode()
    note = f"(Hashed with SHA-256 and encoded with Base64) Authorization={digest}"
    if len(authorization) > limits.AUTHORIZATION_MAX_BYTES:
        raise IncompleteSignature(service, f"Authorization header is too long. {note}")
    algorithm, _, rest = authorization.strip().partition(b" ")
    if algorithm != _ALGORITHM:
        if b"=" not in authorization:
            raise IncompleteSignature(
                service,
                "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded "
                f"with Base64): '{digest}'.",
            )
        raise IncompleteSignature(service, f"Unsupported AWS 'algorithm' in Authorization header. {note}")
    parts: dict[bytes, bytes] = {}
    for part in rest.split(b","):
        name, equals, value = part.strip().partition(b"=")
        if not equals:
            raise IncompleteSignature(
                service,
                "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded "
                f"with Base64): '{digest}'.",
            )
        if name in parts:
            raise IncompleteSignature(service, f"Duplicated parameter in Authorization header. {note}")
        parts[name] = value
    missing = [name for name in ("Credential", "Signature", "SignedHeaders") if not parts.get(name.encode())]
    if missing:
        sentences = " ".join(f"Authorization header requires '{name}' parameter." for name in missing)
        raise IncompleteSignature(service, f"{sentences} {note}")
    return _claims(parts[b"Credential"], parts[b"SignedHeaders"], parts[b"Signature"], service, note)


def claims_of_query(query: Mapping[bytes, bytes], service: str) -> Claims:
    """Parse the `X-Amz-…` parameters of a presigned URL; values come decoded."""
    names = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date")
    missing = [name for name in names if not query.get(name.encode())]
    if missing:
        sentences = " ".join(f"AWS query-string parameters must include '{name}'." for name in missing)
        raise IncompleteSignature(service, f"{sentences} Re-examine the query-string parameters.")
    if query[b"X-Amz-Algorithm"] != _ALGORITHM:
        raise IncompleteSignature(service, "Unsupported AWS 'algorithm' in the query string.")
    lifetime = query.get(b"X-Amz-Expires", str(limits.CLOCK_SKEW_SECONDS).encode())
    if not lifetime.isdigit() or len(lifetime) > 9:
        raise IncompleteSignature(service, "X-Amz-Expires should be a number")
    if int(lifetime) > limits.PRESIGNED_LIFETIME_MAX_SECONDS:
        raise IncompleteSignature(
            service, f"X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be "
            f"less than {limits.PRESIGNED_LIFETIME_MAX_SECONDS} seconds"
        )  # fmt: skip
    claims = _claims(
        query[b"X-Amz-Credential"], query[b"X-Amz-SignedHeaders"].lower(), query[b"X-Amz-Signature"], service, ""
    )
    return claims._replace(
        stamp=query[b"X-Amz-Date"], expires_seconds=int(lifetime), token=query.get(b"X-Amz-Security-Token")
    )


def _claims(credential: bytes, signed_headers: bytes, signature: bytes, service: str, note: str) -> Claims:
    fields = credential.split(b"/")
    if len(fields) != 5 or not credential.isascii():
        shown = credential[:200].decode("ascii", "replace")
        raise IncompleteSignature(
            service,
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, "
            f"got '{shown}'",
        )
    key_id, date, region, scope_service, terminator = (field.decode() for field in fields)
    if terminator != "aws4_request":
        raise InvalidSignature(
            service, f"Credential should be scoped with a valid terminator: 'aws4_request', not '{terminator}'. "
        )
    if not _HEADER_NAMES.fullmatch(signed_headers) or signed_headers.count(b";") >= limits.SIGNED_HEADERS_MAX:
        raise IncompleteSignature(service, f"Invalid 'SignedHeaders' in the Authorization. {note}".strip())
    names = signed_headers.split(b";")
    if b"host" not in names:
        raise InvalidSignature(service, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
    if sorted(set(names)) != names:
        raise InvalidSignature(service)
    if not _SIGNATURE.fullmatch(signature):
        raise InvalidSignature(service)
    return Claims(key_id, date.encode(), region, scope_service, signed_headers, signature, note)
