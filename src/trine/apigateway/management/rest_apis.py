"""Version 1: REST APIs with their stages, resources, methods, authorizers, models, deployments and domain names.

Enters an operation's checked input, leaves its output by the model's member names. APIs are made by the template alone:
all of these read, but for the flushes of caches. Raises NotFound.
"""

from __future__ import annotations

from trine.apigateway.api import Route
from trine.apigateway.description import (
    describe_api,
    describe_authorizer,
    describe_gateway_responses,
    describe_integration,
    describe_method,
    describe_models,
    describe_resources,
    describe_stage,
)
from trine.apigateway.gateway import Gateway
from trine.apigateway.management.made_keys import NotFound
from trine.apigateway.management.reading import Given, Operation, Reading, Shown, one_of
from trine.aws.arn import Place


class RestApiOperations:
    """Operations on REST APIs."""

    def __init__(self, gateway: Gateway, place: Place) -> None:
        self._gateway = gateway
        self._reading = Reading(gateway, place, rest=True)

    def operations(self) -> dict[str, Operation]:
        """The operations by name."""
        return {
            "GetRestApis": self._apis,
            "GetRestApi": self._api,
            "GetStages": self._stages,
            "GetStage": self._stage,
            "GetResources": self._resources,
            "GetResource": self._resource,
            "GetMethod": self._method,
            "GetIntegration": self._integration,
            "GetAuthorizers": self._authorizers,
            "GetAuthorizer": self._authorizer,
            "GetModels": self._models,
            "GetModel": self._model,
            "GetGatewayResponses": self._gateway_responses,
            "GetDeployments": self._deployments,
            "GetDeployment": self._deployment,
            "GetDomainNames": self._domain_names,
            "GetBasePathMappings": self._base_path_mappings,
            "FlushStageAuthorizersCache": self._flush_authorizers,
            "FlushStageCache": self._flush_answers,
        }

    def _apis(self, _: Given) -> Shown:
        return {"items": [describe_api(api) for api in self._reading.apis()]}

    def _api(self, given: Given) -> Shown:
        return describe_api(self._reading.api(given["restApiId"]))

    def _stages(self, given: Given) -> Shown:
        return {"item": [describe_stage(stage) for stage in self._reading.api(given["restApiId"]).stages]}

    def _stage(self, given: Given) -> Shown:
        return describe_stage(self._reading.stage(given["restApiId"], given["stageName"]))

    def _resources(self, given: Given) -> Shown:
        return {"items": describe_resources(self._reading.api(given["restApiId"]))}

    def _resource(self, given: Given) -> Shown:
        resources = self._resources(given)["items"]
        return one_of(resources, "id", given["resourceId"], "Invalid Resource identifier specified")

    def _method(self, given: Given) -> Shown:
        return describe_method(self._route(given))

    def _integration(self, given: Given) -> Shown:
        return describe_integration(self._route(given).integration)

    def _route(self, given: Given) -> Route:
        self._resource(given)
        for route in self._reading.api(given["restApiId"]).routes:
            if (route.resource_id, route.method) == (given["resourceId"], given["httpMethod"]):
                return route
        raise NotFound("Invalid Method identifier specified")

    def _authorizers(self, given: Given) -> Shown:
        authorizers = self._reading.api(given["restApiId"]).authorizers
        return {"items": [describe_authorizer(authorizer, key) for key, authorizer in authorizers.items()]}

    def _authorizer(self, given: Given) -> Shown:
        shown = self._authorizers(given)["items"]
        return one_of(shown, "id", given["authorizerId"], "Invalid Authorizer identifier specified")

    def _models(self, given: Given) -> Shown:
        return {"items": describe_models(self._reading.api(given["restApiId"]))}

    def _model(self, given: Given) -> Shown:
        name = given["modelName"]
        return one_of(self._models(given)["items"], "name", name, f"Invalid model name specified: {name}")

    def _gateway_responses(self, given: Given) -> Shown:
        return {"items": describe_gateway_responses(self._reading.api(given["restApiId"]))}

    def _deployments(self, given: Given) -> Shown:
        names = dict.fromkeys(stage.deployment_id for stage in self._reading.api(given["restApiId"]).stages)
        return {"items": [{"id": name} for name in names]}

    def _deployment(self, given: Given) -> Shown:
        shown = self._deployments(given)["items"]
        return one_of(shown, "id", given["deploymentId"], "Invalid Deployment identifier specified")

    def _domain_names(self, _: Given) -> Shown:
        return {"items": [{"domainName": name} for name in self._reading.domains()]}

    def _base_path_mappings(self, given: Given) -> Shown:
        domain = given["domainName"]
        mappings = [
            {"basePath": one.base_path or "(none)", "restApiId": api.id, "stage": one.stage}
            for api in self._reading.apis()
            for one in api.domains
            if one.domain == domain
        ]
        if not mappings:
            raise NotFound("Invalid domain name identifier specified")
        return {"items": mappings}

    def _flush_authorizers(self, given: Given) -> Shown:
        self._stage(given)
        self._gateway.verdicts.clear()
        return {}

    def _flush_answers(self, given: Given) -> Shown:
        self._stage(given)
        self._gateway.flush_cache(given["restApiId"], given["stageName"])
        return {}
