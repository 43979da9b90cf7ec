"""All alarms of a stack: kept durably, evaluated once a minute by the injected clock, and who is told of a change.

Enters definitions (from the API or a template) and the store of metrics; leaves states with their history, and messages
to SNS topics and functions. Composite alarms follow whenever an alarm moves. Nothing runs while there is no alarm.
"""

from __future__ import annotations

import logging
from asyncio import Future
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson

from trine.aws.arn import Place
from trine.aws.catalogue import Catalogue
from trine.aws.errors import AwsError
from trine.clock import Clock, Timer
from trine.cloudwatch import limits
from trine.cloudwatch.alarm import ALARM, INSUFFICIENT, OK, Alarm
from trine.cloudwatch.archive import Archive
from trine.cloudwatch.composite import CompositeAlarm, name_of
from trine.cloudwatch.errors import InvalidFormat, LimitExceeded, ResourceNotFound, ValidationError
from trine.cloudwatch.kept_alarm import Change, KeptAlarm
from trine.cloudwatch.message import message_of
from trine.cloudwatch.query import Queries
from trine.cloudwatch.store import MetricStore
from trine.cloudwatch.suppression import Suppression

_log = logging.getLogger("trine.cloudwatch")
KIND = "cloudwatch:alarm"
LATE_SECONDS = 5
"""After the end of a minute, when its measures are there, alarms are evaluated."""
_ACTIONS = {OK: "OKActions", ALARM: "AlarmActions", INSUFFICIENT: "InsufficientDataActions"}
Deliver = Callable[[str, str, bytes], str | None]
"""(target ARN, alarm ARN, message) → why it could not be delivered, or None."""


