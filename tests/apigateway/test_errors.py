"""The table of errors in docs/api-gateway.md says what the gateway answers, row by row and all of them."""

from __future__ import annotations

from pathlib import Path

from tests.apigateway.test_every_refusal import REST_ONLY
from trine.apigateway import errors
from trine.apigateway.errors import GatewayError, Refusal, error_response

PAGE = Path(__file__).parents[2] / "docs" / "api-gateway.md"
KNOWN = {name: value for name, value in vars(errors).items() if isinstance(value, Refusal)}


def rows() -> dict[str, list[str]]:
    found = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip("|").split(" | ")]
        if len(cells) == 8 and cells[0].strip("`| ").isupper():
            found[cells[0].strip("`| ")] = cells
    return found


def test_every_error_has_its_row_and_every_row_is_true() -> None:
    table = rows()
    assert set(table) == set(KNOWN)
    for name, refusal in KNOWN.items():
        _, kind, status, body, error_type, http_status, http_body, when = table[name]
        rest = error_response(GatewayError(refusal, ""), rest=True)
        http = error_response(GatewayError(refusal, ""), rest=False)
        assert (kind, error_type) == (refusal.type, refusal.error_type)
        assert (int(status), body.encode()) == (rest.status, rest.body)
        if name in REST_ONLY:
            assert (http_status, http_body) == ("–", "–")
        else:
            assert (int(http_status), http_body.encode()) == (http.status, http.body)
        assert len(when) > 10
        assert (b"x-amzn-ErrorType", error_type.encode()) in rest.headers


def test_customizable_types_are_aws_s() -> None:
    """The names that GatewayResponses may use, from the API's own model."""
    aws = {
        "DEFAULT_4XX", "DEFAULT_5XX", "RESOURCE_NOT_FOUND", "UNAUTHORIZED", "INVALID_API_KEY", "ACCESS_DENIED",
        "AUTHORIZER_FAILURE", "AUTHORIZER_CONFIGURATION_ERROR", "INVALID_SIGNATURE", "EXPIRED_TOKEN",
        "MISSING_AUTHENTICATION_TOKEN", "INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT", "API_CONFIGURATION_ERROR",
        "UNSUPPORTED_MEDIA_TYPE", "BAD_REQUEST_PARAMETERS", "BAD_REQUEST_BODY", "REQUEST_TOO_LARGE", "THROTTLED",
        "QUOTA_EXCEEDED", "WAF_FILTERED",
    }  # fmt: skip
    assert {refusal.type for refusal in KNOWN.values()} <= aws
