"""The functions of one account and region: by every form of a name, with versions, aliases, policies and pools.

Enters configurations, leaves the pool that an invocation belongs to. Raises ResourceNotFound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from trine.aws.arn import Arn, Place
from trine.aws.invoke import ServiceCaller
from trine.awslambda.asynchronous.event import EventConfig
from trine.awslambda.environments.environment import Environment
from trine.awslambda.environments.pool import Pool
from trine.awslambda.errors import InvalidParameterValue, ResourceConflict, ResourceNotFound
from trine.awslambda.function import LATEST, Function, split_name
from trine.iam.policy import CompiledPolicy
from trine.logs.group import LogGroup

_NAMES_MAX = 4_096
"""Remembered spellings of function names."""


class Alias(Struct, frozen=True):
    """A name for a version, or for two by weight."""

    name: str
    version: str
    description: str = ""
    weights: Mapping[str, float] = field(default_factory=dict)
    """Other versions and the share of invocations (0 to 1) that they get."""
    revision: str = ""
    """Changes with every change of the alias."""


class Entry:
    """A function with everything that belongs to it."""

    __slots__ = ("aliases", "allowed", "event_configs", "function", "kept", "log", "next_version", "permissions",
                 "policies", "pools", "provisioned", "published", "versions")  # fmt: skip

    def __init__(self, function: Function, pool: Pool, log: LogGroup) -> None:
        self.function = function
        self.log = log
        self.permissions: list[Mapping[str, Any]] = []
        """`AWS::Lambda::Permission` properties that the policy is made of."""
        self.policies: dict[str, tuple[str, CompiledPolicy]] = {}
        """Text and compiled form of each resource policy, by the ARN of the function, version or alias."""
        self.allowed: set[tuple[ServiceCaller, str | None]] = set()
        """Callers that the policy has already let through, and to which version or alias."""
        self.pools: dict[str, Pool] = {LATEST: pool}
        self.versions: dict[str, Function] = {}
        """Published versions by their number, in order."""
        self.next_version = 1
        self.published: tuple[str, str] | None = None
        """The revision of `$LATEST` that was published last, and as which version."""
        self.aliases: dict[str, Alias] = {}
        self.event_configs: dict[str | None, EventConfig] = {}
        """How asynchronous events of a version or alias (None: the function itself) are treated."""
        self.provisioned: dict[str, tuple[int, float]] = {}
        """Provisioned concurrency by version or alias: environments kept ready, and when that was asked for."""
        self.kept = False
        """Made by the Lambda API: every change of it is stored, and a restart finds it again."""

    def arn(self, qualifier: str | None) -> str:
        """The function's ARN, with a qualifier where there is one."""
        return self.function.arn if qualifier is None else f"{self.function.arn}:{qualifier}"

    def policy(self, qualifier: str | None) -> CompiledPolicy | None:
        """The resource policy of the function, or of a version or alias."""
        found = self.policies.get(self.arn(qualifier))
        return None if found is None else found[1]

    @property
    def pool(self) -> Pool:
        """The pool of `$LATEST`."""
        return self.pools[LATEST]


