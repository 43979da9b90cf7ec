"""The API of SQS, as the door needs it: JSON 1.0, and the query protocol of older SDKs.

Enters the queues, leaves a `ServiceApi`. Identity policies and the queue's own are asked.
"""

from __future__ import annotations

from trine.aws.errors import AwsError
from trine.http.message import Request
from trine.iam.door import Deed, Output, Right, ServiceApi, ServiceCall
from trine.messaging.charged import queue_call
from trine.messaging.queues import Queues
from trine.messaging.sqs_messages import ACTIONS, MESSAGE_OPERATIONS
from trine.messaging.sqs_operations import QUEUE_OPERATIONS, Run, Turn
from trine.messaging.sqs_wire import SqsModels


def sqs_api(queues: Queues) -> ServiceApi:
    """The queues of one account and region."""
    operations = {**QUEUE_OPERATIONS, **MESSAGE_OPERATIONS}
    models = SqsModels(frozenset(operations))

    def turn(call: ServiceCall) -> Turn:
        trace = call.request.headers.get(b"x-amzn-trace-id")
        trace_header = None if trace is None else trace.decode("latin-1")
        return Turn(queues, call.input, call.signer, _base_url(call.request), trace_header)

    def deed(run: Run) -> Deed:
        return lambda call: run(turn(call))

    def rights(call: ServiceCall) -> list[Right]:
        action = f"sqs:{ACTIONS.get(call.operation, call.operation)}"
        if call.operation == "ListQueues":
            return [Right(action, queues.arn("*"))]
        arn = queues.arn(turn(call).name)
        live = queues.find_arn(arn)
        return [Right(action, arn, policy=None if live is None else live.queue.settings.policy)]

    def charged(call: ServiceCall, output: Output) -> dict[str, float]:
        fifo = str(call.input.get("QueueUrl") or "").endswith(".fifo")
        return queue_call(call.operation, call.input, output, fifo=fifo)

    return ServiceApi(
        service="sqs",
        charged=charged,
        model_of=models.of,
        operations={name: deed(run) for name, run in operations.items()},
        rights=rights,
        internal=AwsError("We encountered an internal error. Please try again.", code="InternalError"),
        subject=lambda call: "" if call.operation == "ListQueues" else turn(call).name,
    )


def _base_url(request: Request) -> str:
    host = request.headers.get(b"host")
    return f"http://{host.decode('latin-1') if host is not None else 'localhost'}"
