"""CloudWatch Logs with boto3: what functions wrote and what clients write, over a restart too."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.exceptions
import pytest

from trine.testing import RunningStack, running

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Talks:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: talks
      Runtime: python3.11
      Handler: app.handler
      CodeUri: src
  Group:
    Type: AWS::Logs::LogGroup
    Properties: {LogGroupName: /aws/lambda/talks, RetentionInDays: 7, Tags: [{Key: team, Value: a}]}
  Own:
    Type: AWS::Logs::LogGroup
  Stream:
    Type: AWS::Logs::LogStream
    Properties: {LogGroupName: !Ref Own, LogStreamName: first}
"""
HANDLER = """
def handler(event, context):
    print(event["say"])
    return context.log_stream_name
"""


def write(folder: Path) -> Path:
    """The application in a folder."""
    (folder / "src").mkdir()
    (folder / "src" / "app.py").write_text(HANDLER)
    (folder / "template.yaml").write_text(TEMPLATE)
    return folder


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    with running(write(tmp_path_factory.mktemp("logs"))) as made:
        yield made


@pytest.fixture(scope="module")
def logs(stack: RunningStack) -> Any:
    return stack.client("logs")


def say(stack: RunningStack, text: str) -> str:
    """Have the function print something; its stream."""
    answer = stack.client("lambda").invoke(FunctionName="talks", Payload=json.dumps({"say": text}).encode())
    stream: str = json.loads(answer["Payload"].read())
    return stream


def refused(call: Any, **members: Any) -> str:
    """The code of the error that a call ends with."""
    with pytest.raises(botocore.exceptions.ClientError) as error:
        call(**members)
    return str(error.value.response["Error"]["Code"])


def test_what_a_function_said(stack: RunningStack, logs: Any) -> None:
    stream = say(stack, "ERROR one")
    say(stack, "INFO two")
    name = "/aws/lambda/talks"
    streams = logs.describe_log_streams(logGroupName=name, orderBy="LastEventTime", descending=True)["logStreams"]
    assert streams[0]["logStreamName"] == stream
    assert streams[0]["lastEventTimestamp"] >= streams[0]["firstEventTimestamp"]
    events = logs.get_log_events(logGroupName=name, logStreamName=stream, startFromHead=True)["events"]
    messages = [event["message"] for event in events]
    assert messages[0].startswith("INIT_START")
    assert "ERROR one\n" in messages, "lines of functions keep their ends, as on AWS"
    assert messages[-1].startswith("REPORT RequestId")
    found = logs.filter_log_events(logGroupName=name, filterPattern="?ERROR ?nothing")["events"]
    assert [event["message"] for event in found] == ["ERROR one\n"]
    assert len(found[0]["eventId"]) == 56


def test_groups_of_the_template(logs: Any) -> None:
    group = logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/talks")["logGroups"][0]
    assert group["retentionInDays"] == 7
    assert group["arn"].endswith(":log-group:/aws/lambda/talks:*")
    assert logs.list_tags_for_resource(resourceArn=group["logGroupArn"])["tags"] == {"team": "a"}
    own = next(one for one in logs.describe_log_groups()["logGroups"] if one["logGroupName"].endswith("TRINE") is False
               and "Own" in one["logGroupName"])  # fmt: skip
    streams = logs.describe_log_streams(logGroupName=own["logGroupName"])["logStreams"]
    assert [one["logStreamName"] for one in streams] == ["first"]