class Alarms:
    """The alarms of one account and region."""

    def __init__(
        self,
        clock: Clock,
        place: Place,
        store: MetricStore,
        archive: Archive,
        catalogue: Catalogue,
        measured: Callable[[], None],
        deliver: Deliver,
    ) -> None:
        """`measured` brings what was measured up to now into the store; `deliver` hands messages on."""
        self._clock, self._place, self._store, self._archive = clock, place, store, archive
        self._catalogue, self._measured, self._deliver = catalogue, measured, deliver
        self._alarms: dict[str, KeptAlarm] = {}
        self._timer: Timer | None = None
        self._suppression = Suppression(
            clock, self.state_of, self._act, lambda kept: self._keep_document(kept).add_done_callback(_log_failure)
        )

    def load(self) -> None:
        """Go on with the alarms of earlier runs; needs the running loop."""
        for name, document in self._catalogue.list(KIND):
            kept = self._alarms[name] = KeptAlarm.of_document(document, self.arn(name))
            self._suppression.resume(kept)
        self._arm()

    def close(self) -> None:
        """Evaluate no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._suppression.close()

    def arn(self, name: str) -> str:
        """The ARN of an alarm."""
        return self._place.arn("cloudwatch", f"alarm:{name}")

    # -- definitions -------------------------------------------------------------------------------------------------

    def put(self, given: Mapping[str, Any]) -> Future[None]:
        """Make or change a metric alarm; a change keeps its state. AwsError when it is wrong; resolves when durable."""
        return self._put(Alarm(_without_tags(given)), given)

    def put_composite(self, given: Mapping[str, Any]) -> Future[None]:
        """Likewise a composite alarm; every alarm it names must exist."""
        alarm = CompositeAlarm(_without_tags(given))
        missing = [named for named in alarm.named() if name_of(named) not in self._alarms]
        if missing:
            raise ValidationError(
                f"Could not save the composite alarm as alarms {missing[:5]} in the alarm rule do not exist"
            )
        return self._put(alarm, given)

    def _put(self, alarm: Alarm | CompositeAlarm, given: Mapping[str, Any]) -> Future[None]:
        now, kept = self._clock.now(), self._alarms.get(alarm.name)
        if kept is None:
            if len(self._alarms) >= limits.ALARMS_MAX_COUNT:
                raise LimitExceeded(f"The maximum of {limits.ALARMS_MAX_COUNT} alarms is reached.")
            kept = self._alarms[alarm.name] = KeptAlarm(alarm, self.arn(alarm.name), now)
            kept.tags = {str(tag["Key"]): str(tag["Value"]) for tag in given.get("Tags") or ()}
            said = "created"
        else:
            if kept.alarm.kind != alarm.kind:
                raise ValidationError(f"An alarm of the name {alarm.name[:255]!r} exists; it is a {kept.alarm.kind}.")
            said = "" if kept.alarm.given == alarm.given else "updated"
            kept.alarm = alarm
        if said:
            kept.written_at = now
            self._remember(kept, "ConfigurationUpdate", f'Alarm "{alarm.name}" {said}', {})
        self._arm()
        written = self._keep_document(kept)
        if isinstance(alarm, CompositeAlarm):
            self._follow()
        return written

    def delete(self, names: Sequence[str]) -> list[Future[None]]:
        """Forget alarms. ResourceNotFound, with none forgotten, when one does not exist."""
        for name in names:
            self.get(name)
        for other in self._alarms.values():
            if isinstance(other.alarm, CompositeAlarm) and other.alarm.name not in names:
                needed = [name for name in map(name_of, other.alarm.named()) if name in names]
                if needed:
                    raise ValidationError(f"Cannot delete {needed[0][:255]}: the composite alarm depends on it.")
        for name in names:
            self._suppression.forget(name)
            del self._alarms[name]
        return [self._catalogue.delete(KIND, name) for name in names]

    def get(self, name: str) -> KeptAlarm:
        """An alarm. ResourceNotFound."""
        if (kept := self.find(name)) is None:
            raise ResourceNotFound(f"The alarm {name[:255]!r} does not exist.")
        return kept

    def find(self, name: str) -> KeptAlarm | None:
        """An alarm, or None."""
        return self._alarms.get(name)

    def all(self) -> list[KeptAlarm]:
        """Every alarm, by name."""
        return [self._alarms[name] for name in sorted(self._alarms)]

    def state_of(self, named: str) -> str | None:
        """The state of the alarm of a name or ARN; None when there is none."""
        kept = self._alarms.get(name_of(named))
        return kept.state if kept is not None else None

    def enable(self, names: Iterable[str], enabled: bool) -> list[Future[None]]:
        """Let actions happen, or not; unknown names are passed over, as on AWS."""
        changed = [self._alarms[name] for name in names if name in self._alarms]
        for kept in changed:
            kept.alarm.given["ActionsEnabled"] = enabled
        return [self._keep_document(kept) for kept in changed]

    def tag(self, kept: KeptAlarm, added: Mapping[str, str], removed: Iterable[str] = ()) -> Future[None]:
        """Change an alarm's tags. LimitExceeded."""
        tags = {**{name: value for name, value in kept.tags.items() if name not in set(removed)}, **added}
        if len(tags) > limits.TAGS_MAX_COUNT:
            raise LimitExceeded(f"An alarm has at most {limits.TAGS_MAX_COUNT} tags.")
        kept.tags = tags
        return self._keep_document(kept)

    def set_state(self, name: str, state: str, reason: str, reason_data: str) -> Future[None]:
        """Put an alarm into a state until its next evaluation. ResourceNotFound, InvalidFormat."""
        kept = self.get(name)
        if reason_data:
            try:
                orjson.loads(reason_data)
            except orjson.JSONDecodeError:
                raise InvalidFormat("TargetStateReasonData is not a valid JSON object") from None
        moved = self._move(kept, state, reason, reason_data)
        self._follow()
        return moved

    def history(self, name: str | None = None) -> list[Change]:
        """What has happened to alarms, also to those that are gone, the newest first."""
        oldest = self._clock.now() - limits.HISTORY_SECONDS
        entries = (Change(*entry) for entry in self._archive.history(limits.HISTORY_MAX_COUNT))
        return [change for change in entries if change.at >= oldest and name in (None, change.alarm)]

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
            if not isinstance(kept.alarm, Alarm):
                continue
            try:
                self._evaluate(kept, kept.alarm, now)
            except AwsError as error:
                self._keep(kept, INSUFFICIENT, f"The alarm cannot be evaluated: {error.message}")
            except Exception:
                _log.exception("the alarm %s could not be evaluated", kept.alarm.name)
        self._follow()

    def _evaluate(self, kept: KeptAlarm, alarm: Alarm, now: float) -> None:
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

    def _follow(self) -> None:
        """Bring composite alarms to what their rules say; in a circle they get so many turns."""
        composite = [kept for kept in self.all() if isinstance(kept.alarm, CompositeAlarm)]
        for _ in range(limits.COMPOSITE_TURNS_MAX_COUNT):
            moved = [kept for kept in composite if self._follow_one(kept)]
            if not moved:
                break
        self._suppression.look([kept for kept in composite if kept.suppressed_by])

    def _follow_one(self, kept: KeptAlarm) -> bool:
        assert isinstance(kept.alarm, CompositeAlarm)
        rule = kept.alarm.rule
        state = ALARM if rule.holds(self.state_of) else OK
        if state == kept.state:
            return False
        triggers = [{"arn": self.arn(name_of(name)), "state": {"value": self.state_of(name)}} for name in rule.names]
        named = ", ".join(f"{name_of(one)} is {self.state_of(one) or 'gone'}" for one in rule.names)
        data = orjson.dumps({"triggeringAlarms": triggers}).decode()
        said = f"The rule {'holds' if state == ALARM else 'does not hold'}: {named or 'constant'}."
        self._keep(kept, state, said, data)
        return True

    def _keep(self, kept: KeptAlarm, state: str, reason: str, reason_data: str = "") -> None:
        """Move when the state changes; a reason alone changes nothing that anyone would be told of."""
        if kept.state != state:
            self._move(kept, state, reason, reason_data).add_done_callback(_log_failure)

    def _move(self, kept: KeptAlarm, state: str, reason: str, reason_data: str) -> Future[None]:
        before, now = kept.state, self._clock.now()
        old = {"stateValue": before, "stateReason": kept.reason}
        standing = kept.standing()
        kept.reason, kept.reason_data, kept.updated_at = reason, reason_data, now
        if before != state:
            kept.state, kept.transitioned_at, kept.previous = state, now, standing
            new = {"stateValue": state, "stateReason": reason}
            said = f"Alarm updated from {before} to {state}"
            self._remember(kept, "StateUpdate", said, {"oldState": old, "newState": new})
            if kept.acts and not self._suppression.holds_back(kept, before):
                self._act(kept, before)
        return self._keep_document(kept)

    def _act(self, kept: KeptAlarm, before: str) -> None:
        """Tell whoever the definition names for the state."""
        for target in kept.alarm.given.get(_ACTIONS[kept.state]) or ():
            arn = str(target)
            failed = self._deliver(arn, kept.arn, message_of(arn, kept, before, self._place))
            said = (
                f"Successfully executed action {arn}" if failed is None else f"Failed to execute action {arn}: {failed}"
            )
            if failed is not None:
                _log.warning("alarm %s: %s", kept.alarm.name, said)
            self._remember(kept, "Action", said, {"actionState": "Failed" if failed else "Succeeded"})

    def _remember(self, kept: KeptAlarm, kind: str, summary: str, data: Mapping[str, Any]) -> None:
        change = Change(self._clock.now(), kept.alarm.name, kept.alarm.kind, kind, summary, data)
        self._archive.append(change).add_done_callback(_log_failure)

    def _keep_document(self, kept: KeptAlarm) -> Future[None]:
        return self._catalogue.put(KIND, kept.alarm.name, kept.document())


def _without_tags(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name != "Tags"}


def _log_failure(done: Future[None]) -> None:
    if not done.cancelled() and done.exception() is not None:
        _log.error("the state of an alarm could not be stored: %s", done.exception())
