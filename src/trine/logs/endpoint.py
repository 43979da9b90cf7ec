"""The API of CloudWatch Logs, as the door needs it: JSON 1.1 by botocore's model.

Enters the store, leaves a `ServiceApi`.
"""

from __future__ import annotations

from trine.aws.arn import Place
from trine.aws.errors import AwsError
from trine.aws.protocol import ServiceModel
from trine.clock import Clock
from trine.iam.door import Deed, Output, Right, ServiceApi, ServiceCall
from trine.logs.operations import Operations, Run, group_name
from trine.logs.store import LogStore

_OF_STREAMS = frozenset({"PutLogEvents", "GetLogEvents", "CreateLogStream", "DeleteLogStream"})
"""Operations whose resource is a stream (service authorization reference); the others' is a group."""


def logs_api(store: LogStore, place: Place, clock: Clock) -> ServiceApi:
    """The log groups of one account and region."""
    operations = Operations(store, place, clock).operations()
    model = ServiceModel("logs", frozenset(operations))

    def deed(run: Run) -> Deed:
        return lambda call: run(call.input)

    return ServiceApi(
        service="logs",
        model_of=lambda _: model,
        operations={name: deed(run) for name, run in operations.items()},
        rights=lambda call: [Right(f"logs:{call.operation}", _resource(call, place))],
        internal=AwsError("The service cannot complete the request.", code="ServiceUnavailableException"),
        subject=lambda call: group_name(call.input) or "",
        charged=_charged,
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
        return "*" if call.operation == "TestMetricFilter" else place.arn("logs", "log-group:*")
    stream = call.input.get("logStreamName")
    if call.operation in _OF_STREAMS and stream is not None:
        return place.arn("logs", f"log-group:{group}:log-stream:{stream}")
    return place.arn("logs", f"log-group:{group}:*")  # with the star, as policies name groups
