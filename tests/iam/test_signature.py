"""Signatures, with botocore as the oracle: what it signs verifies, what anybody changed afterwards does not."""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from trine.aws.errors import AwsError
from trine.clock import ManualClock
from trine.http.message import Headers, Request
from trine.iam.access import Access

Sign = Callable[..., Request]
UNICODE = "aé漢🙂 %+&=/~-_.!*'()@:;,?#[]"


@pytest.fixture
def key(access: Access) -> tuple[str, str]:
    made = access.owner_credentials()
    return made.access_key_id, made.secret_access_key


def _path(chance: random.Random) -> str:
    segments = [
        "".join(chance.choices(UNICODE + string.ascii_letters, k=chance.randrange(6)))
        for _ in range(chance.randrange(5))
    ]
    quoted = "/".join(chance.choice([quote(one, safe=""), quote(one, safe=":@"), ".", ".."]) for one in segments)
    return "/" + quoted + chance.choice(["", "/", "//"])


def _query(chance: random.Random) -> str:
    pairs = []
    for _ in range(chance.choice([0, 0, 1, 2, 5])):
        name = "".join(chance.choices(UNICODE + "ab", k=chance.randrange(1, 4)))
        value = "".join(chance.choices(UNICODE + "ab", k=chance.randrange(4)))
        pairs.append(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}")
    pairs += chance.choices(pairs, k=chance.randrange(2)) if pairs else []  # repeated names
    return "?" + "&".join(pairs) if pairs else ""


def _request(chance: random.Random) -> tuple[AWSRequest, bytes]:
    body = chance.randbytes(chance.choice([0, 1, 50, 3000]))
    url = f"http://127.0.0.1:4566{_path(chance)}{_query(chance)}"
    request = AWSRequest(chance.choice(["GET", "POST", "PUT", "DELETE"]), url, data=body)
    request.headers["Host"] = "127.0.0.1:4566"
    request.headers["User-Agent"] = "not signed"
    for number in range(chance.randrange(4)):
        value = "".join(chance.choices(string.ascii_letters + '   ,;="' + "é漢", k=chance.randrange(20)))
        request.headers.add_header(f"X-Amz-Meta-{chance.choice(string.ascii_letters)}{number}", value)
    if chance.random() < 0.3:
        request.headers.add_header("X-Twice", "  one   two ")
        request.headers.add_header("X-Twice", "three")
    return request, body


@pytest.mark.parametrize("seed", range(4))
def test_what_botocore_signs_verifies(
    access: Access, clock: ManualClock, key: Any, at: Any, to_request: Any, seed: int
) -> None:
    chance = random.Random(seed)
    for _ in range(500):
        request, body = _request(chance)
        with at(clock.now()):
            SigV4Auth(Credentials(*key), "execute-api", "us-east-1").add_auth(request)
        received = to_request(request, body)
        assert access.authenticate(received, "execute-api").principal.name == "owner"
        assert access.authenticate(received, "execute-api").principal.name == "owner", "and again from the cache"


@pytest.mark.parametrize("seed", range(2))
def test_what_botocore_presigns_verifies(
    access: Access, clock: ManualClock, key: Any, at: Any, to_request: Any, seed: int
) -> None:
    chance = random.Random(seed)
    for _ in range(300):
        url = f"http://127.0.0.1:4566{_path(chance)}{_query(chance)}"
        request = AWSRequest("GET", url, headers={"Host": "127.0.0.1:4566"})
        with at(clock.now()):
            SigV4QueryAuth(Credentials(*key), "sts", "us-east-1", expires=60).add_auth(request)
        received = to_request(request, b"")
        assert access.authenticate(received, "sts").principal.name == "owner"
        clock.advance(61)
        with pytest.raises(AwsError) as refused:
            access.authenticate(received, "sts")
        assert refused.value.code == "SignatureDoesNotMatch"
        assert refused.value.message.startswith("Signature expired: ")


