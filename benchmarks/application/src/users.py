"""A function that reads one item with boto3, its client made when the module is loaded."""

import json

import boto3

TABLE = boto3.client("dynamodb", region_name="us-east-1")


def handler(event, context):
    user = event["pathParameters"]["id"]
    found = TABLE.get_item(TableName="Users", Key={"id": {"S": user}}).get("Item")
    if found is None:
        return {"statusCode": 404, "body": json.dumps({"message": "no such user"})}
    body = {"id": found["id"]["S"], "name": found["name"]["S"]}
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}
