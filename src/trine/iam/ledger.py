"""Which rights were used: what `advice` reads. Bounded, and free on the hot path.

`Access` notes a decision only when it is really evaluated; an allow that was settled before is already in the book.
Enters principal, action, resource and context of a decision; leaves `Use` values by role.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from trine.iam.principal import Principal

USES_MAX = 20_000
"""(Principal, action, resource) triples kept; later ones are dropped and counted."""
VALUES_MAX = 64
"""Values kept of one condition key in one use; beyond, the key counts as varying."""
KEPT_KEYS = frozenset({"dynamodb:leadingkeys"})
"""Condition keys whose values are worth a condition in a least-privilege policy."""


@dataclass(slots=True)
class Use:
    """One right that was asked for. `values` hold what KEPT_KEYS were seen with; None: too many to keep."""

    identity_arn: str
    action: str
    resource: str
    allowed: bool
    values: dict[str, set[str] | None] = field(default_factory=dict)
    always: set[str] = field(default_factory=set)
    """Of `values`, the keys that every call so far had."""


class Ledger:
    """The book of used rights since the process began."""

    def __init__(self) -> None:
        self._uses: dict[tuple[str, str, str], Use] = {}
        self.dropped = 0
        """Uses that no longer fit."""

    def note(
        self,
        principal: Principal,
        action: str,
        resource: str,
        allowed: bool,
        context: Mapping[str, Sequence[str]] | None,
    ) -> None:
        """Write down one evaluated decision."""
        key = (principal.identity_arn, action, resource)
        seen = {name.lower(): values for name, values in (context or {}).items() if name.lower() in KEPT_KEYS}
        use = self._uses.get(key)
        if use is None:
            if len(self._uses) >= USES_MAX:
                self.dropped += 1
                return
            use = self._uses[key] = Use(principal.identity_arn, action, resource, allowed, always=set(seen))
        use.allowed = use.allowed or allowed
        use.always &= seen.keys()
        for name, values in seen.items():
            kept = use.values.setdefault(name, set())
            if kept is not None:
                kept.update(values)
                if len(kept) > VALUES_MAX:
                    use.values[name] = None

    def uses(self, identity_arn: str | None = None) -> Iterator[Use]:
        """Every use, or those of one role or user."""
        for use in self._uses.values():
            if identity_arn is None or use.identity_arn == identity_arn:
                yield use

    def clear(self) -> None:
        """Begin anew."""
        self._uses.clear()
        self.dropped = 0
