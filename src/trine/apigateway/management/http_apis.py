"""Version 2: HTTP APIs with their stages, routes, integrations, authorizers and domain names.

Enters an operation's checked input, leaves its output by the model's member names. All of these read. Raises NotFound.
"""

from __future__ import annotations

from trine.apigateway.api import Stage
from trine.apigateway.description import (
    describe_http_api,
    describe_http_authorizer,
    describe_http_integrations,
    describe_routes,
    describe_stage,
)
from trine.apigateway.gateway import Gateway
from trine.apigateway.management.reading import Given, Operation, Reading, Shown, one_of
from trine.aws.arn import Place


class HttpApiOperations:
    """Operations on HTTP APIs."""

    def __init__(self, gateway: Gateway, place: Place) -> None:
        self._place = place
        self._reading = Reading(gateway, place, rest=False)

    def operations(self) -> dict[str, Operation]:
        """The operations by name."""
        return {
            "GetApis": self._apis,
            "GetApi": self._api,
            "GetStages": self._stages,
            "GetStage": self._stage,
            "GetRoutes": self._routes,
            "GetRoute": self._route,
            "GetIntegrations": self._integrations,
            "GetIntegration": self._integration,
            "GetAuthorizers": self._authorizers,
            "GetDomainNames": self._domain_names,
        }

    def _apis(self, _: Given) -> Shown:
        return {"Items": [describe_http_api(api, self._place) for api in self._reading.apis()]}

    def _api(self, given: Given) -> Shown:
        return describe_http_api(self._reading.api(given["ApiId"]), self._place)

    def _stages(self, given: Given) -> Shown:
        return {"Items": [_stage(stage) for stage in self._reading.api(given["ApiId"]).stages]}

    def _stage(self, given: Given) -> Shown:
        return _stage(self._reading.stage(given["ApiId"], given["StageName"]))

    def _routes(self, given: Given) -> Shown:
        return {"Items": describe_routes(self._reading.api(given["ApiId"]))}

    def _route(self, given: Given) -> Shown:
        wanted = given["RouteId"]
        otherwise = f"Unable to find Route by key {wanted} within the provided Api"
        return one_of(self._routes(given)["Items"], "RouteId", wanted, otherwise)

    def _integrations(self, given: Given) -> Shown:
        return {"Items": describe_http_integrations(self._reading.api(given["ApiId"]))}

    def _integration(self, given: Given) -> Shown:
        shown, wanted = self._integrations(given)["Items"], given["IntegrationId"]
        return one_of(shown, "IntegrationId", wanted, "Invalid Integration identifier specified")

    def _authorizers(self, given: Given) -> Shown:
        authorizers = self._reading.api(given["ApiId"]).authorizers
        return {"Items": [describe_http_authorizer(one, key) for key, one in authorizers.items()]}

    def _domain_names(self, _: Given) -> Shown:
        return {"Items": [{"DomainName": name} for name in self._reading.domains()]}


def _stage(stage: Stage) -> Shown:
    """Version 2 spells members with a capital and calls variables StageVariables."""
    renamed = {"variables": "StageVariables", "stageName": "StageName", "deploymentId": "DeploymentId"}
    return {renamed[name]: value for name, value in describe_stage(stage).items() if name in renamed}
