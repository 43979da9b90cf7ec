"""API keys that are made while the stack runs: a function that welcomes a customer calls `CreateApiKey`.

Enters the operations' input; leaves the key, in `UsagePlans` at once and in the catalogue before the caller has its
answer, so that it is there after a restart. Keys of the template are the template's: they are neither changed nor
deleted here, but they may join further plans.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from msgspec.structs import asdict, replace

from trine.apigateway.usage_plans import ApiKey, UsagePlans
from trine.aws.catalogue import Catalogue
from trine.aws.errors import AwsError
from trine.aws.ids import Ids

KEY_KIND = "apigateway:made-key"
MEMBERSHIP_KIND = "apigateway:made-membership"
KEYS_MAX = 10_000
"""Keys of an account and region (quotas of API Gateway)."""
VALUE_CHARACTERS = (20, 128)
Given = Mapping[str, Any]


class NotFound(AwsError):
    """What was named does not exist."""

    code = "NotFoundException"
    status = 404


class BadRequest(AwsError):
    """A parameter makes no sense."""

    code = "BadRequestException"
    status = 400


class Conflict(AwsError):
    """There is one already."""

    code = "ConflictException"
    status = 409


class LimitExceeded(AwsError):
    """There are as many as there may be."""

    code = "LimitExceededException"
    status = 429


class MadeKeys:
    """Makes, changes and forgets keys and their memberships."""

    def __init__(self, usage: UsagePlans, catalogue: Catalogue, ids: Ids, new_value: Callable[[Ids], str]) -> None:
        """`new_value` makes a value nobody can guess. Keys of earlier runs are added to `usage`."""
        self._usage, self._catalogue, self._ids, self._new_value = usage, catalogue, ids, new_value
        self._made: set[str] = set()
        for key_id, document in catalogue.list(KEY_KIND):
            usage.add(ApiKey(key_id, str(document["name"]), str(document["value"]), bool(document["enabled"])))
            self._made.add(key_id)
        self._memberships = {name for name, _ in catalogue.list(MEMBERSHIP_KIND)}
        for name in self._memberships:
            plan_id, _, key_id = name.partition("/")
            usage.join(plan_id, key_id)  # a plan or key that the template has lost is passed over

    def find(self, key_id: str) -> ApiKey:
        """The key of that id. NotFound."""
        key = self._usage.find(key_id)
        if key is None:
            raise NotFound("Invalid API Key identifier specified")
        return key

    async def create(self, given: Given) -> ApiKey:
        """CreateApiKey. BadRequest, Conflict, LimitExceeded."""
        if given.get("customerId") or given.get("stageKeys"):
            raise BadRequest("customerId and stageKeys are not supported here; usage plans are")
        value = str(given.get("value") or "") or self._new_value(self._ids)
        low, high = VALUE_CHARACTERS
        if not low <= len(value) <= high:
            raise BadRequest(f"API Key value should be {low} to {high} characters")
        if any(key.value == value for key in self._usage.keys):
            raise Conflict("API Key already exists")
        if len(self._usage.keys) >= KEYS_MAX:
            raise LimitExceeded(f"an account has at most {KEYS_MAX} API keys")
        key_id = self._ids.uuid().replace("-", "")[:10]
        key = ApiKey(key_id, str(given.get("name") or key_id), value, bool(given.get("enabled", False)))
        self._made.add(key_id)
        await self._keep(key)
        return key

    async def update(self, key_id: str, operations: Any) -> ApiKey:
        """UpdateApiKey: `replace` of `/enabled` and `/name`. NotFound, BadRequest."""
        key = self._own(key_id)
        for change in operations or ():
            path, value = str(change.get("path")), str(change.get("value"))
            if change.get("op") != "replace" or path not in ("/enabled", "/name"):
                raise BadRequest(f"Invalid patch path {path!r}: an API key can replace /enabled and /name here")
            key = replace(key, **({"name": value} if path == "/name" else {"enabled": value.lower() == "true"}))
        await self._keep(key)
        return key

    async def delete(self, key_id: str) -> None:
        """DeleteApiKey. NotFound, BadRequest."""
        self._own(key_id)
        self._usage.remove(key_id)
        self._made.discard(key_id)
        gone = [name for name in self._memberships if name.endswith(f"/{key_id}")]
        for name in gone:
            self._memberships.discard(name)
            await self._catalogue.delete(MEMBERSHIP_KIND, name)
        await self._catalogue.delete(KEY_KIND, key_id)

    async def join(self, plan_id: str, key_id: str) -> ApiKey:
        """CreateUsagePlanKey. NotFound, Conflict."""
        key = self.find(key_id)
        if key_id in self._usage.key_ids(plan_id):
            raise Conflict(f"{key_id} is already a member of the usage plan {plan_id}")
        self._usage.join(plan_id, key_id)
        self._memberships.add(f"{plan_id}/{key_id}")
        await self._catalogue.put(MEMBERSHIP_KIND, f"{plan_id}/{key_id}", {})
        return key

    async def leave(self, plan_id: str, key_id: str) -> None:
        """DeleteUsagePlanKey. NotFound, BadRequest for a membership of the template."""
        name = f"{plan_id}/{key_id}"
        if key_id not in self._usage.key_ids(plan_id):
            raise NotFound("Invalid API Key identifier specified")
        if name not in self._memberships:
            raise BadRequest("the template puts this key into the plan; change the template")
        self._usage.leave(plan_id, key_id)
        self._memberships.discard(name)
        await self._catalogue.delete(MEMBERSHIP_KIND, name)

    def _own(self, key_id: str) -> ApiKey:
        key = self.find(key_id)
        if key_id not in self._made:
            raise BadRequest("the key is one of the template; change the template")
        return key

    def _keep(self, key: ApiKey) -> Awaitable[None]:
        self._usage.add(key)
        document = asdict(key)
        return self._catalogue.put(KEY_KIND, document.pop("id"), document)
