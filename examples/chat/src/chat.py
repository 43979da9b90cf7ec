"""The three routes of the chat. Its code runs unchanged on AWS: the endpoint is the one that the event names."""

import json
import os
from functools import lru_cache

import boto3
from boto3.dynamodb.conditions import Key
from botocore.exceptions import ClientError

table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])


def join(event, context):
    """$connect: note who is in which room."""
    connection_id = event["requestContext"]["connectionId"]
    table.put_item(Item={"connectionId": connection_id, "room": event["queryStringParameters"]["room"]})
    return {"statusCode": 200}


def leave(event, context):
    """$disconnect: forget it. Best effort on AWS too, so `send` forgets those that it finds gone."""
    table.delete_item(Key={"connectionId": event["requestContext"]["connectionId"]})
    return {"statusCode": 200}


def send(event, context):
    """sendmessage: tell everybody in the sender's room."""
    request = event["requestContext"]
    sender = table.get_item(Key={"connectionId": request["connectionId"]}, ConsistentRead=True).get("Item")
    if sender is None:
        return {"statusCode": 410}
    clients = management(f"https://{request['domainName']}/{request['stage']}")
    text = json.dumps({"from": sender["connectionId"], "text": json.loads(event["body"])["text"]})
    for one in table.query(IndexName=os.environ["ROOM_INDEX"], KeyConditionExpression=Key("room").eq(sender["room"]))[
        "Items"
    ]:
        try:
            clients.post_to_connection(ConnectionId=one["connectionId"], Data=text.encode())
        except ClientError as error:
            if error.response["Error"]["Code"] != "GoneException":
                raise
    return {"statusCode": 200}


@lru_cache
def management(endpoint):
    """A client of the API's own connections."""
    return boto3.client("apigatewaymanagementapi", endpoint_url=endpoint)
