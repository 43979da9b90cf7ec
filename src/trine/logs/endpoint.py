"""The API of CloudWatch Logs, as the door needs it: JSON 1.1 by botocore's model.

Enters the store, leaves a `ServiceApi`.
"""

from __future__ import annotations

from collections.abc import Iterator

from trine.aws.arn import Place
from trine.aws.charges import Charge, uncharged
from trine.aws.errors import AwsError
from trine.aws.ids import Ids
from trine.aws.protocol import ServiceModel
from trine.aws.protocol_errors import Violations
from trine.clock import Clock
from trine.iam.door import Deed, Output, Right, ServiceApi, ServiceCall
from trine.logs.operations import Operations, Run, group_name
from trine.logs.query_operations import QueryOperations
from trine.logs.store import LogStore

_OF_STREAMS = frozenset({"PutLogEvents", "GetLogEvents", "CreateLogStream", "DeleteLogStream"})
"""Operations whose resource is a stream (service authorization reference); the others' is a group."""


_OF_NOTHING = frozenset({"TestMetricFilter", "GetQueryResults", "StopQuery"})
"""Operations that IAM checks on no resource."""


def logs_api(store: LogStore, place: Place, clock: Clock, ids: Ids, charge: Charge = uncharged) -> ServiceApi:
    """The log groups of one account and region."""
    queries = QueryOperations(
        store, place.account_id, clock, ids, charge, lambda named: group_name({"logGroupIdentifier": named}) or named
    )
    operations = {**Operations(store, place, clock).operations(), **queries.operations()}
    model = ServiceModel("logs", frozenset(operations))

    def deed(run: Run) -> Deed:
        return lambda call: run(call.input)

    def rights(call: ServiceCall) -> Iterator[Right]:
        if call.operation == "StartQuery":
            for group in queries.groups_of(call.input):
                yield Right("logs:StartQuery", place.arn("logs", f"log-group:{group}:*"))
        else:
            yield Right(f"logs:{call.operation}", _resource(call, place))

    return ServiceApi(
        service="logs",
        model_of=lambda _: model,
        operations={name: deed(run) for name, run in operations.items()},
        rights=rights,
        internal=AwsError("The service cannot complete the request.", code="ServiceUnavailableException"),
        subject=lambda call: group_name(call.input) or "",
        restate=_restated,
        charged=_charged,
    )


def _restated(error: AwsError) -> AwsError:
    """CloudWatch Logs calls what breaks its model an InvalidParameterException."""
    return (
        AwsError(error.message, code="InvalidParameterException", status=400)
        if isinstance(error, Violations)
        else error
    )


def _charged(call: ServiceCall, output: Output) -> dict[str, float] | None:
    """What is charged for is what is written (pricing page, "Collect (data ingestion)")."""
    if call.operation != "PutLogEvents":
        return None
    rejected = output.get("rejectedLogEventsInfo") or {}
    events = call.input["logEvents"]
    first = max(rejected.get("tooOldLogEventEndIndex", 0), rejected.get("expiredLogEventEndIndex", 0))
    last = rejected.get("tooNewLogEventStartIndex", len(events))
    return {"logBytes": sum(len(str(event["message"]).encode()) for event in events[first:last])}


def _resource(call: ServiceCall, place: Place) -> str:
    group = group_name(call.input)
    if group is None:
        return "*" if call.operation in _OF_NOTHING else place.arn("logs", "log-group:*")
    stream = call.input.get("logStreamName")
    if call.operation in _OF_STREAMS and stream is not None:
        return place.arn("logs", f"log-group:{group}:log-stream:{stream}")
    return place.arn("logs", f"log-group:{group}:*")  # with the star, as policies name groups
