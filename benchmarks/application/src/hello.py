"""A function that does nothing: what remains is the way to it and back."""

import json


def handler(event, context):
    name = event["requestContext"]["http"]["path"]
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps({"hello": name})}