def _flip(text: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(text))
    return text[:at] + bytes([text[at] ^ (1 << chance.randrange(3))]) + text[at + 1 :]


@pytest.mark.parametrize("warm", [False, True], ids=["first", "cached"])
def test_every_tampered_part_is_noticed(access: Access, sign: Sign, key: Any, warm: bool) -> None:
    chance = random.Random(1)
    for _ in range(300):
        request = sign(*key, url="http://127.0.0.1:4566/a/b?x=1&y=2", body=b'{"TableName":"T"}')
        if warm:
            access.authenticate(request, "dynamodb")
        part = chance.choice(["method", "path", "query", "body", "authorization", "x-amz-target", "x-amz-date", "host"])
        pairs = [(name, value) for name, value in request.headers]
        method, target, body = request.method, request.target, request.body
        if part == "method":
            method = "PUT"
        elif part == "path":
            target = b"/a/c" + target[4:]
        elif part == "query":
            target = target[:-1] + b"3"
        elif part == "body":
            body = _flip(body, chance)
        else:
            pairs = [(n, _flip(v, chance) if n.lower() == part.encode() else v) for n, v in pairs]
        tampered = Request(method, target, Headers(pairs), body)
        with pytest.raises(AwsError) as refused:
            access.authenticate(tampered, "dynamodb")
        assert refused.value.status == 400
        assert refused.value.code in {
            "MissingAuthenticationTokenException",
            "InvalidSignatureException",
            "IncompleteSignatureException",
            "UnrecognizedClientException",
        }
        assert key[1] not in refused.value.message


@pytest.mark.parametrize("name", ["X-Amz-Target", "X-Amz-Invocation-Type", "X-Amz-Client-Context"])
@pytest.mark.parametrize("warm", [False, True], ids=["first", "cached"])
def test_an_unsigned_amz_header_is_refused(access: Access, sign: Sign, key: Any, warm: bool, name: str) -> None:
    request = sign(*key, headers={"Host": "127.0.0.1:4566"})
    if warm:
        access.authenticate(request, "dynamodb")
    forged = Request("POST", b"/", Headers([*request.headers, (name.encode(), b"x")]), request.body)
    with pytest.raises(AwsError) as refused:
        access.authenticate(forged, "dynamodb")
    assert refused.value.code == "InvalidSignatureException"
    assert refused.value.message == f"'{name.lower()}' must be a 'SignedHeader' in the AWS Authorization."


@pytest.mark.parametrize("warm", [False, True], ids=["first", "cached"])
def test_a_repeated_signed_header_is_noticed(access: Access, sign: Sign, key: Any, warm: bool) -> None:
    request = sign(*key)
    if warm:
        access.authenticate(request, "dynamodb")
    for pairs in (
        [*request.headers, (b"X-Amz-Target", b"DynamoDB_20120810.DeleteTable")],
        [(b"X-Amz-Target", b"DynamoDB_20120810.DeleteTable"), *request.headers],
    ):
        with pytest.raises(AwsError):
            access.authenticate(Request("POST", b"/", Headers(pairs), request.body), "dynamodb")


def _refusal(access: Access, request: Request, service: str = "dynamodb") -> AwsError:
    with pytest.raises(AwsError) as refused:
        access.authenticate(request, service)
    return refused.value


def _plain(headers: dict[str, str]) -> Request:
    return Request("POST", b"/", Headers([(n.encode(), v.encode()) for n, v in headers.items()]), b"{}")


@pytest.mark.parametrize(
    ("service", "code", "status"),
    [
        ("dynamodb", "MissingAuthenticationTokenException", 400),
        ("lambda", "MissingAuthenticationTokenException", 403),
        ("sts", "MissingAuthenticationToken", 403),
    ],
)
def test_no_signature(access: Access, service: str, code: str, status: int) -> None:
    error = _refusal(access, _plain({"Host": "h"}), service)
    assert (error.code, error.status, error.message) == (code, status, "Request is missing Authentication Token")


