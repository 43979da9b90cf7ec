"""`AWS::ApiGateway::UsagePlan`, `ApiKey` and `UsagePlanKey` resources become plans and keys.

Enters the template's resources; leaves `UsagePlan`s and `ApiKey`s. A key without `Value` gets one at first start, which
the catalogue keeps; `trine env` shows it.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Iterable, Mapping
from typing import Any

from trine.apigateway.api import Throttle
from trine.apigateway.definition import as_mapping
from trine.apigateway.quota import Quota, QuotaLedger
from trine.apigateway.throttle import Buckets
from trine.apigateway.usage_plans import ApiKey, UsagePlan, UsagePlans
from trine.aws.catalogue import Catalogue
from trine.aws.ids import Ids
from trine.aws.resource import ResourceLike

KEY_KIND = "apigateway:api-key"
KEY_CHARACTERS = 40
"""Length of the values that API Gateway generates."""
_PERIODS = ("DAY", "WEEK", "MONTH")


def build_usage_plans(resources: Iterable[ResourceLike]) -> list[UsagePlan]:
    """Every usage plan of the template with its keys."""
    everything = list(resources)
    members: dict[str, list[str]] = {}
    for resource in everything:
        if resource.type == "AWS::ApiGateway::UsagePlanKey":
            plan_id = str(resource.properties.get("UsagePlanId"))
            members.setdefault(plan_id, []).append(str(resource.properties.get("KeyId")))
    return [
        _plan(resource, tuple(members.get(resource.physical_id, ())))
        for resource in everything
        if resource.type == "AWS::ApiGateway::UsagePlan"
    ]


def _plan(resource: ResourceLike, key_ids: tuple[str, ...]) -> UsagePlan:
    node = resource.properties
    stages: dict[tuple[str, str], dict[str, Throttle]] = {}
    for entry in node.get("ApiStages") or []:
        stage = as_mapping(entry)
        stages[str(stage.get("ApiId")), str(stage.get("Stage"))] = {
            str(method): _throttle(as_mapping(limit)) for method, limit in as_mapping(stage.get("Throttle")).items()
        }
    return UsagePlan(
        id=resource.physical_id,
        name=str(node.get("UsagePlanName") or resource.logical_id),
        stages=stages,
        throttle=_throttle(as_mapping(node.get("Throttle"))),
        quota=_quota(as_mapping(node.get("Quota"))),
        key_ids=key_ids,
    )


def _throttle(node: Mapping[str, Any]) -> Throttle:
    rate, burst = node.get("RateLimit"), node.get("BurstLimit")
    return Throttle(float(rate) if rate is not None else None, int(burst) if burst is not None else None)


def _quota(node: Mapping[str, Any]) -> Quota | None:
    period = str(node.get("Period", "")).upper()
    if node.get("Limit") is None or period not in _PERIODS:
        return None
    return Quota(int(node["Limit"]), period, int(node.get("Offset") or 0))


def build_api_keys(
    resources: Iterable[ResourceLike], catalogue: Catalogue | None, ids: Ids
) -> tuple[list[ApiKey], list[Future[None]]]:
    """Every API key, and what to wait for until new values are durable."""
    keys: list[ApiKey] = []
    written: list[Future[None]] = []
    for resource in resources:
        if resource.type != "AWS::ApiGateway::ApiKey":
            continue
        node = resource.properties
        value = str(node.get("Value") or "")
        if not value:
            kept = catalogue.get(KEY_KIND, resource.physical_id) if catalogue is not None else None
            value = str(kept["value"]) if kept is not None else generate_value(ids)
            if kept is None and catalogue is not None:
                written.append(catalogue.put(KEY_KIND, resource.physical_id, {"value": value}))
        enabled = str(node.get("Enabled", False)).lower() == "true"
        name = str(node.get("Name") or resource.logical_id)
        keys.append(ApiKey(resource.physical_id, name, value, enabled))
    return keys, written


_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def generate_value(ids: Ids) -> str:
    """A value nobody can guess: 40 letters and digits from the secure source."""
    value = ""
    while len(value) < KEY_CHARACTERS:  # bytes beyond a multiple of 62 are thrown away, so that no letter is likelier
        value += "".join(_ALPHABET[byte % 62] for byte in ids.random_bytes(64) if byte < 248)
    return value[:KEY_CHARACTERS]


def build_usage(
    resources: Iterable[ResourceLike],
    catalogue: Catalogue | None,
    ids: Ids,
    ledger: QuotaLedger,
    buckets: Buckets,
) -> tuple[UsagePlans, list[Future[None]]]:
    """Plans and keys of a template with their counts, for `Gateway(usage=…)`; and what to wait for before ready."""
    everything = list(resources)
    keys, written = build_api_keys(everything, catalogue, ids)
    return UsagePlans(build_usage_plans(everything), keys, ledger, buckets), written
