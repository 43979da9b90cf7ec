"""All alarms of a stack: kept durably, evaluated once a minute by the injected clock, and who is told of a change.

Enters definitions (from the API or a template) and the store of metrics; leaves states with their history, and messages
to SNS topics and functions. Nothing runs while there is no alarm.
"""

from __future__ import annotations

import logging
from asyncio import Future
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from trine.aws.arn import Place
from trine.aws.catalogue import Catalogue
from trine.aws.errors import AwsError
from trine.clock import Clock, Timer
from trine.cloudwatch import limits
from trine.cloudwatch.alarm import INSUFFICIENT, Alarm
from trine.cloudwatch.errors import InvalidFormat, LimitExceeded, ResourceNotFound, ValidationError
from trine.cloudwatch.message import function_event, topic_message
from trine.cloudwatch.query import Queries
from trine.cloudwatch.store import MetricStore

_log = logging.getLogger("trine.cloudwatch")
KIND = "cloudwatch:alarm"
LATE_SECONDS = 5
"""After the end of a minute, when its measures are there, alarms are evaluated."""
_ACTIONS = {"OK": "OKActions", "ALARM": "AlarmActions", INSUFFICIENT: "InsufficientDataActions"}
Deliver = Callable[[str, str, bytes], str | None]
"""(target ARN, alarm ARN, message) → why it could not be delivered, or None."""


class Change(NamedTuple):
    """One entry of an alarm's history."""

    at: float
    kind: str
    """`ConfigurationUpdate`, `StateUpdate` or `Action`."""
    summary: str
    data: Mapping[str, Any]


class KeptAlarm:
    """An alarm with its state."""

    __slots__ = ("alarm", "arn", "history", "reason", "reason_data", "state", "tags", "transitioned_at", "updated_at",
                 "written_at")  # fmt: skip

    def __init__(self, alarm: Alarm, arn: str, now: float) -> None:
        self.alarm, self.arn = alarm, arn
        self.state = INSUFFICIENT
        self.reason, self.reason_data = "Unchecked: Initial alarm creation", ""
        self.updated_at = self.transitioned_at = self.written_at = now
        self.tags: dict[str, str] = {}
        self.history: deque[Change] = deque(maxlen=limits.HISTORY_MAX_COUNT)

    def document(self) -> dict[str, Any]:
        """What the catalogue keeps."""
        return {"given": self.alarm.given, "state": self.state, "reason": self.reason, "reasonData": self.reason_data,
                "updatedAt": self.updated_at, "transitionedAt": self.transitioned_at, "writtenAt": self.written_at,
                "tags": self.tags}  # fmt: skip


