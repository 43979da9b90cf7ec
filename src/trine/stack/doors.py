"""The doors of the AWS port, by the name under which requests to them are signed.

Enters the wings, leaves an endpoint for each service. A door is made when its first request comes: the models and
operations of all control planes cost 70 ms of start-up and 8 MB that most stacks never need.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal

from trine.aws.arn import Place
from trine.aws.charges import Charge
from trine.aws.ids import Ids
from trine.clock import Clock
from trine.iam.access import Access
from trine.stack.listeners import Deferred, Endpoint
from trine.trace import TraceBook

if TYPE_CHECKING:
    from trine.apigateway.gateway import Gateway
    from trine.apigateway.management.made_keys import MadeKeys
    from trine.awslambda.service import Service
    from trine.cloudformation.template import Template
    from trine.cloudwatch.service import CloudWatch
    from trine.iam.door import ServiceApi
    from trine.logs.store import LogStore
    from trine.stack.eventing import Eventing


class Doors:
    """Makes the doors of one stack."""

    def __init__(self, access: Access, clock: Clock, ids: Ids, traces: TraceBook, place: Place) -> None:
        self._access, self._clock, self._ids, self._traces, self._place = access, clock, ids, traces, place

    def _before(self, api: Callable[[], ServiceApi]) -> Deferred:
        """The door of an API; both are made when the first request comes."""

        def made() -> Endpoint:
            from trine.iam.door import ServiceDoor

            return ServiceDoor(api(), self._access, self._ids, self._traces)

        return Deferred(made)

    def identity(self) -> Mapping[str, Endpoint]:
        """STS and IAM."""

        def api(service: Literal["sts", "iam"]) -> ServiceApi:
            from trine.iam.endpoint import identity_api

            return identity_api(service, self._access)

        return {"sts": self._before(lambda: api("sts")), "iam": self._before(lambda: api("iam"))}

    def observing(self, logs: LogStore, cloudwatch: CloudWatch, charge: Charge) -> Mapping[str, Endpoint]:
        """CloudWatch and its logs; `charge` is told what queries over logs have read."""

        def logs_door() -> ServiceApi:
            from trine.logs.endpoint import logs_api

            return logs_api(logs, self._place, self._clock, self._ids, charge)

        def cloudwatch_door() -> ServiceApi:
            from trine.cloudwatch.endpoint import cloudwatch_api

            return cloudwatch_api(cloudwatch, self._clock, self._place)

        return {"logs": self._before(logs_door), "monitoring": self._before(cloudwatch_door)}

    def functions(self, functions: Service) -> Mapping[str, Endpoint]:
        """Lambda."""

        def api() -> ServiceApi:
            from trine.awslambda.endpoint import lambda_api

            return lambda_api(functions, self._ids)

        return {"lambda": self._before(api)}

    def gateway(self, gateway: Callable[[], Gateway], made_keys: MadeKeys) -> Mapping[str, Endpoint]:
        """API Gateway's own API; `gateway` gives it once it is there."""

        def api() -> ServiceApi:
            from trine.apigateway.endpoint import management_api

            return management_api(gateway(), self._place, made_keys)

        return {"apigateway": self._before(api)}

    def stacks(self, template: Template, local: Callable[[], Mapping[str, str]]) -> Mapping[str, Endpoint]:
        """What is told of the stack; `local` gives AWS's addresses with those that answer here."""
        started_at = self._clock.now()

        def api() -> ServiceApi:
            from trine.cloudformation.endpoint import cloudformation_api

            return cloudformation_api(template, started_at, local)

        return {"cloudformation": self._before(api)}

    def eventing(self, eventing: Eventing) -> Mapping[str, Endpoint]:
        """Queues, topics, rules and schedules."""

        def queues() -> ServiceApi:
            from trine.messaging.sqs_endpoint import sqs_api

            return sqs_api(eventing.messaging.queues)

        def topics() -> ServiceApi:
            from trine.messaging.sns_endpoint import sns_api

            return sns_api(eventing.messaging.topics, self._ids)

        def events(service: Literal["events", "scheduler"]) -> ServiceApi:
            from trine.events.endpoint import event_api

            return event_api(service, eventing.eventbridge)

        return {
            "sqs": self._before(queues),
            "sns": self._before(topics),
            "events": self._before(lambda: events("events")),
            "scheduler": self._before(lambda: events("scheduler")),
        }
