"""The API of SNS, as the door needs it: query protocol in, XML out.

Enters the topics, leaves a `ServiceApi`. Identity policies and the topic's own are asked.
"""

from __future__ import annotations

from trine.aws.errors import AwsError
from trine.aws.ids import Ids
from trine.aws.protocol import ServiceModel
from trine.iam.door import Deed, Input, Right, ServiceApi, ServiceCall
from trine.iam.errors import AccessDenied
from trine.messaging.charged import topic_call
from trine.messaging.sns_operations import ACTIONS, OPERATIONS, Run, Turn
from trine.messaging.topics import Topics


def sns_api(topics: Topics, ids: Ids) -> ServiceApi:
    """The topics of one account and region."""
    model = ServiceModel("sns", frozenset(OPERATIONS))

    def deed(run: Run) -> Deed:
        return lambda call: run(Turn(topics, ids, call.input))

    def rights(call: ServiceCall) -> list[Right]:
        arn = _resource(call.input, topics)
        topic = topics.get(arn)
        action = f"sns:{ACTIONS.get(call.operation, call.operation)}"
        return [Right(action, arn, policy=None if topic is None else topic.policy)]

    return ServiceApi(
        service="sns",
        charged=lambda call, output: topic_call(call.operation, call.input, output),
        model_of=model.answering,
        operations={name: deed(run) for name, run in OPERATIONS.items()},
        rights=rights,
        internal=AwsError("We encountered an internal error. Please try again.", code="InternalError"),
        subject=lambda call: _resource(call.input, topics).rpartition(":")[2],
        restate=_restated,
    )


def _restated(error: AwsError) -> AwsError:
    """SNS has a name of its own for a refusal (API reference, errors of every operation)."""
    if isinstance(error, AccessDenied):
        return AwsError(error.message, code="AuthorizationError", status=403)
    return error


def _resource(given: Input, topics: Topics) -> str:
    """The ARN that the operation is about: the topic's; a subscription's is its topic's with an id."""
    if "Name" in given:
        return topics.arn(str(given["Name"]))
    if "SubscriptionArn" in given:
        return str(given["SubscriptionArn"]).rpartition(":")[0]
    return str(given.get("TopicArn") or given.get("TargetArn") or given.get("ResourceArn") or "*")
