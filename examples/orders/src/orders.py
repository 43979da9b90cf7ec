"""Orders: taken over HTTP, announced from the table's stream, packed from a queue, counted at night."""

import base64
import json
import os
from decimal import Decimal

import boto3

table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])
events = boto3.client("events")


def answer(status, document):
    return {"statusCode": status, "body": json.dumps(document, default=float)}


def take(event, context):
    """POST /orders: keep a new order."""
    body = event.get("body") or "{}"
    if event.get("isBase64Encoded"):  # HTTP APIs send what is not called JSON so
        body = base64.b64decode(body)
    order = json.loads(body, parse_float=Decimal)
    if not isinstance(order.get("id"), str) or not isinstance(order.get("total"), int | Decimal):
        return answer(400, {"message": "an order has an id and a total"})
    table.put_item(Item={"id": order["id"], "total": order["total"], "status": "new"})
    return answer(201, {"id": order["id"], "status": "new"})


def show(event, context):
    """GET /orders/{id}."""
    order = table.get_item(Key={"id": event["pathParameters"]["id"]}, ConsistentRead=True).get("Item")
    return answer(404, {"message": "no such order"}) if order is None else answer(200, order)


def announce(event, context):
    """Tell the bus of every order that the stream brings."""
    orders = [record["dynamodb"]["NewImage"] for record in event["Records"]]
    entries = [
        {
            "Source": "orders",
            "DetailType": "OrderTaken",
            "Detail": json.dumps({"id": order["id"]["S"], "total": float(order["total"]["N"])}),
            "EventBusName": os.environ["BUS_NAME"],
        }
        for order in orders
    ]
    if events.put_events(Entries=entries)["FailedEntryCount"]:
        raise RuntimeError("the bus did not take every event")


def pack(event, context):
    """Pack what the queue brings; say which messages to bring again."""
    failures = []
    for record in event["Records"]:
        try:
            table.update_item(
                Key={"id": json.loads(record["body"])["id"]},
                UpdateExpression="SET #s = :packed",
                ExpressionAttributeNames={"#s": "status"},
                ExpressionAttributeValues={":packed": "packed"},
            )
        except (KeyError, ValueError) as error:
            print(f"{record['messageId']}: {error!r}")
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}


def report(event, context):
    """How many orders are in which state; a nightly job may look at the whole table."""
    counts: dict[str, int] = {}
    for order in table.scan(ProjectionExpression="#s", ExpressionAttributeNames={"#s": "status"})["Items"]:
        counts[order["status"]] = counts.get(order["status"], 0) + 1
    print(json.dumps(counts))
    return counts
