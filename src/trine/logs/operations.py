"""The operations of CloudWatch Logs that Trine offers: groups, streams, retention, tags, events in and out.

Enters an operation's checked input, leaves its output by the model's member names. Raises AwsError.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from trine.aws.arn import Place
from trine.clock import Clock
from trine.logs import limits
from trine.logs.errors import InvalidParameter, LimitExceeded, ResourceAlreadyExists, ResourceNotFound
from trine.logs.event import StreamInfo
from trine.logs.group import LogGroup
from trine.logs.pattern import compile_pattern
from trine.logs.reading import event_id, filter_page, placed, read_token, stream_page
from trine.logs.store import LogStore

Given = Mapping[str, Any]
Output = dict[str, Any]
Run = Callable[[Given], Awaitable[Output]]
_FOREVER_MS = 1 << 62
_GROUP_ARN = re.compile(r"arn:[^:]+:logs:[^:]*:[^:]*:log-group:([^:]+)(?::\*)?")


def group_name(given: Given) -> str | None:
    """The log group that an input names, by name, identifier or ARN; None when it names none."""
    named = given.get("logGroupName") or given.get("logGroupIdentifier") or given.get("resourceArn")
    if named is None:
        return None
    found = _GROUP_ARN.fullmatch(str(named))
    return found[1] if found is not None else str(named)


class Operations:
    """The operations over one store."""

    def __init__(self, store: LogStore, place: Place, clock: Clock) -> None:
        self._store = store
        self._place = place
        self._clock = clock

    def operations(self) -> dict[str, Run]:
        """The operations by name."""
        return {
            "CreateLogGroup": self._create_group,
            "DeleteLogGroup": self._delete_group,
            "DescribeLogGroups": self._describe_groups,
            "PutRetentionPolicy": self._put_retention,
            "DeleteRetentionPolicy": self._delete_retention,
            "CreateLogStream": self._create_stream,
            "DeleteLogStream": self._delete_stream,
            "DescribeLogStreams": self._describe_streams,
            "PutLogEvents": self._put_events,
            "GetLogEvents": self._get_events,
            "FilterLogEvents": self._filter_events,
            "TestMetricFilter": self._test_filter,
            "PutMetricFilter": self._put_filter,
            "DeleteMetricFilter": self._delete_filter,
            "DescribeMetricFilters": self._describe_filters,
            "TagResource": self._tag,
            "UntagResource": self._untag,
            "ListTagsForResource": self._list_tags,
        }

    def _find(self, given: Given) -> LogGroup:
        name = group_name(given)
        if name is None:
            raise InvalidParameter("One of logGroupName and logGroupIdentifier is mandatory")
        return self._store.find(name)

    # -- groups ------------------------------------------------------------------------------------------------------

    async def _create_group(self, given: Given) -> Output:
        group = self._store.group(given["logGroupName"])
        if group.created_ms:
            raise ResourceAlreadyExists("The specified log group already exists")
        group.create()
        group.set(retention_days=None, tags=given.get("tags") or {})
        await group.settle()
        return {}

    async def _delete_group(self, given: Given) -> Output:
        self._find(given).clear()
        return {}

    async def _describe_groups(self, given: Given) -> Output:
        prefix, part = given.get("logGroupNamePrefix", ""), given.get("logGroupNamePattern", "").lower()
        if prefix and part:
            raise InvalidParameter("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
        wanted = given.get("logGroupIdentifiers")
        names = None if wanted is None else {group_name({"logGroupIdentifier": one}) for one in wanted}
        found = [
            group
            for group in self._store.existing()
            if group.group.startswith(prefix)
            and part in group.group.lower()
            and (names is None or group.group in names)
        ]
        shown, token = _page(found, lambda group: group.group, given)
        return _with_token({"logGroups": [self._shown(group) for group in shown]}, token)

    def _shown(self, group: LogGroup) -> Output:
        arn = self._place.arn("logs", f"log-group:{group.group}")
        shown: Output = {
            "logGroupName": group.group,
            "creationTime": group.created_ms,
            "metricFilterCount": len(group.metric_filters),
            "arn": f"{arn}:*",
            "logGroupArn": arn,
            "storedBytes": group.size_bytes,
            "logGroupClass": "STANDARD",
        }
        if group.retention_days is not None:
            shown["retentionInDays"] = group.retention_days
        return shown

    async def _put_retention(self, given: Given) -> Output:
        group = self._find(given)
        group.set(retention_days=retention(given["retentionInDays"]), tags=group.tags)
        await group.settle()
        return {}

    async def _delete_retention(self, given: Given) -> Output:
        group = self._find(given)
        group.set(retention_days=None, tags=group.tags)
        await group.settle()
        return {}

    async def _tag(self, given: Given) -> Output:
        group = self._find(given)
        tags = {**group.tags, **given["tags"]}
        if len(tags) > limits.TAGS_MAX:
            raise InvalidParameter(f"A log group can have at most {limits.TAGS_MAX} tags")
        group.set(retention_days=group.retention_days, tags=tags)
        await group.settle()
        return {}

    async def _untag(self, given: Given) -> Output:
        group = self._find(given)
        tags = {key: value for key, value in group.tags.items() if key not in given["tagKeys"]}
        group.set(retention_days=group.retention_days, tags=tags)
        await group.settle()
        return {}

    async def _list_tags(self, given: Given) -> Output:
        return {"tags": self._find(given).tags}

    # -- streams -----------------------------------------------------------------------------------------------------

    async def _create_stream(self, given: Given) -> Output:
        group = self._find(given)
        if given["logStreamName"] in await group.streams():
            raise ResourceAlreadyExists("The specified log stream already exists")
        group.create_stream(given["logStreamName"])
        await group.settle()
        return {}

    async def _delete_stream(self, given: Given) -> Output:
        group = self._find(given)
        await self._stream(group, given["logStreamName"])
        group.delete_stream(given["logStreamName"])
        await group.settle()
        return {}

    async def _stream(self, group: LogGroup, name: str) -> StreamInfo:
        found = (await group.streams()).get(name)
        if found is None:
            raise ResourceNotFound("The specified log stream does not exist.")
        return found

    async def _describe_streams(self, given: Given) -> Output:
        group = self._find(given)
        prefix = given.get("logStreamNamePrefix", "")
        by_time = given.get("orderBy") == "LastEventTime"
        if by_time and prefix:
            raise InvalidParameter("Cannot order by LastEventTime with a logStreamNamePrefix.")
        found = [(name, info) for name, info in (await group.streams()).items() if name.startswith(prefix)]
        found.sort(key=lambda one: (one[1].last_ms, one[0]) if by_time else (0, one[0]))
        if given.get("descending"):
            found.reverse()
        numbered = list(enumerate(found))
        shown, token = _page(numbered, lambda one: f"{one[0]:08}", given)
        streams = [self._shown_stream(group, name, info) for _, (name, info) in shown]
        return _with_token({"logStreams": streams}, token)

    def _shown_stream(self, group: LogGroup, name: str, info: StreamInfo) -> Output:
        shown: Output = {
            "logStreamName": name,
            "creationTime": info.created_ms,
            "arn": self._place.arn("logs", f"log-group:{group.group}:log-stream:{name}"),
            "storedBytes": 0,  # AWS has answered 0 for every stream since 2019
        }
        if info.first_ms:
            shown |= {
                "firstEventTimestamp": info.first_ms,
                "lastEventTimestamp": info.last_ms,
                "lastIngestionTime": info.ingested_ms,
            }
        return shown

    # -- events ------------------------------------------------------------------------------------------------------

    async def _put_events(self, given: Given) -> Output:
        group = self._find(given)
        await self._stream(group, given["logStreamName"])
        events = [(int(event["timestamp"]), str(event["message"])) for event in given["logEvents"]]
        _check_batch(events)
        now_ms = int(self._clock.now() * 1000)
        oldest_ms = now_ms - limits.PUT_PAST_MS
        kept_from = 0 if group.retention_days is None else now_ms - group.retention_days * 86_400_000
        rejected: Output = {}
        taken = []
        for index, (timestamp_ms, message) in enumerate(events):
            if timestamp_ms < oldest_ms:
                rejected["tooOldLogEventEndIndex"] = index + 1
            elif timestamp_ms < kept_from:
                rejected["expiredLogEventEndIndex"] = index + 1
            elif timestamp_ms > now_ms + limits.PUT_FUTURE_MS:
                rejected.setdefault("tooNewLogEventStartIndex", index)
            else:
                taken.append((timestamp_ms, message))
        group.put(given["logStreamName"], taken)
        await group.settle()
        output: Output = {"nextSequenceToken": "0"}  # AWS takes any token since 2023, and still answers one
        return {**output, "rejectedLogEventsInfo": rejected} if rejected else output

    async def _get_events(self, given: Given) -> Output:
        group = self._find(given)
        stream = given["logStreamName"]
        await self._stream(group, stream)
        events = await group.read(given.get("startTime", 0), given.get("endTime", _FOREVER_MS), (stream,))
        limit = min(given.get("limit") or limits.PAGE_EVENTS, limits.PAGE_EVENTS)
        page = stream_page(list(placed(events)), given.get("nextToken"), limit, bool(given.get("startFromHead")))
        return {
            "events": [
                {
                    "timestamp": event.timestamp_ms,
                    "message": event.message,  # with the end of its line, as on AWS: functions' lines have one
                    "ingestionTime": event.ingested_ms or event.timestamp_ms,
                }
                for event in page.events
            ],
            "nextForwardToken": page.forward,
            "nextBackwardToken": page.backward,
        }

    async def _filter_events(self, given: Given) -> Output:
        group = self._find(given)
        names, prefix = given.get("logStreamNames"), given.get("logStreamNamePrefix")
        if names is not None and prefix is not None:
            raise InvalidParameter("logStreamNames and logStreamNamePrefix are mutually exclusive parameters.")
        matches = compile_pattern(given.get("filterPattern", ""))
        streams = await group.streams()
        if names is not None:
            for name in names:
                await self._stream(group, name)
            chosen = frozenset(names)
        else:
            chosen = frozenset(name for name in streams if name.startswith(prefix or ""))
        after = None
        if given.get("nextToken"):
            _, after = read_token(given["nextToken"], "n")
        start_ms = given.get("startTime", 0)
        # All of the group are numbered, whichever streams are wanted: an event's id does not depend on the question.
        events = await group.read(start_ms, given.get("endTime", _FOREVER_MS))
        wanted = [(place, event) for place, event in placed(events) if event.stream in chosen]
        limit = min(given.get("limit") or limits.PAGE_EVENTS, limits.PAGE_EVENTS)
        found = filter_page(wanted, lambda message: matches(message.rstrip("\n")), after, limit)
        output: Output = {
            "events": [
                {
                    "logStreamName": event.stream,
                    "timestamp": event.timestamp_ms,
                    "message": event.message,
                    "ingestionTime": event.ingested_ms or event.timestamp_ms,
                    "eventId": event_id(place),
                }
                for place, event in found.events
            ],
            "searchedLogStreams": [],  # AWS stopped filling it in 2020
        }
        return _with_token(output, found.token)

    async def _put_filter(self, given: Given) -> Output:
        from trine.logs.metric_filter import FILTERS_MAX_COUNT, MetricFilter

        group, name = self._find(given), given["filterName"]
        if name not in group.metric_filters and len(group.metric_filters) >= FILTERS_MAX_COUNT:
            raise LimitExceeded("Resource limit exceeded.")
        now_ms = int(self._clock.now() * 1000)
        group.set_filter(
            name, MetricFilter(name, given.get("filterPattern") or "", given["metricTransformations"], now_ms)
        )
        await group.settle()
        return {}

    async def _delete_filter(self, given: Given) -> Output:
        group, name = self._find(given), given["filterName"]
        if name not in group.metric_filters:
            raise ResourceNotFound("The specified metric filter does not exist.")
        group.set_filter(name, None)
        await group.settle()
        return {}

    async def _describe_filters(self, given: Given) -> Output:
        groups = [self._find(given)] if group_name(given) is not None else self._store.existing()
        prefix = given.get("filterNamePrefix") or ""
        found = [
            {**one.document(), "logGroupName": group.group}
            for group in groups
            for one in group.metric_filters.values()
            if one.name.startswith(prefix)
            and given.get("metricName") in (None, one.metric)
            and given.get("metricNamespace") in (None, one.namespace)
        ]
        found.sort(key=_filter_key)
        shown, token = _page(found, _filter_key, given)
        return _with_token({"metricFilters": shown}, token)

    async def _test_filter(self, given: Given) -> Output:
        matches = compile_pattern(given["filterPattern"])
        found = [
            {"eventNumber": number, "eventMessage": message, "extractedValues": {}}
            for number, message in enumerate(given["logEventMessages"], 1)
            if matches(message)
        ]
        return {"matches": found}


def _filter_key(document: Given) -> str:
    return f"{document['logGroupName']} {document['filterName']}"


def retention(days: Any) -> int:
    """A retention that AWS knows. Raises InvalidParameter."""
    try:
        number = int(days)
    except (TypeError, ValueError):
        number = 0
    if number not in limits.RETENTION_DAYS:
        known = ", ".join(map(str, sorted(limits.RETENTION_DAYS)))
        raise InvalidParameter(f"Invalid retention value: {days}. Possible values are: {known}")
    return number


def _check_batch(events: list[tuple[int, str]]) -> None:
    size_bytes = sum(len(message.encode()) + limits.PUT_EVENT_OVERHEAD_BYTES for _, message in events)
    if size_bytes > limits.PUT_MAX_BYTES:
        raise InvalidParameter(f"Upload too large: {size_bytes} bytes exceeds limit of {limits.PUT_MAX_BYTES}")
    times = [timestamp_ms for timestamp_ms, _ in events]
    if times != sorted(times):
        raise InvalidParameter("Log events in a single PutLogEvents request must be in chronological order.")
    if times[-1] - times[0] > limits.PUT_SPAN_MS:
        raise InvalidParameter(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours."
        )


def _page(found: list[Any], key: Callable[[Any], str], given: Given) -> tuple[list[Any], str | None]:
    after = given.get("nextToken")
    if after is not None:
        found = [one for one in found if key(one) > after]
    limit = min(given.get("limit") or limits.DESCRIBE_PAGE, limits.DESCRIBE_PAGE)
    shown = found[:limit]
    return shown, key(shown[-1]) if len(shown) < len(found) else None


def _with_token(output: Output, token: str | None) -> Output:
    return output if token is None else {**output, "nextToken": token}
