"""Why a transaction did not happen: the cancellation reasons, one for each of its items. Sentences are AWS's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from trine.dynamodb.errors import (
    ConditionalCheckFailedException,
    DuplicateItemException,
    TransactionCanceledException,
    ValidationException,
)
from trine.dynamodb.storage.items import Rule, Transition

SAME_ITEM_TWICE = "Transaction request cannot include multiple operations on one item"


class Reasons:
    """Why items could not be written: collected while their rules run, in one attempt."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._reasons: dict[int, dict[str, Any]] = {}

    def add(self, at: int, code: str, message: str, members: Mapping[str, Any] | None = None) -> None:
        """Item `at` was refused."""
        self._reasons[at] = {"Code": code, "Message": message, **(members or {})}

    def guard(self, at: int) -> Callable[[Rule], Rule]:
        """Wraps the rule of item `at`: what it refuses becomes a reason."""

        def wrap(rule: Rule) -> Rule:
            def guarded(transition: Transition) -> None:
                self._reasons.pop(at, None)
                try:
                    rule(transition)
                except ConditionalCheckFailedException as refused:
                    self.add(at, "ConditionalCheckFailed", refused.message, refused.members)
                except DuplicateItemException as refused:
                    self.add(at, "DuplicateItem", refused.message)
                except ValidationException as refused:
                    self.add(at, "ValidationError", refused.message)

            return guarded

        return wrap

    def add_throttled(self, transitions: Sequence[Transition]) -> None:
        """Items for which there were no units were refused."""
        for at, transition in enumerate(transitions):
            if transition.throttled is not None and at not in self._reasons:
                self.add(at, transition.throttled.reason_code, transition.throttled.message)

    def raise_if_any(self) -> None:
        """TransactionCanceledException when some item was refused."""
        if not self._reasons:
            return
        reasons = [self._reasons.get(at, {"Code": "None"}) for at in range(self._count)]
        codes = ", ".join(reason["Code"] for reason in reasons)
        raise TransactionCanceledException(
            f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]",
            members={"CancellationReasons": reasons},
        )
