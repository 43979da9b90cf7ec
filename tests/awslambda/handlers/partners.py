"""Handlers written with the libraries that people use on Lambda."""

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from mangum import Mangum

_PROCESSOR = BatchProcessor(event_type=EventType.SQS)


def _take(record):
    if record.body == "bad":
        raise ValueError("bad")


def batch(event, context):
    return process_partial_response(event=event, record_handler=_take, processor=_PROCESSOR, context=context)


async def _application(scope, receive, send):
    message = await receive()
    text = f"{scope['method']} {scope['path']}?{scope['query_string'].decode()} {message['body'].decode()}".encode()
    await send({"type": "http.response.start", "status": 201, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": text})


web = Mangum(_application, lifespan="off")
