"""API Gateway's own API, as the door needs it: rest-json by botocore's models, versions 1 (REST) and 2 (HTTP).

Enters the gateway, leaves a `ServiceApi`. The right that a call needs is `apigateway:GET` (or the method's name) on its
path. Operations that would change an API answer `UnsupportedOperation`: the template alone makes them.
"""

from __future__ import annotations

from trine.apigateway.gateway import Gateway
from trine.apigateway.management.http_apis import HttpApiOperations
from trine.apigateway.management.made_keys import MadeKeys
from trine.apigateway.management.rest_apis import RestApiOperations
from trine.apigateway.management.usage import UsageOperations
from trine.aws.arn import Place
from trine.aws.errors import AwsError
from trine.aws.protocol import ServiceModel
from trine.http.message import Request
from trine.iam.door import Deed, Right, ServiceApi, ServiceCall

KIND = "apigateway-api"
"""The kind of its traces: `apigateway` are requests to the APIs that it serves."""


def management_api(gateway: Gateway, place: Place, made_keys: MadeKeys) -> ServiceApi:
    """Both versions for the APIs of one account and region."""
    versions = {
        "apigateway": {
            **RestApiOperations(gateway, place).operations(),
            **UsageOperations(gateway.usage, place, made_keys).operations(),
        },
        "apigatewayv2": HttpApiOperations(gateway, place).operations(),
    }
    models = {version: ServiceModel(version, frozenset(operations)) for version, operations in versions.items()}

    def deed(name: str) -> Deed:
        return lambda call: versions[_version_of(call.request)][name](call.input)

    def rights(call: ServiceCall) -> list[Right]:
        path = call.request.path.decode("utf-8", "replace")
        arn = f"arn:{place.partition}:apigateway:{place.region}::{path}"
        return [Right(f"apigateway:{call.request.method}", arn)]

    return ServiceApi(
        service="apigateway",
        kind=KIND,
        model_of=lambda request: models[_version_of(request)],
        operations={name: deed(name) for operations in versions.values() for name in operations},
        rights=rights,
        internal=AwsError("Internal server error", code="InternalFailure"),
    )


def _version_of(request: Request) -> str:
    """What botocore calls the version that a request speaks to."""
    return "apigatewayv2" if request.path.startswith(b"/v2/") else "apigateway"