ZEROS = "0" * 64
MISSING_THREE = (
    "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. "
    "Authorization header requires 'SignedHeaders' parameter. (Hashed with SHA-256 and encoded with Base64)"
)
WRONG_SCOPE = (
    "Credential should be scoped to a valid region, not 'c'. Credential should be scoped to correct service: "
    "'dynamodb'. Credential should be scoped with a valid terminator: 'aws4_request', not 'e'. Date in Credential "
    "scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: 'b' != '20270115', from '20270115T080000Z'."
)


@pytest.mark.parametrize(
    ("authorization", "code", "beginning"),
    [
        ("nonsense", "MissingAuthenticationTokenException", "Request is missing Authentication Token"),
        ("Bearer abc=", "MissingAuthenticationTokenException", "Request is missing Authentication Token"),
        (
            "AWS4-HMAC-SHA256 ",
            "IncompleteSignatureException",
            MISSING_THREE,
        ),
        (
            "AWS4-HMAC-SHA256 Credential, SignedHeaders=host",
            "IncompleteSignatureException",
            "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with",
        ),
        (
            "AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request",
            "IncompleteSignatureException",
            "Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders'",
        ),
        (
            f"AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request, SignedHeaders=x-amz-date, Signature={ZEROS}",
            "InvalidSignatureException",
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
        ),
        (
            f"AWS4-HMAC-SHA25 Credential=a/b/c/d/aws4_request, SignedHeaders=host, Signature={ZEROS}",
            "IncompleteSignatureException",
            "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA25' (only AWS4-HMAC-SHA256 for now). ",
        ),
        (
            f"AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host, Signature={ZEROS}",
            "IncompleteSignatureException",
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'a/b/c'",
        ),
        (
            f"AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host, Signature={ZEROS}",
            "InvalidSignatureException",
            WRONG_SCOPE,
        ),
        ("AWS4-HMAC-SHA256 " + "x" * 9000, "IncompleteSignatureException", "Authorization header is too long"),
        (
            "AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request, Credential=x, SignedHeaders=host, Signature=0",
            "IncompleteSignatureException",
            "Duplicated parameter 'Credential'",
        ),
    ],
)
def test_headers_that_do_not_parse(access: Access, authorization: str, code: str, beginning: str) -> None:
    headers = {"Host": "h", "X-Amz-Date": "20270115T080000Z", "Authorization": authorization}
    error = _refusal(access, _plain(headers))
    assert error.code == code
    assert error.message.startswith(beginning)


@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("warm", [False, True], ids=["first", "cached"])
def test_one_authorization_header_and_no_second(access: Access, sign: Sign, key: Any, warm: bool, first: bool) -> None:
    if warm:
        access.authenticate(sign(*key), "dynamodb")
    request = sign(*key)
    other = (b"authorization", b"Bearer abc")
    request.headers = Headers([other, *request.headers.pairs] if first else [*request.headers.pairs, other])
    assert _refusal(access, request).code in ("IncompleteSignatureException", "MissingAuthenticationTokenException")


def test_other_algorithms_are_refused_by_name(access: Access, sign: Sign, key: Any) -> None:
    request = sign(*key)
    text = request.headers.get(b"authorization") or b""
    changed = text.replace(b"AWS4-HMAC-SHA256", b"AWS4-ECDSA-P256-SHA256")
    pairs = [(name, changed if name.lower() == b"authorization" else value) for name, value in request.headers.pairs]
    request.headers = Headers(pairs)
    assert "AWS4-ECDSA-P256-SHA256" in _refusal(access, request).message


def test_no_date_is_said_with_the_rest(access: Access) -> None:
    error = _refusal(access, _plain({"Host": "h", "Authorization": "AWS4-HMAC-SHA256 Credential=x, Signature=y"}))
    assert error.message.startswith(
        "Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either a "
        "'X-Amz-Date' or a 'Date' header. "
    )


