"""What a signature claims about itself, before anything is believed: key id, scope, signed headers.

Enters an Authorization header or a presigned query, leaves `Claims`, and then a `Scope`. The order of the checks and
their sentences are AWS's (as DynamoDB answers them); the header itself is shown only as a hash.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import NamedTuple

from trine.aws.arn import Place
from trine.aws.regions import region_meant
from trine.http.message import Request
from trine.iam import limits
from trine.iam.errors import IncompleteSignature, InvalidSignature, MissingAuthenticationToken

ALGORITHM = b"AWS4-HMAC-SHA256"
_HEADER_NAMES = re.compile(rb"[a-z0-9!#$%&'*+.^_`|~-]+(?:;[a-z0-9!#$%&'*+.^_`|~-]+)*")
_SIGNATURE = re.compile(rb"[0-9a-f]{64}")


class Claims(NamedTuple):
    """The parts of a signature as they came. `stamp`, `expires_seconds` and `token` only from presigned URLs."""

    algorithm: bytes
    credential: bytes
    signed_headers: bytes
    signature: bytes
    stamp: bytes | None = None
    expires_seconds: int = limits.CLOCK_SKEW_SECONDS
    token: bytes | None = None


class Scope(NamedTuple):
    """A credential taken apart."""

    access_key_id: str
    date: bytes
    region: str
    service: str
    region_meant: str
    """The region that answers; `region` is the word that was signed."""


def claims_of_header(authorization: bytes, service: str, *, dated: bool) -> Claims:
    """Parse `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`. `dated`: the request has a date header.

    Raises MissingAuthenticationToken for any other scheme (API Gateway: IncompleteSignature), IncompleteSignature.
    """
    digest = base64.b64encode(hashlib.sha256(authorization).digest()).decode()
    no_pair = (
        "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with "
        f"Base64): '{digest}'."
    )
    if len(authorization) > limits.AUTHORIZATION_MAX_BYTES:
        raise IncompleteSignature(
            service, f"Authorization header is too long: over {limits.AUTHORIZATION_MAX_BYTES} bytes"
        )
    algorithm, _, rest = authorization.strip().partition(b" ")
    if not algorithm.startswith(b"AWS4-"):
        if service == "execute-api":
            raise IncompleteSignature(service, no_pair)
        raise MissingAuthenticationToken(service)
    parts: dict[bytes, bytes] = {}
    # SDKs put commas between the parts; AWS takes white space as well.
    for part in rest.replace(b",", b" ").split():
        name, equals, value = part.partition(b"=")
        if not equals:
            raise IncompleteSignature(service, no_pair)
        if name in parts:
            raise IncompleteSignature(
                service, f"Duplicated parameter '{name[:32].decode('ascii', 'replace')}' in Authorization header"
            )
        parts[name] = value
    faults = [
        f"Authorization header requires '{name}' parameter."
        for name in ("Credential", "Signature", "SignedHeaders")
        if not parts.get(name.encode())
    ]
    if not dated:
        faults.append("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    if faults:
        note = f"(Hashed with SHA-256 and encoded with Base64) Authorization={digest}"
        raise IncompleteSignature(service, f"{' '.join(faults)} {note}")
    return Claims(algorithm, parts[b"Credential"], parts[b"SignedHeaders"], parts[b"Signature"])


def claims_of_query(query: Mapping[bytes, bytes], service: str) -> Claims:
    """Parse the `X-Amz-…` parameters of a presigned URL; values come decoded. Raises IncompleteSignature."""
    names = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date")
    missing = [name for name in names if not query.get(name.encode())]
    if missing:
        sentences = " ".join(f"AWS query-string parameters must include '{name}'." for name in missing)
        raise IncompleteSignature(service, f"{sentences} Re-examine the query-string parameters.")
    lifetime = query.get(b"X-Amz-Expires", str(limits.CLOCK_SKEW_SECONDS).encode())
    if not lifetime.isdigit() or len(lifetime) > 9:
        raise IncompleteSignature(service, "X-Amz-Expires should be a number")
    if int(lifetime) > limits.PRESIGNED_LIFETIME_MAX_SECONDS:
        raise IncompleteSignature(
            service,
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than "
            f"{limits.PRESIGNED_LIFETIME_MAX_SECONDS} seconds",
        )
    return Claims(
        query[b"X-Amz-Algorithm"],
        query[b"X-Amz-Credential"],
        query[b"X-Amz-SignedHeaders"].lower(),
        query[b"X-Amz-Signature"],
        query[b"X-Amz-Date"],
        int(lifetime),
        query.get(b"X-Amz-Security-Token"),
    )


def stated_scope(request: Request) -> list[str] | None:
    """The five words of the credential that a request names, of which nothing is verified; None when there are none:
    `[access key id, date, region, service, "aws4_request"]`.
    """
    authorization = request.headers.get(b"authorization")
    if authorization is not None:
        _, found, rest = authorization.partition(b"Credential=")
        credential = rest.partition(b",")[0] if found else b""
    else:
        _, found, rest = request.query.partition(b"X-Amz-Credential=")
        credential = rest.partition(b"&")[0].replace(b"%2F", b"/").replace(b"%2f", b"/") if found else b""
    words = credential.strip().decode("latin-1").split("/")
    return words if len(words) == 5 else None


def scope_of(claims: Claims, stamp: bytes, service: str, home: Place) -> Scope:
    """The credential's scope, checked against the service, its regions in a server at `home`, and the day of `stamp`.

    Raises IncompleteSignature and InvalidSignature, in AWS's order: host, algorithm, credential, scope, form.
    """
    names = claims.signed_headers.split(b";")
    if b"host" not in names:
        raise InvalidSignature(service, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
    if claims.algorithm != ALGORITHM:
        shown = claims.algorithm[:64].decode("ascii", "replace")
        raise IncompleteSignature(
            service, f"Unsupported AWS 'algorithm': '{shown}' (only {ALGORITHM.decode()} for now). "
        )
    fields = claims.credential.rstrip(b"/").split(b"/")
    if len(fields) != 5 or not claims.credential.isascii():
        shown = claims.credential[:200].decode("ascii", "replace")
        raise IncompleteSignature(
            service,
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, "
            f"got '{shown}'",
        )
    key_id, date, given_region, given_service, terminator = (field.decode() for field in fields)
    faults = []
    meant = region_meant(service, given_region, home)
    if meant is None:
        faults.append(f"Credential should be scoped to a valid region, not '{given_region}'. ")
    if given_service != service:
        faults.append(f"Credential should be scoped to correct service: '{service}'. ")
    if terminator != "aws4_request":
        faults.append(f"Credential should be scoped with a valid terminator: 'aws4_request', not '{terminator}'. ")
    if stamp[:8] != fields[1]:
        faults.append(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            f"'{date}' != '{stamp[:8].decode()}', from '{stamp.decode()}'."
        )
    if faults:
        raise InvalidSignature(service, "".join(faults)[:1_024])
    sound = _HEADER_NAMES.fullmatch(claims.signed_headers) and len(names) <= limits.SIGNED_HEADERS_MAX
    if not sound or sorted(set(names)) != names or not _SIGNATURE.fullmatch(claims.signature):
        raise InvalidSignature(service)
    return Scope(key_id, fields[1], given_region, given_service, meant or home.region)
