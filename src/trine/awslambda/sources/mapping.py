"""An event source mapping as a value: what was wished, checked as Lambda checks it.

Enters the members of CreateEventSourceMapping, which are also the properties of `AWS::Lambda::EventSourceMapping`;
leaves a `Mapping` or InvalidParameterValue in AWS's manner.
"""

from __future__ import annotations

from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from trine.aws.arn import Arn
from trine.aws.event_pattern import InvalidPattern, Pattern, compile_pattern
from trine.aws.shapes import bounded_in, object_in, objects_in, text_in, texts_in
from trine.awslambda.errors import InvalidParameterValue
from trine.awslambda.sources import limits

_number = partial(bounded_in, fault=InvalidParameterValue)
REPORT = "ReportBatchItemFailures"
Kind = Literal["stream", "queue"]
_KINDS: Map[str, Kind] = {"dynamodb": "stream", "sqs": "queue"}
_DESTINATIONS = ("sqs", "sns")
"""Services that take batches which were given up. On AWS also buckets, and Kafka topics for Kafka's own sources."""
_STREAM_ONLY = (
    "ParallelizationFactor",
    "StartingPosition",
    "StartingPositionTimestamp",
    "MaximumRecordAgeInSeconds",
    "BisectBatchOnFunctionError",
    "MaximumRetryAttempts",
    "TumblingWindowInSeconds",
)


@dataclass(frozen=True, slots=True)
class Mapping:
    """One mapping. Times in seconds; −1 means without end."""

    kind: Kind
    source_arn: str
    function: str
    """As it was given: a name or any ARN form."""
    batch_size: int
    window_seconds: int
    enabled: bool
    patterns: tuple[Pattern, ...]
    report_failures: bool
    on_failure: str | None
    starting_position: str | None
    parallelization: int
    retries: int
    record_age_seconds: int
    bisect: bool
    tumbling_seconds: int
    max_concurrency: int | None

    @property
    def is_fifo(self) -> bool:
        """A FIFO queue keeps order within its groups."""
        return self.kind == "queue" and self.source_arn.endswith(".fifo")


def kind_of(source_arn: str) -> Kind | None:
    """Which poller a source needs; None for services that Trine has no poller for. InvalidParameterValue: no ARN."""
    try:
        return _KINDS.get(Arn.parse(source_arn).service)
    except ValueError:
        raise InvalidParameterValue("Unrecognized event source.") from None


def destination_elsewhere(given: Map[str, Any]) -> str | None:
    """The on-failure destination that `given` names when it is of a kind that Trine does not deliver to: a bucket, a
    Kafka topic. None where it can be delivered, where there is none, and where it is no address at all."""
    destination = text_in(object_in(object_in(given, "DestinationConfig"), "OnFailure"), "Destination")
    if destination is None:
        return None
    if destination.startswith("kafka://"):
        return destination
    try:
        service = Arn.parse(destination).service
    except ValueError:
        return None
    return None if service in _DESTINATIONS else destination


def mapping_from(given: Map[str, Any]) -> Mapping:
    """The mapping that `given` describes. Raises InvalidParameterValue."""
    source = str(given.get("EventSourceArn") or "")
    kind = kind_of(source)
    if kind is None:
        raise InvalidParameterValue(
            f"Unrecognized event source. Trine reads DynamoDB streams and SQS queues, not {source or 'nothing'}"
        )
    if not given.get("FunctionName"):
        raise InvalidParameterValue("FunctionName is mandatory")
    batch_default = limits.STREAM_BATCH_DEFAULT_RECORDS if kind == "stream" else limits.QUEUE_BATCH_DEFAULT_RECORDS
    mapping = Mapping(
        kind,
        source,
        str(given["FunctionName"]),
        _number(given, "BatchSize", batch_default, 1, limits.BATCH_MAX_RECORDS),
        _number(given, "MaximumBatchingWindowInSeconds", 0, 0, limits.WINDOW_MAX_SECONDS),
        _truth(given, "Enabled", True),
        patterns_of(object_in(given, "FilterCriteria")),
        _reports(texts_in(given, "FunctionResponseTypes")),
        _destination(given),
        text_in(given, "StartingPosition"),
        _number(given, "ParallelizationFactor", 1, 1, limits.PARALLELIZATION_MAX),
        _number(given, "MaximumRetryAttempts", -1, -1, limits.RETRIES_MAX),
        _age(given),
        _truth(given, "BisectBatchOnFunctionError", False),
        _number(given, "TumblingWindowInSeconds", 0, 0, limits.TUMBLING_MAX_SECONDS),
        _concurrency(given),
    )
    if kind == "queue":
        _check_queue(mapping, given)
    else:
        _check_stream(mapping)
    return mapping