def test_api_gateway_speaks_of_the_header_whatever_its_scheme(access: Access) -> None:
    error = _refusal(access, _plain({"Host": "h", "Authorization": "Bearer token"}), "execute-api")
    assert (error.code, error.status) == ("IncompleteSignatureException", 403)
    assert error.message.startswith("Invalid key=value pair (missing equal-sign) in Authorization header (hashed with")


@pytest.mark.parametrize("warm", [False, True], ids=["first", "cached"])
def test_header_and_query_at_once(access: Access, sign: Sign, key: Any, warm: bool) -> None:
    if warm:
        access.authenticate(sign(*key), "dynamodb")
    error = _refusal(access, sign(*key, url="http://127.0.0.1:4566/?X-Amz-Algorithm=AWS4-HMAC-SHA256"))
    assert error.message == "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."


def test_another_region_another_service_another_day(access: Access, clock: ManualClock, sign: Sign, key: Any) -> None:
    error = _refusal(access, sign(*key, region="eu-west-9"))
    assert (error.code, error.message) == (
        "InvalidSignatureException",
        "Credential should be scoped to a valid region, not 'eu-west-9'. ",
    )
    for warm in (False, True):
        request = sign(*key, service="lambda", headers={"Host": "h"})
        if warm:
            access.authenticate(request, "lambda")
        error = _refusal(access, request)
        assert error.message == "Credential should be scoped to correct service: 'dynamodb'. "
    clock.advance(16 * 3600 - 60)
    request = sign(*key)
    pairs = [(n, b"20270116T000000Z" if n.lower() == b"x-amz-date" else v) for n, v in request.headers]
    error = _refusal(access, Request("POST", b"/", Headers(pairs), b"{}"))
    assert error.message.startswith("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date")


@pytest.mark.parametrize("warm", [False, True], ids=["first", "cached"])
def test_the_clock_may_be_off_by_a_quarter_of_an_hour(
    access: Access, clock: ManualClock, sign: Sign, key: Any, warm: bool
) -> None:
    if warm:
        access.authenticate(sign(*key), "dynamodb")
    for off in (-900, 900):
        access.authenticate(sign(*key, at=clock.now() + off), "dynamodb")
    error = _refusal(access, sign(*key, at=clock.now() - 901))
    assert error.code == "InvalidSignatureException"
    assert error.message == (
        "Signature expired: 20270115T074459Z is now earlier than 20270115T074500Z (20270115T080000Z - 15 min.)"
    )
    error = _refusal(access, sign(*key, at=clock.now() + 901))
    assert error.message == (
        "Signature not yet current: 20270115T081501Z is still later than 20270115T081500Z (20270115T080000Z + 15 min.)"
    )


def test_replaying_outside_the_skew_is_refused(access: Access, clock: ManualClock, sign: Sign, key: Any) -> None:
    request = sign(*key)
    access.authenticate(request, "dynamodb")
    clock.advance(901)
    assert _refusal(access, request).message.startswith("Signature expired: ")


@pytest.mark.parametrize(
    "stamp", ["20270115", "2027-01-15T08:00:00Z", "20271332T080000Z", "x" * 500, "２０２７0115T080000Z"]
)
def test_a_date_that_is_none(access: Access, sign: Sign, key: Any, stamp: str) -> None:
    request = sign(*key)
    pairs = [(n, stamp.encode() if n.lower() == b"x-amz-date" else v) for n, v in request.headers]
    assert _refusal(access, Request("POST", b"/", Headers(pairs), b"{}")).status == 400


def test_a_date_header_serves_too(access: Access, clock: ManualClock, at: Any, to_request: Any, key: Any) -> None:
    request = AWSRequest("POST", "http://127.0.0.1:4566/", headers={"Host": "127.0.0.1:4566", "Date": "x"}, data=b"{}")
    with at(clock.now()):
        SigV4Auth(Credentials(*key), "dynamodb", "us-east-1").add_auth(request)
    assert access.authenticate(to_request(request, b"{}"), "dynamodb").principal.name == "owner"


