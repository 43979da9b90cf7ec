"""API Gateway's own API: APIs, stages, methods, routes, integrations, authorizers, models, keys, plans, usage.

Enters the gateway, leaves a `ServiceApi`; the right that a call needs is `apigateway:GET` (or the method's name) on its
path. APIs are made by the template alone: operations that change them answer `UnsupportedOperation`. What changes
something are the flushes of caches, and API keys with their plans (`made_keys`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from trine.apigateway.api import Api, Route
from trine.apigateway.description import (
    describe_api,
    describe_authorizer,
    describe_gateway_responses,
    describe_http_api,
    describe_http_authorizer,
    describe_http_integrations,
    describe_integration,
    describe_method,
    describe_models,
    describe_resources,
    describe_routes,
    describe_stage,
)
from trine.apigateway.gateway import Gateway
from trine.apigateway.made_keys import BadRequest, MadeKeys, NotFound
from trine.apigateway.quota import DAYS_KEPT
from trine.apigateway.usage_plans import ApiKey, UsagePlan
from trine.aws.arn import Place
from trine.aws.errors import AwsError
from trine.aws.protocol import ServiceModel
from trine.http.message import Request
from trine.iam.door import Deed, Right, ServiceApi, ServiceCall

KIND = "apigateway-api"
"""The kind of its traces: `apigateway` are requests to the APIs that it serves."""
Given = Mapping[str, Any]
Answer = dict[str, Any] | Awaitable[dict[str, Any]]


class Operations:
    """The operations of versions 1 (REST) and 2 (HTTP), by name."""

    def __init__(self, gateway: Gateway, place: Place, made_keys: MadeKeys) -> None:
        self._gateway, self._place, self._made_keys = gateway, place, made_keys
        self._operations: dict[str, dict[str, Callable[[Given], Answer]]] = {
            "apigateway": {
                "GetRestApis": lambda _: {"items": [describe_api(api) for api in gateway.apis if api.is_rest]},
                "GetRestApi": lambda given: describe_api(self._api(given["restApiId"], rest=True)),
                "GetStages": lambda given: {
                    "item": [describe_stage(stage) for stage in self._api(given["restApiId"], rest=True).stages]
                },
                "GetStage": lambda given: self._stage(given["restApiId"], given["stageName"], rest=True),
                "GetResources": lambda given: {"items": describe_resources(self._api(given["restApiId"], rest=True))},
                "GetResource": self._resource,
                "GetMethod": lambda given: describe_method(self._method(given)),
                "GetIntegration": lambda given: describe_integration(self._method(given).integration),
                "GetAuthorizers": lambda given: {"items": self._authorizers(given)},
                "GetAuthorizer": lambda given: _one(
                    self._authorizers(given), "id", given["authorizerId"], "Invalid Authorizer identifier specified"
                ),
                "GetModels": lambda given: {"items": describe_models(self._api(given["restApiId"], rest=True))},
                "GetModel": lambda given: _one(
                    describe_models(self._api(given["restApiId"], rest=True)),
                    "name",
                    given["modelName"],
                    f"Invalid model name specified: {given['modelName']}",
                ),
                "GetGatewayResponses": lambda given: {
                    "items": describe_gateway_responses(self._api(given["restApiId"], rest=True))
                },
                "GetDeployments": lambda given: {"items": self._deployments(given)},
                "GetDeployment": lambda given: _one(
                    self._deployments(given), "id", given["deploymentId"], "Invalid Deployment identifier specified"
                ),
                "GetDomainNames": lambda _: {"items": [{"domainName": name} for name in self._domains(rest=True)]},
                "GetBasePathMappings": lambda given: {"items": self._base_paths(given["domainName"])},
                "GetUsagePlanKey": lambda given: _one(
                    self._plan_keys(given)["items"], "id", given["keyId"], "Invalid API Key identifier specified"
                ),
                "CreateApiKey": self._create_key,
                "UpdateApiKey": self._update_key,
                "DeleteApiKey": self._delete_key,
                "CreateUsagePlanKey": self._join,
                "DeleteUsagePlanKey": self._leave,
                "GetApiKeys": self._keys,
                "GetApiKey": lambda given: self._key(given["apiKey"], given),
                "GetUsagePlans": lambda _: {"items": [_plan(plan) for plan in gateway.usage.plans]},
                "GetUsagePlan": lambda given: _plan(self._usage_plan(given["usagePlanId"])),
                "GetUsagePlanKeys": self._plan_keys,
                "GetUsage": self._usage,
                "FlushStageAuthorizersCache": self._flush,
                "FlushStageCache": self._flush_cache,
            },
            "apigatewayv2": {
                "GetApis": lambda _: {
                    "Items": [describe_http_api(api, place) for api in gateway.apis if not api.is_rest]
                },
                "GetApi": lambda given: describe_http_api(self._api(given["ApiId"], rest=False), place),
                "GetStages": lambda given: {
                    "Items": [_upper(describe_stage(s)) for s in self._api(given["ApiId"], rest=False).stages]
                },
                "GetStage": lambda given: _upper(self._stage(given["ApiId"], given["StageName"], rest=False)),
                "GetRoutes": lambda given: {"Items": describe_routes(self._api(given["ApiId"], rest=False))},
                "GetRoute": lambda given: _one(
                    describe_routes(self._api(given["ApiId"], rest=False)),
                    "RouteId",
                    given["RouteId"],
                    f"Unable to find Route by key {given['RouteId']} within the provided Api",
                ),
                "GetIntegrations": lambda given: {
                    "Items": describe_http_integrations(self._api(given["ApiId"], rest=False))
                },
                "GetIntegration": lambda given: _one(
                    describe_http_integrations(self._api(given["ApiId"], rest=False)),
                    "IntegrationId",
                    given["IntegrationId"],
                    "Invalid Integration identifier specified",
                ),
                "GetAuthorizers": lambda given: {
                    "Items": [
                        describe_http_authorizer(one, key)
                        for key, one in self._api(given["ApiId"], rest=False).authorizers.items()
                    ]
                },
                "GetDomainNames": lambda _: {"Items": [{"DomainName": name} for name in self._domains(rest=False)]},
            },
        }

    def api(self) -> ServiceApi:
        """Both versions, as the door needs them."""
        models = {name: ServiceModel(name, frozenset(operations)) for name, operations in self._operations.items()}

        def model_of(request: Request) -> ServiceModel:
            return models[_version_of(request)]

        def deed(name: str) -> Deed:
            return lambda call: self._operations[_version_of(call.request)][name](call.input)

        def rights(call: ServiceCall) -> list[Right]:
            path = call.request.path.decode("utf-8", "replace")
            arn = f"arn:{self._place.partition}:apigateway:{self._place.region}::{path}"
            return [Right(f"apigateway:{call.request.method}", arn)]

        return ServiceApi(
            service="apigateway",
            kind=KIND,
            model_of=model_of,
            operations={name: deed(name) for operations in self._operations.values() for name in operations},
            rights=rights,
            internal=AwsError("Internal server error", code="InternalFailure"),
        )

    # -- what the answers are made of --------------------------------------------------------------------------------

    def _api(self, api_id: str, *, rest: bool) -> Any:
        for api in self._gateway.apis:
            if api.id == api_id and api.is_rest is rest:
                return api
        raise NotFound(f"Invalid API identifier specified {self._place.account_id}:{api_id}")

    def _stage(self, api_id: str, name: str, *, rest: bool) -> dict[str, Any]:
        for stage in self._api(api_id, rest=rest).stages:
            if stage.name == name:
                return describe_stage(stage)
        raise NotFound("Invalid stage identifier specified")

    def _resource(self, given: Given) -> dict[str, Any]:
        resources = describe_resources(self._api(given["restApiId"], rest=True))
        return _one(resources, "id", given["resourceId"], "Invalid Resource identifier specified")

    def _method(self, given: Given) -> Route:
        self._resource(given)
        for route in self._api(given["restApiId"], rest=True).routes:
            if (route.resource_id, route.method) == (given["resourceId"], given["httpMethod"]):
                found: Route = route
                return found
        raise NotFound("Invalid Method identifier specified")

    def _authorizers(self, given: Given) -> list[dict[str, Any]]:
        api: Api = self._api(given["restApiId"], rest=True)
        return [describe_authorizer(authorizer, key) for key, authorizer in api.authorizers.items()]

    def _deployments(self, given: Given) -> list[dict[str, Any]]:
        names = dict.fromkeys(stage.deployment_id for stage in self._api(given["restApiId"], rest=True).stages)
        return [{"id": name} for name in names]

    def _domains(self, *, rest: bool) -> list[str]:
        apis = [api for api in self._gateway.apis if api.is_rest is rest]
        return list(dict.fromkeys(mapping.domain for api in apis for mapping in api.domains))

    def _base_paths(self, domain: str) -> list[dict[str, Any]]:
        if domain not in self._domains(rest=True):
            raise NotFound("Invalid domain name identifier specified")
        return [
            {"basePath": one.base_path or "(none)", "restApiId": api.id, "stage": one.stage}
            for api in self._gateway.apis
            for one in api.domains
            if one.domain == domain
        ]

    def _keys(self, given: Given) -> dict[str, Any]:
        values = bool(given.get("includeValues"))
        return {"items": [_api_key(key, values=values) for key in self._gateway.usage.keys]}

    def _key(self, key_id: str, given: Given) -> dict[str, Any]:
        return _api_key(self._made_keys.find(key_id), values=bool(given.get("includeValue")))

    async def _create_key(self, given: Given) -> dict[str, Any]:
        return _api_key(await self._made_keys.create(given), values=True)

    async def _update_key(self, given: Given) -> dict[str, Any]:
        return _api_key(await self._made_keys.update(given["apiKey"], given.get("patchOperations")), values=False)

    async def _delete_key(self, given: Given) -> dict[str, Any]:
        await self._made_keys.delete(given["apiKey"])
        return {}

    async def _join(self, given: Given) -> dict[str, Any]:
        plan = self._usage_plan(given["usagePlanId"])
        if given["keyType"] != "API_KEY":
            raise BadRequest("Invalid key type specified: API_KEY is the only one")
        key = await self._made_keys.join(plan.id, given["keyId"])
        return {"id": key.id, "type": "API_KEY", "value": key.value, "name": key.name}

    async def _leave(self, given: Given) -> dict[str, Any]:
        await self._made_keys.leave(self._usage_plan(given["usagePlanId"]).id, given["keyId"])
        return {}

    def _usage_plan(self, plan_id: str) -> UsagePlan:
        for plan in self._gateway.usage.plans:
            if plan.id == plan_id:
                return plan
        raise NotFound(f"Invalid Usage Plan ID specified {self._place.account_id}:{plan_id}")

    def _plan_keys(self, given: Given) -> dict[str, Any]:
        wanted = set(self._gateway.usage.key_ids(self._usage_plan(given["usagePlanId"]).id))
        keys = [key for key in self._gateway.usage.keys if key.id in wanted]
        return {"items": [{"id": k.id, "type": "API_KEY", "value": k.value, "name": k.name} for k in keys]}

    def _usage(self, given: Given) -> dict[str, Any]:
        plan = self._usage_plan(given["usagePlanId"])
        days = _days(given["startDate"], given["endDate"])
        known = self._gateway.usage.key_ids(plan.id)
        key_ids = [given["keyId"]] if given.get("keyId") else known
        ledger = self._gateway.usage.ledger
        items = {key_id: ledger.daily(plan.id, key_id, plan.quota, days) for key_id in key_ids if key_id in known}
        shown = (days[0].isoformat(), days[-1].isoformat())
        return {"usagePlanId": plan.id, "startDate": shown[0], "endDate": shown[1], "items": items}

    def _flush(self, given: Given) -> dict[str, Any]:
        self._stage(given["restApiId"], given["stageName"], rest=True)
        self._gateway.verdicts.clear()
        return {}

    def _flush_cache(self, given: Given) -> dict[str, Any]:
        self._stage(given["restApiId"], given["stageName"], rest=True)
        self._gateway.flush_cache(given["restApiId"], given["stageName"])
        return {}


def _one(shown: Iterable[dict[str, Any]], member: str, wanted: str, otherwise: str) -> dict[str, Any]:
    """The one whose `member` is `wanted`. NotFound with the words `otherwise`."""
    for one in shown:
        if one[member] == wanted:
            return one
    raise NotFound(otherwise)


def _version_of(request: Request) -> str:
    """What botocore calls the version that a request speaks to."""
    return "apigatewayv2" if request.path.startswith(b"/v2/") else "apigateway"


def _days(start: str, end: str) -> list[date]:
    try:
        first, last = date.fromisoformat(start), date.fromisoformat(end)
    except ValueError:
        raise BadRequest("Usage start and end dates must be in the form YYYY-MM-DD") from None
    count = (last - first).days + 1
    if not 1 <= count <= DAYS_KEPT:
        raise BadRequest(f"The usage range must have 1 to {DAYS_KEPT} days")
    return [first + timedelta(days=number) for number in range(count)]


def _api_key(key: ApiKey, *, values: bool) -> dict[str, Any]:
    shown = {"id": key.id, "name": key.name, "enabled": key.enabled}
    return {**shown, "value": key.value} if values else shown


def _plan(plan: UsagePlan) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": plan.id,
        "name": plan.name,
        "apiStages": [{"apiId": api_id, "stage": stage} for api_id, stage in plan.stages],
    }
    if plan.throttle.rate is not None or plan.throttle.burst is not None:
        shown["throttle"] = {"rateLimit": plan.throttle.rate or 0.0, "burstLimit": plan.throttle.burst or 0}
    if plan.quota is not None:
        shown["quota"] = {"limit": plan.quota.limit, "offset": plan.quota.offset, "period": plan.quota.period}
    return shown


def _upper(shown: dict[str, Any]) -> dict[str, Any]:
    """Version 2 spells members with a capital and calls variables StageVariables."""
    renamed = {"variables": "StageVariables", "stageName": "StageName", "deploymentId": "DeploymentId"}
    return {renamed[name]: value for name, value in shown.items() if name in renamed}
