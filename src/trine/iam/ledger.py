"""Which rights were used: what `advice` reads. Bounded, and free on the hot path.

`Access` notes a decision only when it is really evaluated; an allow that was settled before is already in the book.
Enters principal, action, resource and context of a decision; leaves `Use` values by role. What was used before a
restart is read back from documents that the ledger's owner keeps (`changed`, `document`, `restore`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from trine.iam.principal import Principal

USES_MAX = 20_000
"""(Principal, action, resource) triples kept; later ones are dropped and counted."""
VALUES_MAX = 64
"""Values kept of one condition key in one use; beyond, the key counts as varying."""
KEPT_KEYS = frozenset({"dynamodb:leadingkeys"})
"""Condition keys whose values are worth a condition in a least-privilege policy."""


class Use(Struct):
    """One right that was asked for. `values` hold what KEPT_KEYS were seen with; None: too many to keep."""

    identity_arn: str
    action: str
    resource: str
    allowed: bool
    values: dict[str, set[str] | None] = field(default_factory=dict)
    always: set[str] = field(default_factory=set)
    """Of `values`, the keys that every call so far had."""


class Ledger:
    """The book of used rights."""

    def __init__(self) -> None:
        self._uses: dict[tuple[str, str, str], Use] = {}
        self._changed: set[str] = set()
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
        self._changed.add(principal.identity_arn)
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

    def changed(self) -> set[str]:
        """The identities whose uses have changed since this was last asked."""
        changed, self._changed = self._changed, set()
        return changed

    def document(self, identity_arn: str) -> dict[str, Any]:
        """The uses of one identity as a JSON document."""
        return {
            "uses": [
                [use.action, use.resource, use.allowed, sorted(use.always),
                 {name: None if seen is None else sorted(seen) for name, seen in use.values.items()}]
                for use in self.uses(identity_arn)
            ]
        }  # fmt: skip

    def restore(self, identity_arn: str, document: Mapping[str, Any]) -> None:
        """Take over what `document` wrote down, as far as there is room."""
        for action, resource, allowed, always, values in document["uses"]:
            if len(self._uses) >= USES_MAX:
                self.dropped += 1
                continue
            seen = {name: None if kept is None else set(kept) for name, kept in values.items()}
            use = Use(identity_arn, action, resource, allowed, seen, set(always))
            self._uses[identity_arn, action, resource] = use

    def clear(self) -> None:
        """Begin anew."""
        self._changed.update(use.identity_arn for use in self._uses.values())
        self._uses.clear()
        self.dropped = 0