class Alarms:
    """The alarms of one account and region."""

    def __init__(
        self,
        clock: Clock,
        place: Place,
        store: MetricStore,
        catalogue: Catalogue,
        measured: Callable[[], None],
        deliver: Deliver,
    ) -> None:
        """`measured` brings what was measured up to now into the store; `deliver` hands messages on."""
        self._clock, self._place, self._store = clock, place, store
        self._catalogue, self._measured, self._deliver = catalogue, measured, deliver
        self._alarms: dict[str, KeptAlarm] = {}
        self._timer: Timer | None = None

    def start(self) -> None:
        """Go on with the alarms of earlier runs; needs the running loop."""
        for name, document in self._catalogue.list(KIND):
            kept = KeptAlarm(Alarm(document["given"]), self.arn(name), float(document["writtenAt"]))
            kept.state, kept.reason = document["state"], document["reason"]
            kept.reason_data = document["reasonData"]
            kept.updated_at, kept.transitioned_at = document["updatedAt"], document["transitionedAt"]
            kept.tags = dict(document["tags"])
            self._alarms[name] = kept
        self._arm()

    def close(self) -> None:
        """Evaluate no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def arn(self, name: str) -> str:
        """The ARN of an alarm."""
        return self._place.arn("cloudwatch", f"alarm:{name}")

    # -- definitions -------------------------------------------------------------------------------------------------

    def put(self, given: Mapping[str, Any]) -> Future[None]:
        """Make or change an alarm; a change keeps its state. AwsError when it is wrong; resolves when durable."""
        tags = {str(tag["Key"]): str(tag["Value"]) for tag in given.get("Tags") or ()}
        alarm = Alarm({name: value for name, value in given.items() if name != "Tags"})
        now = self._clock.now()
        kept = self._alarms.get(alarm.name)
        if kept is None:
            if len(self._alarms) >= limits.ALARMS_MAX_COUNT:
                raise LimitExceeded(f"The maximum of {limits.ALARMS_MAX_COUNT} alarms is reached.")
            kept = self._alarms[alarm.name] = KeptAlarm(alarm, self.arn(alarm.name), now)
            kept.tags = tags
            said = "created"
        else:
            kept.alarm, said = alarm, "updated"
        kept.written_at = now
        kept.history.append(Change(now, "ConfigurationUpdate", f'Alarm "{alarm.name}" {said}', {}))
        self._arm()
        return self._catalogue.put(KIND, alarm.name, kept.document())

    def delete(self, names: Sequence[str]) -> list[Future[None]]:
        """Forget alarms. ResourceNotFound, with none forgotten, when one does not exist."""
        for name in names:
            self.get(name)
        for name in names:
            del self._alarms[name]
        return [self._catalogue.delete(KIND, name) for name in names]

    def get(self, name: str) -> KeptAlarm:
        """An alarm. ResourceNotFound."""
        kept = self._alarms.get(name)
        if kept is None:
            raise ResourceNotFound(f"The alarm {name[:255]!r} does not exist.")
        return kept

    def all(self) -> list[KeptAlarm]:
        """Every alarm, by name."""
        return [self._alarms[name] for name in sorted(self._alarms)]

    def enable(self, names: Iterable[str], enabled: bool) -> list[Future[None]]:
        """Let actions happen, or not; unknown names are passed over, as on AWS."""
        changed = [self._alarms[name] for name in names if name in self._alarms]
        for kept in changed:
            kept.alarm.given["ActionsEnabled"] = enabled
        return [self._catalogue.put(KIND, kept.alarm.name, kept.document()) for kept in changed]

    def set_state(self, name: str, state: str, reason: str, reason_data: str) -> Future[None]:
        """Put an alarm into a state until its next evaluation. ResourceNotFound, InvalidFormat."""
        kept = self.get(name)
        if reason_data:
            try:
                orjson.loads(reason_data)
            except orjson.JSONDecodeError:
                raise InvalidFormat("TargetStateReasonData is not a valid JSON object") from None
        return self._move(kept, state, reason, reason_data)

    # -- evaluation --------------------------------------------------------------------------------------------------

    def _arm(self) -> None:
        if self._timer is None and self._alarms:
            past = (self._clock.now() - LATE_SECONDS) % limits.EVALUATION_SECONDS
            self._timer = self._clock.call_later(limits.EVALUATION_SECONDS - past, self._minute)

    def _minute(self) -> None:
        self._timer = None
        self._arm()
        self._measured()
        now = self._clock.now()
        for kept in self.all():
            try:
                self._evaluate(kept, now)
            except AwsError as error:
                self._keep(kept, INSUFFICIENT, f"The alarm cannot be evaluated: {error.message}")
            except Exception:
                _log.exception("the alarm %s could not be evaluated", kept.alarm.name)

    def _evaluate(self, kept: KeptAlarm, now: float) -> None:
        alarm = kept.alarm
        stop = int(now // alarm.period) * alarm.period
        times = range(stop - alarm.looks_at * alarm.period, stop, alarm.period)
        results = Queries(self._store, alarm.queries(), times.start, times.stop).results()
        if len(results) != 1:
            raise ValidationError("an alarm's expression must give one series")
        verdict = alarm.judge([results[0].values.get(at) for at in times])
        if verdict.state is not None:
            data = {"version": "1.0", "queryDate": now, "period": alarm.period, "recentDatapoints": verdict.recent,
                    "threshold": alarm.threshold}  # fmt: skip
            self._keep(kept, verdict.state, verdict.reason, orjson.dumps(data).decode())

    def _keep(self, kept: KeptAlarm, state: str, reason: str, reason_data: str = "") -> None:
        """Move when the state changes; a reason alone changes nothing that anyone would be told of."""
        if kept.state != state:
            self._move(kept, state, reason, reason_data).add_done_callback(_log_failure)

    def _move(self, kept: KeptAlarm, state: str, reason: str, reason_data: str) -> Future[None]:
        before, now = kept.state, self._clock.now()
        old = {"stateValue": before, "stateReason": kept.reason}
        kept.reason, kept.reason_data, kept.updated_at = reason, reason_data, now
        if before != state:
            kept.state, kept.transitioned_at = state, now
            new = {"stateValue": state, "stateReason": reason}
            kept.history.append(
                Change(
                    now, "StateUpdate", f"Alarm updated from {before} to {state}", {"oldState": old, "newState": new}
                )
            )
            if kept.alarm.given.get("ActionsEnabled") is not False:
                self._act(kept, before)
        return self._catalogue.put(KIND, kept.alarm.name, kept.document())

    def _act(self, kept: KeptAlarm, before: str) -> None:
        """Tell whoever the definition names for the new state."""
        for target in kept.alarm.given.get(_ACTIONS[kept.state]) or ():
            arn = str(target)
            make = function_event if ":lambda:" in arn else topic_message
            failed = self._deliver(arn, kept.arn, make(kept, before, self._place))
            said = (
                f"Successfully executed action {arn}" if failed is None else f"Failed to execute action {arn}: {failed}"
            )
            if failed is not None:
                _log.warning("alarm %s: %s", kept.alarm.name, said)
            kept.history.append(
                Change(self._clock.now(), "Action", said, {"actionState": "Failed" if failed else "Succeeded"})
            )


def _log_failure(done: Future[None]) -> None:
    if not done.cancelled() and done.exception() is not None:
        _log.error("the state of an alarm could not be stored: %s", done.exception())
