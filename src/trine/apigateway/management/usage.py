"""Version 1: API keys, usage plans, which keys a plan has, and what was used of its quota.

Enters an operation's checked input, leaves its output by the model's member names. Keys can be made, changed and
joined to plans while the stack runs (`made_keys`). Raises NotFound, BadRequest and what `made_keys` raises.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from trine.apigateway.management.made_keys import BadRequest, MadeKeys, NotFound
from trine.apigateway.management.reading import Given, Operation, Shown, one_of
from trine.apigateway.quota import DAYS_KEPT
from trine.apigateway.usage_plans import ApiKey, UsagePlan, UsagePlans
from trine.aws.arn import Place


class UsageOperations:
    """Operations on keys and plans."""

    def __init__(self, usage: UsagePlans, place: Place, made_keys: MadeKeys) -> None:
        self._usage, self._place, self._made_keys = usage, place, made_keys

    def operations(self) -> dict[str, Operation]:
        """The operations by name."""
        return {
            "CreateApiKey": self._create_key,
            "UpdateApiKey": self._update_key,
            "DeleteApiKey": self._delete_key,
            "GetApiKeys": self._keys,
            "GetApiKey": self._key,
            "GetUsagePlans": self._plans,
            "GetUsagePlan": self._plan,
            "CreateUsagePlanKey": self._join,
            "DeleteUsagePlanKey": self._leave,
            "GetUsagePlanKeys": self._plan_keys,
            "GetUsagePlanKey": self._plan_key,
            "GetUsage": self._used,
        }

    # -- keys --------------------------------------------------------------------------------------------------------

    def _keys(self, given: Given) -> Shown:
        values = bool(given.get("includeValues"))
        return {"items": [_key(key, values=values) for key in self._usage.keys]}

    def _key(self, given: Given) -> Shown:
        return _key(self._made_keys.find(given["apiKey"]), values=bool(given.get("includeValue")))

    async def _create_key(self, given: Given) -> Shown:
        return _key(await self._made_keys.create(given), values=True)

    async def _update_key(self, given: Given) -> Shown:
        return _key(await self._made_keys.update(given["apiKey"], given.get("patchOperations")), values=False)

    async def _delete_key(self, given: Given) -> Shown:
        await self._made_keys.delete(given["apiKey"])
        return {}

    # -- plans -------------------------------------------------------------------------------------------------------

    def _plans(self, _: Given) -> Shown:
        return {"items": [_plan(plan) for plan in self._usage.plans]}

    def _plan(self, given: Given) -> Shown:
        return _plan(self._find_plan(given))

    def _find_plan(self, given: Given) -> UsagePlan:
        plan_id = given["usagePlanId"]
        for plan in self._usage.plans:
            if plan.id == plan_id:
                return plan
        raise NotFound(f"Invalid Usage Plan ID specified {self._place.account_id}:{plan_id}")

    async def _join(self, given: Given) -> Shown:
        plan = self._find_plan(given)
        if given["keyType"] != "API_KEY":
            raise BadRequest("Invalid key type specified: API_KEY is the only one")
        return _member(await self._made_keys.join(plan.id, given["keyId"]))

    async def _leave(self, given: Given) -> Shown:
        await self._made_keys.leave(self._find_plan(given).id, given["keyId"])
        return {}

    def _plan_keys(self, given: Given) -> Shown:
        members = set(self._usage.key_ids(self._find_plan(given).id))
        return {"items": [_member(key) for key in self._usage.keys if key.id in members]}

    def _plan_key(self, given: Given) -> Shown:
        return one_of(self._plan_keys(given)["items"], "id", given["keyId"], "Invalid API Key identifier specified")

    def _used(self, given: Given) -> Shown:
        plan = self._find_plan(given)
        days = _days(given["startDate"], given["endDate"])
        known = self._usage.key_ids(plan.id)
        key_ids = [given["keyId"]] if given.get("keyId") else known
        ledger = self._usage.ledger
        items = {key_id: ledger.daily(plan.id, key_id, plan.quota, days) for key_id in key_ids if key_id in known}
        shown = (days[0].isoformat(), days[-1].isoformat())
        return {"usagePlanId": plan.id, "startDate": shown[0], "endDate": shown[1], "items": items}


def _days(start: str, end: str) -> list[date]:
    try:
        first, last = date.fromisoformat(start), date.fromisoformat(end)
    except ValueError:
        raise BadRequest("Usage start and end dates must be in the form YYYY-MM-DD") from None
    count = (last - first).days + 1
    if not 1 <= count <= DAYS_KEPT:
        raise BadRequest(f"The usage range must have 1 to {DAYS_KEPT} days")
    return [first + timedelta(days=number) for number in range(count)]


def _key(key: ApiKey, *, values: bool) -> Shown:
    shown = {"id": key.id, "name": key.name, "enabled": key.enabled}
    return {**shown, "value": key.value} if values else shown


def _member(key: ApiKey) -> Shown:
    return {"id": key.id, "type": "API_KEY", "value": key.value, "name": key.name}


def _plan(plan: UsagePlan) -> Shown:
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
