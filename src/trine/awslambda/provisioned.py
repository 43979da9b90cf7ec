"""Provisioned concurrency: environments of a version that are initialised before anyone calls, and kept so.

Enters a function, a version or alias and a number; leaves pools told how many environments to keep ready, and the
state of each configuration. Sources: API reference, PutProvisionedConcurrencyConfig; developer guide, "Configuring
provisioned concurrency for a function".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from trine.awslambda import limits
from trine.awslambda.concurrency import Concurrency
from trine.awslambda.errors import InvalidParameterValue, ProvisionedConcurrencyConfigNotFound, ResourceConflict
from trine.awslambda.function import LATEST
from trine.awslambda.registry import Entry, Registry
from trine.clock import Clock


class ProvisionedConfig(NamedTuple):
    """One configuration as the API shows it."""

    arn: str
    qualifier: str
    requested: int
    available: int
    """Initialised environments that run nothing."""
    allocated: int
    """Initialised environments."""
    status: str
    """`IN_PROGRESS`, `READY` or `FAILED`."""
    reason: str | None
    """Why it failed."""
    modified_at: float


class Provisioned:
    """The provisioned concurrency of one service; what is asked for stands in each entry (`Entry.provisioned`)."""

    def __init__(self, registry: Registry, concurrency: Concurrency, clock: Clock) -> None:
        self._registry = registry
        self._concurrency = concurrency
        self._clock = clock

    def put(self, name: str, qualifier: str | None, units: int) -> ProvisionedConfig:
        """Keep `units` environments ready for a version or alias. Raises InvalidParameterValue, ResourceConflict,
        ResourceNotFound."""
        entry, found = self._registry.find(name, qualifier)
        if found is None or found == LATEST:
            raise InvalidParameterValue(
                "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
            )
        if units < 1:
            raise InvalidParameterValue(
                f"1 validation error detected: Value '{units}' at 'provisionedConcurrentExecutions' failed to satisfy "
                "constraint: Member must have value greater than or equal to 1"
            )
        if _is_snap_started(entry, found):
            raise InvalidParameterValue(
                "Provisioned Concurrency is not supported for functions enabled with SnapStart."
            )
        self._check_version(entry, found)
        self._check_room(entry, found, units)
        entry.provisioned[found] = (units, self._clock.now())
        self.refresh(entry)
        return self.get(name, found)

    def _check_version(self, entry: Entry, qualifier: str) -> None:
        # A version is provisioned once: by its number or by one of its aliases.
        version = _version_of(entry, qualifier)
        for other in entry.provisioned:
            if other != qualifier and _version_of(entry, other) == version:
                raise ResourceConflict(
                    "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"
                    if qualifier in entry.aliases
                    else "Version is pointed by a Provisioned Concurrency alias"
                )

    def _check_room(self, entry: Entry, qualifier: str, units: int) -> None:
        others = sum(given for other, (given, _) in entry.provisioned.items() if other != qualifier)
        reserved = entry.function.reserved_concurrency
        if reserved is not None:
            if others + units > reserved:
                raise InvalidParameterValue(
                    "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for "
                    "function"
                )
            return
        taken = sum(
            given
            for each in self._registry
            if each.function.reserved_concurrency is None
            for other, (given, _) in each.provisioned.items()
            if (each, other) != (entry, qualifier)
        )
        if self._concurrency.unreserved_limit - taken - units < limits.CONCURRENCY_UNRESERVED_MIN:
            raise InvalidParameterValue(
                "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below "
                f"its minimum value of [{limits.CONCURRENCY_UNRESERVED_MIN}]."
            )

    def get(self, name: str, qualifier: str | None) -> ProvisionedConfig:
        """One configuration. Raises ProvisionedConcurrencyConfigNotFound, ResourceNotFound."""
        entry, found = self._registry.find(name, qualifier)
        if found is None or found not in entry.provisioned:
            raise ProvisionedConcurrencyConfigNotFound("No Provisioned Concurrency Config found for this function")
        return self._describe(entry, found)

    def list(self, name: str) -> list[ProvisionedConfig]:
        """Every configuration of a function, by qualifier. Raises ResourceNotFound."""
        entry, _ = self._registry.find(name)
        return [self._describe(entry, qualifier) for qualifier in sorted(entry.provisioned)]

    def remove(self, name: str, qualifier: str | None) -> None:
        """Keep nothing ready any more; harmless where nothing was. Raises ResourceNotFound."""
        entry, found = self._registry.find(name, qualifier)
        if found is not None:
            entry.provisioned.pop(found, None)
            self.refresh(entry)

    def refresh(self, entry: Entry) -> None:
        """Tell the pools of a function what to keep ready, after a configuration or an alias has changed."""
        for qualifier in [known for known in entry.provisioned if _version_of(entry, known) not in entry.versions]:
            del entry.provisioned[qualifier]  # its version or alias is gone
        wanted = {_version_of(entry, qualifier): units for qualifier, (units, _) in entry.provisioned.items()}
        for version in wanted:
            self._registry.pool_of(entry, version)
        for version, pool in entry.pools.items():
            pool.keep_ready(wanted.get(version, 0))

    def held(self) -> Iterator[tuple[str, str, float]]:
        """(meter, function, GB) of what is asked for now: it is paid from then on, `metering.holding.Held`."""
        for entry in self._registry:
            for qualifier, (units, _) in entry.provisioned.items():
                version = _version_of(entry, qualifier)
                function = entry.versions.get(version, entry.function)
                arm = "arm64" in (function.properties.get("Architectures") or ())
                meter = "lambda.arm-provisioned-gb-second" if arm else "lambda.provisioned-gb-second"
                yield meter, f"{function.name}:{qualifier}", units * function.memory_mb / 1024

    def _describe(self, entry: Entry, qualifier: str) -> ProvisionedConfig:
        units, modified_at = entry.provisioned[qualifier]
        pool = entry.pools[_version_of(entry, qualifier)]
        allocated, available, failed = pool.provisioned_state()
        status = "READY" if allocated >= units else "FAILED" if failed else "IN_PROGRESS"
        return ProvisionedConfig(
            f"{entry.function.arn}:{qualifier}",
            qualifier,
            units,
            available,
            allocated,
            status,
            "FUNCTION_ERROR_INIT_FAILURE" if status == "FAILED" else None,
            modified_at,
        )


def _version_of(entry: Entry, qualifier: str) -> str:
    alias = entry.aliases.get(qualifier)
    return qualifier if alias is None else alias.version


def _is_snap_started(entry: Entry, qualifier: str) -> bool:
    version = entry.versions.get(_version_of(entry, qualifier))
    return version is not None and version.is_snap_started