@pytest.mark.parametrize(
    "payload", ["UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"]
)
def test_an_unsigned_payload_is_refused(access: Access, sign: Sign, key: Any, payload: str) -> None:
    request = sign(*key, headers={"Host": "h", "X-Amz-Content-SHA256": payload})
    assert _refusal(access, request).code == "InvalidSignatureException"


def test_unknown_inactive_and_deleted_keys(access: Access, sign: Sign, key: Any) -> None:
    error = _refusal(access, sign("AKIAUNKNOWN", "secret"))
    assert (error.code, error.message) == (
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    )
    access.authenticate(sign(*key), "dynamodb")
    access.keys.set_active("owner", key[0], False)
    assert _refusal(access, sign(*key)).code == "UnrecognizedClientException"
    access.keys.set_active("owner", key[0], True)
    access.authenticate(sign(*key), "dynamodb")
    access.keys.delete("owner", key[0])
    assert _refusal(access, sign(*key)).code == "UnrecognizedClientException"
    assert _refusal(access, sign(*key, service="sts", headers={"Host": "h"}), "sts").code == "InvalidClientTokenId"


def test_a_wrong_secret(access: Access, sign: Sign, key: Any) -> None:
    error = _refusal(access, sign(key[0], "wrong"))
    assert error.message == (
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
        "Key and signing method. Consult the service documentation for details."
    )
    assert (
        _refusal(access, sign(key[0], "wrong", service="sts", headers={"Host": "h"}), "sts").code
        == "SignatureDoesNotMatch"
    )


