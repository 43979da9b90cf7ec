"""A table named by the ARN of another account, region or service is never a table of ours."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.pattern.conftest import Application, application
from trine.testing import running

__all__ = ["application"]

TEMPLATE = """
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: mine
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
"""


def test_only_our_own_arn_names_the_table(application: Application) -> None:
    with running(application.write(TEMPLATE)) as stack:
        client = stack.client("dynamodb")
        key = {"id": {"S": "1"}}
        own = "arn:aws:dynamodb:us-east-1:123456789012:table/mine"
        assert "Item" not in client.get_item(TableName=own, Key=key)
        for foreign in (
            own.replace("123456789012", "999999999999"),
            own.replace("us-east-1", "eu-west-1"),
            own.replace("arn:aws:", "arn:aws-cn:"),
        ):
            for call in (
                lambda arn: client.get_item(TableName=arn, Key=key),
                lambda arn: client.put_item(TableName=arn, Item=key),
                lambda arn: client.scan(TableName=arn),
                lambda arn: client.batch_get_item(RequestItems={arn: {"Keys": [key]}}),
                lambda arn: client.batch_write_item(RequestItems={arn: [{"PutRequest": {"Item": key}}]}),
                lambda arn: client.transact_get_items(TransactItems=[{"Get": {"TableName": arn, "Key": key}}]),
                lambda arn: client.describe_table(TableName=arn),
            ):
                with pytest.raises(ClientError) as refused:
                    call(foreign)
                assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