class Registry:
    """All entries."""

    def __init__(
        self, place: Place, new_pool: Callable[[Function], Pool], random_fraction: Callable[[], float]
    ) -> None:
        self._place = place
        self._new_pool = new_pool
        self._random_fraction = random_fraction
        self._entries: dict[str, Entry] = {}
        self._names: dict[str, tuple[Entry, str | None]] = {}
        self.on_versions_changed: Callable[[Entry], None] = lambda entry: None
        """Called when an alias or a version has come, moved or gone."""

    def __iter__(self) -> Iterator[Entry]:
        return iter([self._entries[name] for name in sorted(self._entries)])

    def get(self, name: str) -> Entry | None:
        """The entry of exactly this name."""
        return self._entries.get(name)

    def put(self, function: Function, log: LogGroup) -> Entry:
        """Make or change a function's `$LATEST`."""
        self._names.clear()
        entry = self._entries.get(function.name)
        if entry is None:
            entry = self._entries[function.name] = Entry(function, self._new_pool(function), log)
        else:
            entry.function, entry.log = function, log
            entry.allowed.clear()
            entry.pool.replace(function)
        return entry

    def remove(self, name: str) -> Entry:
        """Forget a function."""
        self._names.clear()
        return self._entries.pop(name)

    def find(self, text: str, qualifier: str | None = None) -> tuple[Entry, str | None]:
        """(entry, qualifier) for any form of a name; the qualifier exists."""
        known = self._names.get(text) if qualifier is None else None
        if known is not None:
            return known
        try:
            name, spelled = split_name(text, self._place)
        except ValueError:
            raise not_here(text, self._place) from None
        if qualifier is not None and spelled is not None and spelled != qualifier:
            raise InvalidParameterValue(
                "The derived qualifier from the function name does not match the specified qualifier."
            )
        wanted = qualifier or spelled
        entry = self._entries.get(name)
        exists = entry is not None and (
            wanted is None or wanted == LATEST or wanted in entry.versions or wanted in entry.aliases
        )
        if entry is None or not exists:
            suffix = f":{wanted}" if wanted else ""
            raise ResourceNotFound(f"Function not found: {self._place.function(name)}{suffix}")
        if qualifier is None and len(self._names) < _NAMES_MAX:
            self._names[text] = (entry, wanted)
        return entry, wanted

    def pool_of(self, entry: Entry, qualifier: str | None) -> Pool:
        """The pool that runs an invocation of `qualifier`; an alias with weights draws."""
        if qualifier is None or qualifier == LATEST:
            return entry.pool
        alias = entry.aliases.get(qualifier)
        version = qualifier if alias is None else self._draw(alias)
        if version == LATEST:
            return entry.pool
        pool = entry.pools.get(version)
        if pool is None:
            pool = entry.pools[version] = self._new_pool(entry.versions[version])
        return pool

    def _draw(self, alias: Alias) -> str:
        if alias.weights:
            drawn = self._random_fraction()
            for version, weight in alias.weights.items():
                if drawn < weight:
                    return version
                drawn -= weight
        return alias.version

    def function(self, text: str, qualifier: str | None = None) -> Function:
        """The configuration that a name means."""
        entry, found = self.find(text, qualifier)
        if found is None or found == LATEST:
            return entry.function
        alias = entry.aliases.get(found)
        version = found if alias is None else alias.version
        return entry.function if version == LATEST else entry.versions[version]

    def log(self, text: str) -> LogGroup:
        """A function's log: `events`, `written`, `follow`. Raises ResourceNotFound."""
        return self.find(text)[0].log

    def publish(self, text: str, description: str | None = None, *, revision: str) -> Function:
        """Make a version of what `$LATEST` is now; the same version again when nothing has changed since.
        `revision` is the new version's own."""
        entry, _ = self.find(text)
        latest = entry.function
        if entry.published is not None and entry.published[0] == latest.revision:
            known = entry.versions.get(entry.published[1])
            if known is not None:
                return known
        version = str(entry.next_version)
        entry.next_version += 1
        entry.published = (latest.revision, version)
        properties = latest.properties if description is None else {**latest.properties, "Description": description}
        entry.versions[version] = replace(latest, version=version, properties=properties, revision=revision)
        self._names.clear()
        return entry.versions[version]

    def remove_version(self, text: str, version: str) -> Pool | None:
        """Forget a published version; its pool, where it has one. ResourceConflict while an alias names it."""
        entry, found = self.find(text, version)
        if found not in entry.versions:
            raise InvalidParameterValue(f"{version} is an alias; only versions can be deleted by their qualifier")
        users = sorted(name for name, alias in entry.aliases.items() if version in (alias.version, *alias.weights))
        if users:
            raise ResourceConflict(f"Unable to delete version because the following aliases reference it: {users}")
        self._names.clear()
        del entry.versions[version]
        pool = entry.pools.pop(version, None)
        self.on_versions_changed(entry)
        return pool

    def put_alias(self, text: str, alias: Alias, *, create: bool = False) -> Alias:
        """Make or change an alias. ResourceConflict when it must be new and is not."""
        entry, _ = self.find(text)
        for version in (alias.version, *alias.weights):
            if version != LATEST and version not in entry.versions:
                raise ResourceNotFound(f"Function not found: {entry.function.arn}:{version}")
        if create and alias.name in entry.aliases:
            raise ResourceConflict(f"Alias already exists: {entry.function.arn}:{alias.name}")
        if alias.weights:
            _check_weights(alias)
        entry.aliases[alias.name] = alias
        self._names.clear()
        self.on_versions_changed(entry)
        return alias

    def remove_alias(self, text: str, name: str) -> None:
        """Forget an alias; harmless when there is none."""
        entry, _ = self.find(text)
        entry.aliases.pop(name, None)
        self._names.clear()
        self.on_versions_changed(entry)

    def reload(self, name: str, renew: Callable[[Function], Function]) -> None:
        """The code of a function changed on disk: every pool starts afresh; versions share the folder."""
        entry = self._entries.get(name)
        if entry is None:
            return
        entry.function = renew(entry.function)
        entry.pool.replace(entry.function)
        for version, function in entry.versions.items():
            entry.versions[version] = renew(function)
            if version in entry.pools:
                entry.pools[version].replace(entry.versions[version])

    def working(self) -> Iterator[Environment]:
        """Environments that start or run an invocation."""
        for entry in self._entries.values():
            for pool in entry.pools.values():
                yield from pool.working()

    def describe_environments(self, name: str) -> list[dict[str, Any]]:
        """A function's environments as people see them."""
        entry, _ = self.find(name)
        return [environment.describe() for pool in entry.pools.values() for environment in pool.environments]


def _check_weights(alias: Alias) -> None:
    # API reference, AliasRoutingConfiguration: one second version, published, with a share between 0 and 1.
    if len(alias.weights) > 1:
        raise InvalidParameterValue("Number of items in AdditionalVersionWeights cannot be greater than 1")
    for version, weight in alias.weights.items():
        if LATEST in (version, alias.version):
            raise InvalidParameterValue("$LATEST is not supported for an alias pointing to more than 1 version")
        if version == alias.version:
            raise InvalidParameterValue(
                f"Invalid function version {version}. Function version {version} is already included in routing "
                "configuration."
            )
        if not 0 <= weight <= 1:
            raise InvalidParameterValue(f"The weight of version {version} must be between 0 and 1, not {weight}")


def not_here(text: str, place: Place) -> ResourceNotFound:
    """What AWS says of a text that names no function of this place."""
    try:
        region = Arn.parse(text).region
    except ValueError:
        region = place.region
    if region != place.region:
        return ResourceNotFound(f"Functions from '{region}' are not reachable in this region ('{place.region}')")
    return ResourceNotFound(f"Function not found: {text}")