class TestTemporaryCredentials:
    """A session's key counts only with its own token, until it expires or is revoked."""

    @pytest.fixture
    def session(self, access: Access, give_role: Any) -> Any:
        return give_role({"Effect": "Allow", "Action": "*", "Resource": "*"}).session

    def test_with_the_token(self, access: Access, sign: Sign, session: Any) -> None:
        caller = access.authenticate(
            sign(session.access_key_id, session.secret_access_key, session.session_token), "dynamodb"
        )
        assert caller.session is session
        assert caller.principal.arn == "arn:aws:sts::123456789012:assumed-role/fn/session"

    def test_the_token_may_be_added_after_signing(self, access: Access, sign: Sign, session: Any) -> None:
        request = sign(session.access_key_id, session.secret_access_key)
        late = Headers([*request.headers, (b"X-Amz-Security-Token", session.session_token.encode())])
        assert access.authenticate(Request("POST", b"/", late, b"{}"), "dynamodb").session is session

    @pytest.mark.parametrize("warm", [False, True], ids=["first", "cached"])
    def test_without_or_with_a_foreign_token(self, access: Access, sign: Sign, session: Any, warm: bool) -> None:
        keys = session.access_key_id, session.secret_access_key
        other = access.assume_role_for_service(session.principal.role_arn, "other", "lambda.amazonaws.com")
        if warm:
            access.authenticate(sign(*keys, session.session_token), "dynamodb")
        for token in (None, "", "x", other.session_token, session.session_token[:-1]):
            assert _refusal(access, sign(*keys, token)).code == "UnrecognizedClientException"

    def test_a_long_term_key_has_no_token(self, access: Access, sign: Sign, session: Any, key: Any) -> None:
        assert _refusal(access, sign(*key, session.session_token)).code == "UnrecognizedClientException"

    @pytest.mark.parametrize("service", ["dynamodb", "sts"])
    def test_expired(self, access: Access, clock: ManualClock, sign: Sign, session: Any, service: str) -> None:
        arguments = (session.access_key_id, session.secret_access_key, session.session_token)
        access.authenticate(sign(*arguments, service=service, headers={"Host": "h"}), service)
        clock.advance(3600)
        error = _refusal(access, sign(*arguments, service=service, headers={"Host": "h"}), service)
        assert error.code == ("ExpiredToken" if service == "sts" else "ExpiredTokenException")
        assert error.message == "The security token included in the request is expired"

    @pytest.mark.parametrize("how", ["flag", "revoke", "role"])
    def test_revoked(self, access: Access, sign: Sign, session: Any, how: str) -> None:
        arguments = (session.access_key_id, session.secret_access_key, session.session_token)
        access.authenticate(sign(*arguments), "dynamodb")
        if how == "flag":
            session.revoked = True
        elif how == "revoke":
            access.revoke(session)
        else:
            access.delete_role("fn")
        assert _refusal(access, sign(*arguments)).code == "UnrecognizedClientException"

    def test_presigned_with_a_token(
        self, access: Access, clock: ManualClock, at: Any, to_request: Any, session: Any
    ) -> None:
        request = AWSRequest("GET", "http://h/?Action=GetCallerIdentity&Version=2011-06-15", headers={"Host": "h"})
        credentials = Credentials(session.access_key_id, session.secret_access_key, session.session_token)
        with at(clock.now()):
            SigV4QueryAuth(credentials, "sts", "us-east-1", expires=60).add_auth(request)
        received = to_request(request, b"")
        assert access.authenticate(received, "sts").session is session
        stolen = Request(
            "GET", received.target.replace(b"X-Amz-Security-Token=IQoJ", b"X-Amz-Security-Token=AAAA"), received.headers
        )
        assert _refusal(access, stolen, "sts").code == "InvalidClientTokenId"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ((b"X-Amz-Expires=60", b"X-Amz-Expires=604801"), "X-Amz-Expires must be less than a week"),
        ((b"X-Amz-Expires=60", b"X-Amz-Expires=-1"), "X-Amz-Expires should be a number"),
        ((b"X-Amz-Algorithm=AWS4-HMAC-SHA256", b"X-Amz-Algorithm=none"), "Unsupported AWS 'algorithm'"),
        (
            (b"X-Amz-SignedHeaders=host", b"X-Amz-SignedHeaders="),
            "AWS query-string parameters must include 'X-Amz-SignedHeaders'",
        ),
        ((b"X-Amz-SignedHeaders=host", b"X-Amz-SignedHeaders=a"), "'Host' or ':authority' must be a 'SignedHeader'"),
        ((b"Action=Get", b"Action=Put"), "The request signature we calculated does not match"),
        ((b"X-Amz-Signature=", b"X-Amz-Signature=z"), "The request signature we calculated does not match"),
    ],
)
def test_presigned_and_changed(
    access: Access, clock: ManualClock, at: Any, to_request: Any, key: Any, change: tuple[bytes, bytes], message: str
) -> None:
    request = AWSRequest("GET", "http://h/?Action=GetCallerIdentity", headers={"Host": "h"})
    with at(clock.now()):
        SigV4QueryAuth(Credentials(*key), "sts", "us-east-1", expires=60).add_auth(request)
    good = to_request(request, b"")
    assert change[0] in good.target
    assert _refusal(access, Request("GET", good.target.replace(*change), good.headers), "sts").message.startswith(
        message
    )


def test_two_headers_share_no_cache_entry_when_the_signature_stands_first(
    access: Access, sign: Sign, key: Any, give_role: Any
) -> None:
    session = give_role().session

    def turned(request: Request) -> Request:
        pairs = []
        for name, value in request.headers:
            if name.lower() == b"authorization":
                scheme, _, rest = value.partition(b" ")
                credential, headers, signature = rest.split(b", ")
                value = scheme + b" " + b", ".join((signature, credential, headers))
            pairs.append((name, value))
        return Request(request.method, request.target, Headers(pairs), request.body)

    for _ in range(2):
        assert access.authenticate(turned(sign(*key)), "dynamodb").principal.name == "owner"
        other = turned(sign(session.access_key_id, session.secret_access_key, session.session_token))
        assert access.authenticate(other, "dynamodb").session is session


