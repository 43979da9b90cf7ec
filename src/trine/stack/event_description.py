"""What a running stack has of queues and of things that invoke functions, as plain JSON values.

Pure. Enters the template and the address of the AWS port, leaves what is printed at the start and by `--json`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from trine.awslambda.template import EVENT_SOURCE
from trine.cloudformation.resources import Resource
from trine.cloudformation.template import Template
from trine.events import resource_types as rules
from trine.messaging import resource_types as messages


def describe_queues(template: Template, aws_url: str) -> list[dict[str, str]]:
    """Each queue with the URL at which it answers here, and AWS's, which `Ref` gives."""
    return [
        {"name": queue.name, "url": local_queue_url(queue.physical_id, aws_url), "awsUrl": queue.physical_id}
        for queue in template.of_type(messages.QUEUE)
    ]


def local_queue_url(aws_queue_url: str, aws_url: str) -> str:
    """`https://sqs.REGION.amazonaws.com/ACCOUNT/NAME` at the AWS port."""
    return f"{aws_url}/{'/'.join(aws_queue_url.rsplit('/', 2)[-2:])}"


def describe_sources(template: Template) -> list[dict[str, Any]]:
    """What starts work by itself: event source mappings, subscriptions, rules and schedules, each with its targets."""
    return [
        *map(_mapping, template.of_type(EVENT_SOURCE)),
        *map(_subscription, template.of_type(messages.SUBSCRIPTION)),
        *map(_rule, template.of_type(rules.RULE)),
        *map(_schedule, template.of_type(rules.SCHEDULE)),
    ]


def _mapping(resource: Resource) -> dict[str, Any]:
    properties = resource.properties
    source = properties.get("EventSourceArn")
    return _row(source, source, [properties.get("FunctionName")])


def _subscription(resource: Resource) -> dict[str, Any]:
    topic = resource.properties.get("TopicArn")
    return _row(topic, topic, [resource.properties.get("Endpoint")])


def _rule(resource: Resource) -> dict[str, Any]:
    properties = resource.properties
    when = properties.get("ScheduleExpression") or f"rule {resource.name}"
    return _row(when, resource.attributes.get("Arn"), list(_arns(properties.get("Targets"))))


def _schedule(resource: Resource) -> dict[str, Any]:
    zone = resource.properties.get("ScheduleExpressionTimezone")
    when = f"{resource.properties.get('ScheduleExpression')}{f' {zone}' if zone else ''}"
    return _row(when, resource.attributes.get("Arn"), list(_arns([resource.properties.get("Target")])))


def _arns(targets: Any) -> Iterator[str]:
    for target in targets if isinstance(targets, list) else ():
        if isinstance(target, Mapping):
            yield str(target.get("Arn"))


def _row(source: Any, arn: Any, targets: list[Any]) -> dict[str, Any]:
    return {"source": _short(source), "arn": str(arn), "targets": [_short(target) for target in targets]}


def _short(name: Any) -> str:
    """An ARN without what is the same for all of them; other texts as they are."""
    text = str(name)
    if not text.startswith("arn:"):
        return text
    service, resource = text.split(":", 5)[2::3] if text.count(":") >= 5 else ("", text)
    return f"{service} {resource.removeprefix('function:').removeprefix('table/')}"
