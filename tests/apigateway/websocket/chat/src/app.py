"""Connections in a table, messages to everybody: the chat of AWS's samples, its endpoint made as the guide makes it."""

import json
import os

import boto3
from botocore.exceptions import ClientError

table = boto3.resource("dynamodb").Table(os.environ["TABLE"])


def handler(event, context):
    request = event["requestContext"]
    connection_id = request["connectionId"]
    if request["eventType"] == "CONNECT":
        table.put_item(Item={"connectionId": connection_id})
    elif request["eventType"] == "DISCONNECT":
        table.delete_item(Key={"connectionId": connection_id})
    else:
        broadcast(request, json.loads(event["body"])["data"])
    return {"statusCode": 200}


def broadcast(request, text):
    endpoint = f"https://{request['domainName']}/{request['stage']}"
    connections = boto3.client("apigatewaymanagementapi", endpoint_url=endpoint)
    for item in table.scan(ConsistentRead=True)["Items"]:
        try:
            connections.post_to_connection(ConnectionId=item["connectionId"], Data=text.encode())
        except ClientError as error:
            if error.response["Error"]["Code"] != "GoneException":
                raise
            table.delete_item(Key={"connectionId": item["connectionId"]})