def test_caches_are_bounded(access: Access, sign: Sign, key: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trine.iam.limits.VERIFIED_PREFIXES_MAX", 5)
    for number in range(20):
        access.authenticate(sign(*key, headers={"Host": "h", f"X-Amz-Meta-{number}": "x"}), "dynamodb")
    assert len(access._verifier._keys) == 5


def test_nothing_is_cached_for_a_forgery(access: Access, sign: Sign, key: Any) -> None:
    for number in range(5):
        _refusal(access, sign(key[0], "wrong", headers={"Host": "h", f"X-Amz-Meta-{number}": "x"}))
    assert not access._verifier._keys


def test_secrets_are_shown_nowhere(access: Access, key: Any, give_role: Any) -> None:
    session = give_role().session
    shown = [repr(access.owner_credentials()), repr(session), repr(access.credentials.find(key[0]))]
    for text in shown:
        assert key[1] not in text
        assert session.secret_access_key not in text
        assert session.session_token not in text


class TestAKnownOpening:
    """What was verified once is remembered up to the payload; everything that may change meanwhile still counts."""

    @pytest.fixture
    def session(self, access: Access, give_role: Any) -> Any:
        return give_role({"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}).session

    def _key(self, session: Any) -> tuple[str, str, str]:
        return session.access_key_id, session.secret_access_key, session.session_token

    def test_another_body_verifies_and_a_forged_one_does_not(self, access: Access, sign: Sign, session: Any) -> None:
        for body in (b"{}", b"", b'{"TableName":"a"}', b"x" * 5000):
            request = sign(*self._key(session), body=body)
            access.authenticate(request, "dynamodb")
            request.body += b"!"
            assert _refusal(access, request).code == "InvalidSignatureException"

    def test_a_session_that_was_revoked(self, access: Access, sign: Sign, session: Any) -> None:
        for _ in range(2):
            access.authenticate(sign(*self._key(session)), "dynamodb")
        access.revoke(session)
        assert _refusal(access, sign(*self._key(session))).code == "UnrecognizedClientException"

    def test_a_session_that_expired(self, access: Access, sign: Sign, session: Any, clock: ManualClock) -> None:
        session.expires_at = clock.now() + 60
        request = sign(*self._key(session))
        for _ in range(2):
            access.authenticate(request, "dynamodb")
        clock.advance(60)
        assert _refusal(access, request).code == "ExpiredTokenException"

    @pytest.mark.parametrize("token", [None, b"another"])
    def test_a_token_that_is_not_signed(self, access: Access, sign: Sign, session: Any, token: bytes | None) -> None:
        """Some clients add the token after signing: it has to be right all the same."""
        request = sign(session.access_key_id, session.secret_access_key)
        right = [*request.headers.pairs, (b"x-amz-security-token", session.session_token.encode())]
        for _ in range(2):
            access.authenticate(Request("POST", b"/", Headers(right), request.body), "dynamodb")
        wrong = [*request.headers.pairs, *([] if token is None else [(b"x-amz-security-token", token)])]
        forged = Request("POST", b"/", Headers(wrong), request.body)
        assert _refusal(access, forged).code == "UnrecognizedClientException"

    def test_what_is_kept_is_bounded(self, access: Access, sign: Sign, key: Any) -> None:
        signing = access._verifier.verify(sign(*key), "dynamodb")
        for number in range(200):
            target = {"Host": "h", "X-Amz-Target": f"DynamoDB_20120810.{number}"}
            assert access._verifier.verify(sign(*key, headers=target), "dynamodb") is signing
        assert 0 < len(signing.opened) <= 64
        before = len(signing.opened)
        access._verifier.verify(sign(*key, headers={"Host": "h", "X-Amz-Target": "x" * 10_000}), "dynamodb")
        assert len(signing.opened) == before