def _check_queue(mapping: Mapping, given: Map[str, Any]) -> None:
    for name in _STREAM_ONLY:
        if given.get(name) is not None:
            raise InvalidParameterValue(f"{name} is not supported for SQS event source mapping.")
    if mapping.is_fifo:
        if mapping.batch_size > limits.FIFO_BATCH_MAX_RECORDS:
            raise InvalidParameterValue("BatchSize must be between 1 and 10 for a FIFO queue.")
        if mapping.window_seconds:
            raise InvalidParameterValue("Batching window is not supported for FIFO queues")
    elif mapping.batch_size > limits.QUEUE_BATCH_WITHOUT_WINDOW_RECORDS and not mapping.window_seconds:
        raise InvalidParameterValue(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
        )
    if mapping.on_failure is not None:
        raise InvalidParameterValue("Unsupported DestinationConfig parameter for given event source mapping type.")


def _check_stream(mapping: Mapping) -> None:
    if mapping.starting_position is None:
        raise InvalidParameterValue(
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must "
            "not be null."
        )
    if mapping.starting_position not in ("LATEST", "TRIM_HORIZON"):
        raise InvalidParameterValue(f"Unsupported starting position for arn type: {mapping.source_arn}")
    if mapping.max_concurrency is not None:
        raise InvalidParameterValue("ScalingConfig is only supported for SQS event source mappings.")
    if mapping.tumbling_seconds and mapping.parallelization > 1:
        raise InvalidParameterValue("ParallelizationFactor must be 1 with a tumbling window: the state is the shard's.")


def patterns_of(criteria: Map[str, Any]) -> tuple[Pattern, ...]:
    """The filters of a FilterCriteria. Raises InvalidParameterValue."""
    filters = objects_in(criteria, "Filters")
    if len(filters) > limits.FILTERS_MAX:
        raise InvalidParameterValue(f"A maximum of {limits.FILTERS_MAX} filters can be set for an event source mapping")
    compiled = []
    for one in filters:
        pattern = one.get("Pattern")
        try:
            compiled.append(compile_pattern(str(pattern if pattern is not None else "")))
        except InvalidPattern as error:
            raise InvalidParameterValue("Invalid filter pattern definition.") from error
    return tuple(compiled)


def _reports(types: Sequence[str]) -> bool:
    for one in types:
        if one != REPORT:
            raise InvalidParameterValue(
                f"Value '{one}' at 'functionResponseTypes' failed to satisfy constraint: Member must satisfy enum "
                f"value set: [{REPORT}]"
            )
    return bool(types)


def _destination(given: Map[str, Any]) -> str | None:
    destination = text_in(object_in(object_in(given, "DestinationConfig"), "OnFailure"), "Destination")
    if destination_elsewhere(given) is not None:
        raise InvalidParameterValue(
            f"The destination {destination} is no SQS queue and no SNS topic; other destinations of event source "
            "mappings are not built."
        )
    try:
        return None if destination is None else str(Arn.parse(destination))
    except ValueError:
        raise InvalidParameterValue(f"The destination ARN {destination} is invalid.") from None


def _concurrency(given: Map[str, Any]) -> int | None:
    scaling = object_in(given, "ScalingConfig")
    if scaling.get("MaximumConcurrency") is None:
        return None
    return _number(scaling, "MaximumConcurrency", 2, limits.CONCURRENCY_MIN, limits.CONCURRENCY_MAX)


def _age(given: Map[str, Any]) -> int:
    age = _number(given, "MaximumRecordAgeInSeconds", -1, -1, limits.RECORD_AGE_MAX_SECONDS)
    if 0 <= age < limits.RECORD_AGE_MIN_SECONDS:
        raise InvalidParameterValue(
            f"MaximumRecordAgeInSeconds must be -1 or between {limits.RECORD_AGE_MIN_SECONDS} and "
            f"{limits.RECORD_AGE_MAX_SECONDS}, not {age}"
        )
    return age


def _truth(given: Map[str, Any], name: str, default: bool) -> bool:
    value = given.get(name)
    if value is None:
        return default
    if isinstance(value, bool):
        return value
    if str(value).lower() not in ("true", "false"):
        raise InvalidParameterValue(f"{name} must be true or false, not {value!r}")
    return str(value).lower() == "true"
