"""API keys and usage plans: who the client is, how fast and how often it may call.

Enters an `Exchange` whose method requires a key; leaves it admitted, with the key noted, or a `GatewayError`: 403 for a
key that is missing, unknown, disabled or in no plan of the stage, 429 when the plan's bucket is empty ("Too Many
Requests") or its quota used up ("Limit Exceeded"). Counting is `quota`'s, reading templates is `usage_resources`'.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from trine.apigateway.api import Throttle
from trine.apigateway.authorizers.identity import header_text
from trine.apigateway.errors import FORBIDDEN, QUOTA_EXCEEDED, GatewayError
from trine.apigateway.exchange import Exchange
from trine.apigateway.limits import THROTTLE_BURST_DEFAULT, THROTTLE_RATE_DEFAULT
from trine.apigateway.quota import Quota, QuotaLedger
from trine.apigateway.throttle import Buckets, TokenBucket

ROOM = "apigateway.usage-plan"
KEY_HEADER = b"x-api-key"
_NO_KEY = GatewayError(FORBIDDEN, "the method requires an API key and the request has none", room=ROOM)
_DEFAULT = Throttle(THROTTLE_RATE_DEFAULT, THROTTLE_BURST_DEFAULT)


class ApiKey(Struct, frozen=True):
    """A key that clients send in `x-api-key`."""

    id: str
    name: str
    value: str
    enabled: bool = True


class UsagePlan(Struct, frozen=True):
    """What the keys of a plan may do."""

    id: str
    name: str
    stages: Mapping[tuple[str, str], Mapping[str, Throttle]] = field(default_factory=dict)
    """(API id, stage) → limits of single methods, by `/path/METHOD`."""
    throttle: Throttle = field(default_factory=Throttle)
    quota: Quota | None = None
    key_ids: tuple[str, ...] = ()


class _Member:
    """One key in one plan, with its buckets."""

    __slots__ = ("_buckets", "_made", "key", "plan")

    def __init__(self, key: ApiKey, plan: UsagePlan, buckets: Buckets) -> None:
        self.key, self.plan, self._buckets = key, plan, buckets
        self._made: dict[str, TokenBucket | None] = {}

    def bucket(self, api_id: str, stage: str, method: str) -> TokenBucket | None:
        """The bucket for one method: its own limit, else the plan's, which all other methods share."""
        limits = self.plan.stages.get((api_id, stage), {})
        throttle = limits.get(method)
        name = f"{api_id}/{stage}{method}" if throttle is not None else ""
        if name not in self._made:
            label = f"usage plan {self.plan.name}, key {self.key.name}{' ' + method if name else ''}"
            key = f"{self.plan.id}/{self.key.id} {name}"
            self._made[name] = self._buckets.of(key, label, throttle or self.plan.throttle, _DEFAULT)
        return self._made[name]


class UsagePlans:
    """All keys and plans of a stack."""

    def __init__(
        self, plans: Iterable[UsagePlan], keys: Iterable[ApiKey], ledger: QuotaLedger, buckets: Buckets
    ) -> None:
        self.plans = tuple(plans)
        self.ledger = ledger
        self._buckets = buckets
        self._by_id: dict[str, ApiKey] = {}
        self._keys: dict[str, ApiKey] = {}
        self._joined: dict[str, list[str]] = {plan.id: [] for plan in self.plans}
        self._members: dict[tuple[str, str, str], _Member] = {}
        for key in keys:
            self.add(key)
        for plan in self.plans:
            for key_id in plan.key_ids:
                self.join(plan.id, key_id)

    @property
    def keys(self) -> tuple[ApiKey, ...]:
        """Every key."""
        return tuple(self._by_id.values())

    def find(self, key_id: str) -> ApiKey | None:
        """The key of that id."""
        return self._by_id.get(key_id)

    def key_ids(self, plan_id: str) -> list[str]:
        """The keys of a plan, in the order in which they came; none of a plan that is unknown."""
        return self._joined.get(plan_id, [])

    def add(self, key: ApiKey) -> None:
        """One more key, or other words for the one of its id."""
        self._by_id[key.id] = self._keys[key.value] = key

    def remove(self, key_id: str) -> None:
        """Forget a key, in all plans."""
        for plan_id in self._joined:
            self.leave(plan_id, key_id)
        key = self._by_id.pop(key_id)
        del self._keys[key.value]

    def join(self, plan_id: str, key_id: str) -> None:
        """Put a key into a plan; what is unknown is passed over."""
        key = self._by_id.get(key_id)
        plan = next((plan for plan in self.plans if plan.id == plan_id), None)
        if key is None or plan is None or key_id in self._joined[plan_id]:
            return
        self._joined[plan_id].append(key_id)
        member = _Member(key, plan, self._buckets)
        for api_id, stage in plan.stages:
            self._members.setdefault((key.value, api_id, stage), member)

    def leave(self, plan_id: str, key_id: str) -> None:
        """Take a key out of a plan."""
        if key_id not in self._joined[plan_id]:
            return
        self._joined[plan_id].remove(key_id)
        for place, member in list(self._members.items()):
            if (member.plan.id, member.key.id) == (plan_id, key_id):
                del self._members[place]

    def admit(self, exchange: Exchange) -> None:
        """Check the key of a request whose method requires one. GatewayError 403 or 429."""
        deployed = exchange.deployed
        value = self._value(exchange)
        if value is None:
            raise _NO_KEY
        key = self._keys.get(value)
        if key is None:
            raise GatewayError(FORBIDDEN, "the API key is unknown", room=ROOM)
        if not key.enabled:
            raise GatewayError(FORBIDDEN, f"the API key {key.name} is disabled", room=ROOM, key=key.id)
        member = self._members.get((value, deployed.api.id, deployed.stage.name))
        if member is None:
            reason = f"the API key {key.name} belongs to no usage plan of this stage"
            raise GatewayError(FORBIDDEN, reason, room=ROOM, key=key.id, stage=deployed.stage.name)
        self._count(exchange, member)
        exchange.identity = {**(exchange.identity or {}), "apiKey": key.value, "apiKeyId": key.id}
        exchange.trace.step(ROOM, {"plan": member.plan.name, "key": key.id})

    @staticmethod
    def _value(exchange: Exchange) -> str | None:
        if exchange.deployed.api.api_key_source == "AUTHORIZER":
            return exchange.usage_key
        return header_text(exchange.request.headers, KEY_HEADER)

    def _count(self, exchange: Exchange, member: _Member) -> None:
        deployed = exchange.deployed
        route = exchange.route.route
        bucket = member.bucket(deployed.api.id, deployed.stage.name, f"{route.path}/{route.method}")
        if bucket is not None and not bucket.take():
            raise bucket.refusal()
        quota = member.plan.quota
        if not self.ledger.use(member.plan.id, member.key.id, quota):
            assert quota is not None
            if bucket is not None:
                bucket.give_back()
            raise GatewayError(
                QUOTA_EXCEEDED,
                f"the key {member.key.name} has used its {quota.limit} requests per {quota.period}",
                room=ROOM,
                plan=member.plan.name,
                key=member.key.id,
                limit=quota.limit,
                period=quota.period,
            )