def test_pages_of_a_stream(logs: Any) -> None:
    logs.create_log_group(logGroupName="paged")
    logs.create_log_stream(logGroupName="paged", logStreamName="s")
    now = int(time.time() * 1000)
    batch = [{"timestamp": now + number // 2, "message": f"m{number}"} for number in range(5)]
    logs.put_log_events(logGroupName="paged", logStreamName="s", logEvents=batch)
    where = {"logGroupName": "paged", "logStreamName": "s"}

    def page(**members: Any) -> tuple[list[str], str, str]:
        answer = logs.get_log_events(**where, limit=2, **members)
        messages = [event["message"] for event in answer["events"]]
        return messages, answer["nextForwardToken"], answer["nextBackwardToken"]

    newest, forward, backward = page()
    assert newest == ["m3", "m4"]
    assert page(nextToken=forward)[:2] == ([], forward)
    assert page(nextToken=backward)[0] == ["m1", "m2"]
    oldest, forward, _ = page(startFromHead=True)
    assert oldest == ["m0", "m1"]
    assert page(nextToken=forward)[0] == ["m2", "m3"]
    found = list(
        logs.get_paginator("filter_log_events").paginate(logGroupName="paged", PaginationConfig={"PageSize": 2})
    )
    assert [[event["message"] for event in one["events"]] for one in found] == [["m0", "m1"], ["m2", "m3"], ["m4"]]
    assert len({event["eventId"] for one in found for event in one["events"]}) == 5


def test_following_as_the_cli_does(stack: RunningStack, logs: Any) -> None:
    """`aws logs tail --follow`: FilterLogEvents from the newest event on, again and again, known ids left out."""
    seen: set[str] = set()
    start = int(time.time() * 1000)
    lines = []
    for text in ("tail-a", "tail-b", "tail-c"):
        say(stack, text)
        answer = logs.filter_log_events(logGroupName="/aws/lambda/talks", startTime=start, filterPattern="tail")
        for event in answer["events"]:
            if event["eventId"] not in seen:
                seen.add(event["eventId"])
                start = max(start, event["timestamp"])
                lines.append(event["message"])
    assert lines == ["tail-a\n", "tail-b\n", "tail-c\n"]


def test_what_is_refused(logs: Any) -> None:
    logs.create_log_group(logGroupName="strict", tags={"a": "b"})
    assert refused(logs.create_log_group, logGroupName="strict") == "ResourceAlreadyExistsException"
    assert refused(logs.describe_log_streams, logGroupName="nobody") == "ResourceNotFoundException"
    assert refused(logs.put_retention_policy, logGroupName="strict", retentionInDays=2) == "InvalidParameterException"
    stream = {"logGroupName": "strict", "logStreamName": "s"}
    now = int(time.time() * 1000)
    event = {"timestamp": now, "message": "x"}
    assert refused(logs.put_log_events, **stream, logEvents=[event]) == "ResourceNotFoundException"
    logs.create_log_stream(**stream)
    assert refused(logs.create_log_stream, **stream) == "ResourceAlreadyExistsException"
    unordered = [event, {"timestamp": now - 1, "message": "y"}]
    assert refused(logs.put_log_events, **stream, logEvents=unordered) == "InvalidParameterException"
    large = [{"timestamp": now, "message": "x" * 200_000}] * 6
    assert refused(logs.put_log_events, **stream, logEvents=large) == "InvalidParameterException"
    late = logs.put_log_events(**stream, logEvents=[{"timestamp": 1, "message": "old"}])
    assert late["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}
    ahead = logs.put_log_events(**stream, logEvents=[{"timestamp": now + 9_000_000, "message": "soon"}])
    assert ahead["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 0}
    assert refused(logs.filter_log_events, logGroupName="strict", filterPattern="{ $.x") == "InvalidParameterException"
    assert refused(logs.get_log_events, **stream, nextToken="f/?") == "InvalidParameterException"
    assert refused(logs.get_log_events, **stream, limit=10_001) == "InvalidParameterException"
    assert refused(logs.describe_query_definitions) == "UnsupportedOperationException"


def test_groups_end(logs: Any) -> None:
    logs.create_log_group(logGroupName="ending")
    logs.put_retention_policy(logGroupName="ending", retentionInDays=30)
    logs.delete_retention_policy(logGroupName="ending")
    assert "retentionInDays" not in logs.describe_log_groups(logGroupNamePrefix="ending")["logGroups"][0]
    logs.create_log_stream(logGroupName="ending", logStreamName="s")
    logs.delete_log_stream(logGroupName="ending", logStreamName="s")
    assert logs.describe_log_streams(logGroupName="ending")["logStreams"] == []
    logs.delete_log_group(logGroupName="ending")
    assert refused(logs.delete_log_group, logGroupName="ending") == "ResourceNotFoundException"


def test_policies_are_asked(stack: RunningStack) -> None:
    iam = stack.client("iam")
    iam.create_user(UserName="reader")
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "logs:FilterLogEvents",
             "Resource": "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/talks:*"},
        ],
    }  # fmt: skip
    iam.put_user_policy(UserName="reader", PolicyName="p", PolicyDocument=json.dumps(policy))
    import boto3

    reader = boto3.client(
        "logs", endpoint_url=stack.aws_url, region_name="us-east-1",
        aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"],
    )  # fmt: skip
    assert "events" in reader.filter_log_events(logGroupName="/aws/lambda/talks")
    assert refused(reader.filter_log_events, logGroupName="strict") == "AccessDeniedException"
    assert refused(reader.describe_log_groups) == "AccessDeniedException"


def test_a_restart_keeps_the_log(tmp_path: Path) -> None:
    folder, state = write(tmp_path), tmp_path / "state"
    with running(folder, state_directory=state, memory=False) as stack:
        say(stack, "before")
        stack.client("logs").create_log_group(logGroupName="mine")
    with running(folder, state_directory=state, memory=False) as stack:
        logs = stack.client("logs")
        say(stack, "after")
        found = logs.filter_log_events(logGroupName="/aws/lambda/talks", filterPattern="?before ?after")["events"]
        assert [event["message"] for event in found] == ["before\n", "after\n"]
        assert len(logs.describe_log_streams(logGroupName="/aws/lambda/talks")["logStreams"]) == 2
        assert logs.describe_log_groups(logGroupNamePrefix="mine")["logGroups"]
