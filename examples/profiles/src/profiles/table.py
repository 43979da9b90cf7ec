"""The table. The client is made once per execution environment, when the module is loaded."""

from __future__ import annotations

import os

import boto3
from botocore.exceptions import ClientError

TABLE_NAME = os.environ["TABLE_NAME"]
EMAIL_INDEX = os.environ["EMAIL_INDEX"]

dynamodb = boto3.client("dynamodb")


def condition_failed(error: ClientError) -> bool:
    """True when a conditional write found another state than it asked for."""
    return error.response["Error"]["Code"] == "ConditionalCheckFailedException"
