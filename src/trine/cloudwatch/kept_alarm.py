"""An alarm with its state, as it is kept; and its history, entry by entry.

Enters and leaves documents: one for the catalogue, one for each answer of the API.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from trine.cloudwatch.alarm import INSUFFICIENT, Alarm
from trine.cloudwatch.composite import CompositeAlarm

LISTS = ("OKActions", "AlarmActions", "InsufficientDataActions")


class Change(NamedTuple):
    """One entry of the history of alarms."""

    at: float
    alarm: str
    alarm_kind: str
    """`MetricAlarm` or `CompositeAlarm`."""
    kind: str
    """`ConfigurationUpdate`, `StateUpdate` or `Action`."""
    summary: str
    data: Mapping[str, Any]

    def shown(self) -> dict[str, Any]:
        """An `AlarmHistoryItem`."""
        data = {"version": "1.0", "type": self.kind, **self.data}
        return {"AlarmName": self.alarm, "AlarmType": self.alarm_kind, "Timestamp": self.at,
                "HistoryItemType": self.kind, "HistorySummary": self.summary,
                "HistoryData": orjson.dumps(data).decode()}  # fmt: skip


class Standing(NamedTuple):
    """A state, why and since when (seconds since the epoch)."""

    value: str
    reason: str
    reason_data: str
    updated_at: float


class KeptAlarm:
    """An alarm with its state."""

    __slots__ = ("alarm", "arn", "held_before", "held_until", "previous", "reason", "reason_data", "state",
                 "suppressed_by", "suppressed_reason", "tags", "transitioned_at",
                 "updated_at", "written_at")  # fmt: skip

    def __init__(self, alarm: Alarm | CompositeAlarm, arn: str, now: float) -> None:
        self.alarm, self.arn = alarm, arn
        self.state = INSUFFICIENT
        self.reason, self.reason_data = "Unchecked: Initial alarm creation", ""
        self.updated_at = self.transitioned_at = self.written_at = now
        self.tags: dict[str, str] = {}
        self.previous: Standing | None = None
        """How it was before its latest move; None before the first, and after a restart."""
        self.hold_no_more()

    def standing(self) -> Standing:
        """How it is now."""
        return Standing(self.state, self.reason, self.reason_data, self.updated_at)

    def hold_no_more(self) -> None:
        """Its actions wait for nothing."""
        self.suppressed_by = self.suppressed_reason = ""
        """What holds a composite alarm's actions back: `Alarm`, `WaitPeriod`, `ExtensionPeriod` or nothing."""
        self.held_before = ""
        """The state before the move whose actions wait."""
        self.held_until: float | None = None
        """When the wait ends by itself."""

    def document(self) -> dict[str, Any]:
        """What the catalogue keeps."""
        held = {"by": self.suppressed_by, "reason": self.suppressed_reason, "before": self.held_before,
                "until": self.held_until} if self.suppressed_by else None  # fmt: skip
        return {"given": self.alarm.given, "kind": self.alarm.kind, "state": self.state, "reason": self.reason,
                "reasonData": self.reason_data, "updatedAt": self.updated_at,
                "transitionedAt": self.transitioned_at, "writtenAt": self.written_at, "tags": self.tags,
                "held": held}  # fmt: skip

    @classmethod
    def of_document(cls, document: Mapping[str, Any], arn: str) -> KeptAlarm:
        """What `document` made."""
        composite = document.get("kind") == CompositeAlarm.kind
        alarm = CompositeAlarm(document["given"]) if composite else Alarm(document["given"])
        kept = cls(alarm, arn, float(document["writtenAt"]))
        kept.state, kept.reason, kept.reason_data = document["state"], document["reason"], document["reasonData"]
        kept.updated_at, kept.transitioned_at = document["updatedAt"], document["transitionedAt"]
        kept.tags = dict(document["tags"])
        if held := document.get("held"):
            kept.suppressed_by, kept.suppressed_reason = str(held["by"]), str(held["reason"])
            kept.held_before, kept.held_until = str(held["before"]), held["until"]
        return kept

    @property
    def acts(self) -> bool:
        """Whether actions are enabled."""
        return self.alarm.given.get("ActionsEnabled") is not False

    def actions(self) -> list[str]:
        """Every target, whatever the state."""
        return [str(one) for name in LISTS for one in self.alarm.given.get(name) or ()]

    def shown(self) -> dict[str, Any]:
        """A `MetricAlarm` or `CompositeAlarm` of the API."""
        given = {name: value for name, value in self.alarm.given.items() if value is not None}
        given |= {name: list(given.get(name) or ()) for name in LISTS}
        if isinstance(self.alarm, Alarm) and "Metrics" not in given:
            given["Dimensions"] = list(given.get("Dimensions") or ())
        if self.suppressed_by:
            given |= {"ActionsSuppressedBy": self.suppressed_by, "ActionsSuppressedReason": self.suppressed_reason}
        return {
            **given,
            "AlarmArn": self.arn,
            "ActionsEnabled": self.acts,
            "AlarmConfigurationUpdatedTimestamp": self.written_at,
            "StateValue": self.state,
            "StateReason": self.reason,
            "StateReasonData": self.reason_data or None,
            "StateUpdatedTimestamp": self.updated_at,
            "StateTransitionedTimestamp": self.transitioned_at,
        }
