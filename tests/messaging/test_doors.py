"""SQS and SNS through real clients: boto3 in JSON, and the older query protocol by hand."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from trine.clock import ManualClock, SystemClock
from trine.testing import running
from trine.testing.running import RunningStack

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Dead: {Type: AWS::SQS::Queue}
  Work:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: work
      VisibilityTimeout: 30
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 2}
  Ordered: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true, ContentBasedDeduplication: true}}
  News: {Type: AWS::SNS::Topic, Properties: {TopicName: news}}
  Quiet: {Type: AWS::SQS::Queue, Properties: {QueueName: quiet}}
  Inbox: {Type: AWS::SQS::Queue, Properties: {QueueName: inbox}}
  InboxPolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Inbox]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: {Service: sns.amazonaws.com}
            Action: sqs:SendMessage
            Resource: !GetAtt Inbox.Arn
            Condition: {ArnEquals: {aws:SourceArn: !Ref News}}
  ToInbox:
    Type: AWS::SNS::Subscription
    Properties:
      TopicArn: !Ref News
      Protocol: sqs
      Endpoint: !GetAtt Inbox.Arn
      FilterPolicy: {kind: [{prefix: good}]}
  ToQuiet:
    Type: AWS::SNS::Subscription
    Properties: {TopicArn: !Ref News, Protocol: sqs, Endpoint: !GetAtt Quiet.Arn}
  ToPhone:
    Type: AWS::SNS::Subscription
    Properties: {TopicArn: !Ref News, Protocol: sms, Endpoint: "+15550100"}
  Reader:
    Type: AWS::IAM::User
    Properties:
      UserName: reader
      Policies:
        - PolicyName: read
          PolicyDocument:
            Version: "2012-10-17"
            Statement: [{Effect: Allow, Action: "sqs:ReceiveMessage", Resource: !GetAtt Work.Arn}]
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    directory: Path = tmp_path_factory.mktemp("doors")
    (directory / "template.yaml").write_text(TEMPLATE)
    # The clock stands still at today: signatures are good and only tests move what expires.
    with running(directory, clock=ManualClock(SystemClock().now()), stack_name="doors") as running_stack:
        yield running_stack


def url_of(sqs: Any, part: str) -> str:
    """The URL of the queue whose name has `part`."""
    (url,) = [url for url in sqs.list_queues()["QueueUrls"] if part in url]
    return str(url)


def code_of(call: Any, **members: Any) -> str:
    """The error code of a call that must fail."""
    with pytest.raises(ClientError) as refused:
        call(**members)
    return str(refused.value.response["Error"]["Code"])


def test_messages_go_through_a_queue_and_botocore_checks_their_sums(stack: RunningStack) -> None:
    sqs = stack.client("sqs")
    url = sqs.create_queue(QueueName="mine", Attributes={"DelaySeconds": "0"}, tags={"a": "b"})["QueueUrl"]
    attributes = {
        "text": {"DataType": "String", "StringValue": "ä"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\0\1"},
        "count": {"DataType": "Number.int", "StringValue": "7"},
    }
    sent = sqs.send_message(QueueUrl=url, MessageBody="hello", MessageAttributes=attributes)
    (message,) = sqs.receive_message(QueueUrl=url, AttributeNames=["All"], MessageAttributeNames=["All"])["Messages"]
    assert (message["MessageId"], message["Body"]) == (sent["MessageId"], "hello")
    assert message["MessageAttributes"] == attributes
    assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    assert "QueueUrls" not in sqs.list_queues(QueueNamePrefix="nothing")
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    (again,) = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["te.*", "count"], VisibilityTimeout=0)[
        "Messages"
    ]
    assert set(again["MessageAttributes"]) == {"count", "text"}
    (again,) = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["*"])["Messages"]
    assert again["MessageAttributes"] == attributes
    sqs.delete_message(QueueUrl=url, ReceiptHandle=again["ReceiptHandle"])
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"a": "b"}
    sqs.delete_queue(QueueUrl=url)
    assert code_of(sqs.send_message, QueueUrl=url, MessageBody="x") == "AWS.SimpleQueueService.NonExistentQueue"


@pytest.mark.parametrize(
    "message", ["[" * 900 + "1" + "]" * 900, '{"kind":' * 25_000 + "1" + "}" * 25_000, "9" * 5_000]
)
def test_a_message_that_is_nested_too_deeply_passes_no_filter_of_bodies(stack: RunningStack, message: str) -> None:
    sns, sqs = stack.client("sns"), stack.client("sqs")
    topic = sns.create_topic(Name="deep")["TopicArn"]
    url = sqs.create_queue(QueueName="deep")["QueueUrl"]
    filters = {"FilterPolicyScope": "MessageBody", "FilterPolicy": '{"kind": ["good"]}'}
    arn = "arn:aws:sqs:us-east-1:123456789012:deep"
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=filters)
    assert sns.publish(TopicArn=topic, Message=message)["MessageId"]
    assert code_of(sns.publish, TopicArn=topic, Message="[" * 50_000, MessageStructure="json") == "InvalidParameter"
    assert stack.messages(arn) == []
    refused = code_of(sqs.set_queue_attributes, QueueUrl=url, Attributes={"Policy": "[" * 5_000})
    assert refused == "InvalidAttributeValue"
    sns.delete_topic(TopicArn=topic)


def test_batches_answer_for_each_entry(stack: RunningStack) -> None:
    sqs = stack.client("sqs")
    url = url_of(sqs, "Ordered")
    entries = [{"Id": f"e{n}", "MessageBody": f"m{n}", "MessageGroupId": "g"} for n in range(2)]
    delayed = {"Id": "bad", "MessageBody": "x", "MessageGroupId": "g", "DelaySeconds": 5}
    answer = sqs.send_message_batch(QueueUrl=url, Entries=[*entries, delayed])
    assert [one["Id"] for one in answer["Successful"]] == ["e0", "e1"]
    assert [(one["Id"], one["Code"], one["SenderFault"]) for one in answer["Failed"]] == [
        ("bad", "InvalidParameterValue", True)]  # fmt: skip
    ungrouped = {"Id": "bad", "MessageBody": "x"}
    assert code_of(sqs.send_message_batch, QueueUrl=url, Entries=[*entries, ungrouped]) == "InvalidParameterValue"
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert [message["Body"] for message in messages] == ["m0", "m1"]
    handles = [{"Id": str(n), "ReceiptHandle": one["ReceiptHandle"]} for n, one in enumerate(messages)]
    assert len(sqs.delete_message_batch(QueueUrl=url, Entries=handles)["Successful"]) == 2
    assert code_of(sqs.send_message_batch, QueueUrl=url, Entries=[]) == "AWS.SimpleQueueService.EmptyBatchRequest"
    twice = [entries[0], entries[0]]
    assert code_of(sqs.send_message_batch, QueueUrl=url, Entries=twice) == (
        "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"
    )


def test_wrong_calls_are_told_as_aws_tells_them(stack: RunningStack) -> None:
    sqs = stack.client("sqs")
    url = url_of(sqs, "work")
    assert code_of(sqs.get_queue_url, QueueName="none") == "AWS.SimpleQueueService.NonExistentQueue"
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        sqs.get_queue_url(QueueName="none")
    assert code_of(sqs.create_queue, QueueName="work", Attributes={"DelaySeconds": "9"}) == "QueueAlreadyExists"
    assert code_of(sqs.delete_message, QueueUrl=url, ReceiptHandle="x") == "ReceiptHandleIsInvalid"
    assert stack.messages("arn:aws:sqs:us-east-1:123456789012:none") == []
    assert code_of(sqs.receive_message, QueueUrl=url, MaxNumberOfMessages=11) == "InvalidParameterValue"
    assert code_of(sqs.send_message, QueueUrl=url, MessageBody="\x01") == "InvalidMessageContents"
    assert code_of(sqs.send_message, QueueUrl=url, MessageBody="x" * 1_048_577) == "InvalidParameterValue"
    assert code_of(sqs.get_queue_attributes, QueueUrl=url, AttributeNames=["Colour"]) == "InvalidAttributeName"
    assert code_of(sqs.start_message_move_task, SourceArn="arn:aws:sqs:us-east-1:123456789012:work") == (
        "UnsupportedOperationException"
    )


def test_a_caller_needs_the_right_by_role_or_by_queue_policy(stack: RunningStack) -> None:
    iam, owner = stack.client("iam"), stack.client("sqs")
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    sqs = stack.client("sqs")
    sqs._request_signer._credentials = Credentials(key["AccessKeyId"], key["SecretAccessKey"])
    url = url_of(owner, "work")
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    assert code_of(sqs.send_message, QueueUrl=url, MessageBody="x") == "AccessDenied"
    arn = owner.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::123456789012:user/reader"},
                "Action": "sqs:SendMessage",
                "Resource": arn,
            }
        ],
    }
    owner.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    assert sqs.send_message(QueueUrl=url, MessageBody="x")["MessageId"]
    owner.purge_queue(QueueUrl=url)
    unsigned = urllib.request.Request(stack.aws_url, b"{}", {"X-Amz-Target": "AmazonSQS.ListQueues"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(unsigned)
    assert refused.value.headers["x-amzn-query-error"] == "MissingAuthenticationToken;Sender"


def test_topics_reach_the_queues_that_let_them(stack: RunningStack) -> None:
    sns, sqs = stack.client("sns"), stack.client("sqs")
    (topic,) = [arn for one in sns.list_topics()["Topics"] if (arn := one["TopicArn"]).endswith(":news")]
    for kind in ("good news", "bad news"):
        attributes = {"kind": {"DataType": "String", "StringValue": kind}}
        sns.publish(TopicArn=topic, Message=kind, Subject="about", MessageAttributes=attributes)
    inbox = url_of(sqs, "inbox")
    (message,) = sqs.receive_message(QueueUrl=inbox, MaxNumberOfMessages=10)["Messages"]
    note = json.loads(message["Body"])
    assert (note["Type"], note["Message"], note["Subject"], note["TopicArn"]) == (
        "Notification", "good news", "about", topic)  # fmt: skip
    assert note["MessageAttributes"] == {"kind": {"Type": "String", "Value": "good news"}}
    # The queue "quiet" has no policy that lets SNS in: nothing comes, the publisher does not hear of it, as on AWS.
    assert "Messages" not in sqs.receive_message(QueueUrl=url_of(sqs, "quiet"))
    (subscription,) = [
        one for one in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] if "inbox" in one["Endpoint"]
    ]
    sns.set_subscription_attributes(
        SubscriptionArn=subscription["SubscriptionArn"], AttributeName="RawMessageDelivery", AttributeValue="true"
    )
    attributes = {"kind": {"DataType": "String", "StringValue": "good"}}
    answer = sns.publish_batch(
        TopicArn=topic, PublishBatchRequestEntries=[{"Id": "a", "Message": "raw", "MessageAttributes": attributes}]
    )
    assert len(answer["Successful"]) == 1
    (raw,) = sqs.receive_message(QueueUrl=inbox, MessageAttributeNames=["All"])["Messages"]
    assert (raw["Body"], raw["MessageAttributes"]) == ("raw", attributes)
    assert code_of(sns.publish, TopicArn=topic + "x", Message="m") == "NotFound"
    assert code_of(sns.subscribe, TopicArn=topic, Protocol="email", Endpoint="a@example.com") == "InvalidParameter"
    assert any("sms" in note for note in stack.description["problems"])
    assert [one["body"] for one in stack.messages(topic)][-1] == "raw"


def query(stack: RunningStack, url: str, *, signed: bool = True, accept: str = "*/*", **form: str) -> tuple[int, str]:
    """A call in the query protocol, as SDKs of 2022 made it."""
    key = stack.stack.wings.access.owner_credentials()
    body = urllib.parse.urlencode({"Version": "2012-11-05", **form})
    request = AWSRequest("POST", url, data=body, headers={"Content-Type": "application/x-www-form-urlencoded"})
    request.headers["Accept"] = accept
    if signed:
        SigV4Auth(Credentials(key.access_key_id, key.secret_access_key), "sqs", "us-east-1").add_auth(request)
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body.encode(), dict(request.headers))) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_the_query_protocol_works_too(stack: RunningStack) -> None:
    url = stack.client("sqs").create_queue(QueueName="old")["QueueUrl"]
    status, text = query(
        stack,
        url,
        Action="SendMessage",
        MessageBody="<old>",
        **{
            "MessageAttribute.1.Name": "n",
            "MessageAttribute.1.Value.DataType": "String",
            "MessageAttribute.1.Value.StringValue": "v",
        },
    )
    assert (status, "<MD5OfMessageBody>" in text, "<SendMessageResult>" in text) == (200, True, True)
    _, text = query(stack, url, Action="ReceiveMessage", **{"AttributeName.1": "All", "MessageAttributeName.1": "All"})
    assert "<Body>&lt;old&gt;</Body>" in text
    assert "<Attribute><Name>ApproximateReceiveCount</Name><Value>1</Value></Attribute>" in text
    assert "<MessageAttribute><Name>n</Name><Value><StringValue>v</StringValue>" in text
    status, text = query(stack, stack.aws_url, Action="GetQueueUrl", QueueName="none")
    assert (status, "<Code>AWS.SimpleQueueService.NonExistentQueue</Code>" in text) == (400, True)
    assert "does not exist for this wsdl version.</Message><Detail/></Error>" in text
    status, text = query(stack, stack.aws_url, Action="Nonsense")
    assert (status, "<Code>InvalidAction</Code>" in text) == (400, True)
    status, text = query(stack, url, Action="ListQueues")
    assert (status, "The action ListQueues is not valid for this endpoint." in text) == (400, True)
    status, text = query(stack, url, Action="SendMessage")
    assert (status, "<Code>MissingParameter</Code>" in text) == (400, True)
    assert "The request must contain the parameter MessageBody." in text
    accounts = {"AWSAccountId.1": "123456789012", "ActionName.1": "ReceiveMessage"}
    status, _ = query(stack, url, Action="AddPermission", Label="one", **accounts)
    _, text = query(stack, url, Action="GetQueueAttributes", **{"AttributeName.1": "Policy"})
    assert (status, "/SQSDefaultPolicy&quot;" in text, "&quot;SQS:ReceiveMessage&quot;" in text) == (200, True, True)
    status, text = query(stack, stack.aws_url, Action="ListQueues", signed=False)
    assert (status, "<Code>MissingAuthenticationToken</Code>" in text) == (403, True)
    entry = "SendMessageBatchRequestEntry.1."
    attribute = {f"MessageAttributes.1.{name}": "v" for name in ("Name", "Value.StringValue")}
    typed = {"MessageAttributes.1.Value.DataType": "String"}
    _, text = query(stack, url, Action="SendMessage", MessageBody="x", **attribute, **typed)
    assert "<MD5OfMessageAttributes>" in text  # the plural does, too
    _, text = query(stack, url, Action="SendMessageBatch", **{f"{entry}Id": "a", f"{entry}MessageBody": "b"})
    assert "<SendMessageBatchResultEntry><Id>a</Id>" in text


def test_a_caller_of_the_query_protocol_that_accepts_json_gets_json(stack: RunningStack) -> None:
    url = stack.client("sqs").create_queue(QueueName="json")["QueueUrl"]
    status, text = query(stack, url, accept="application/json", Action="SendMessage", MessageBody="x")
    answer = json.loads(text)["SendMessageResponse"]
    assert (status, set(answer)) == (200, {"SendMessageResult", "ResponseMetadata"})
    assert answer["SendMessageResult"].pop("MessageId")
    assert answer["SendMessageResult"] == {
        "MD5OfMessageBody": "9dd4e461268c8034f5c8564e155c67a6",
        "MD5OfMessageAttributes": None,
        "MD5OfMessageSystemAttributes": None,
        "SequenceNumber": None,
    }
    _, text = query(stack, url, accept="application/json", Action="ReceiveMessage")
    (message,) = json.loads(text)["ReceiveMessageResponse"]["ReceiveMessageResult"]["messages"]
    assert message["Body"] == "x"
    status, text = query(stack, url, accept="application/json", Action="SendMessage")
    error = {"Type": "Sender", "Code": "MissingParameter"}
    error["Message"] = "The request must contain the parameter MessageBody."
    assert (status, json.loads(text)["Error"]) == (400, error)


def test_sns_refuses_in_the_words_of_aws(stack: RunningStack) -> None:
    sns = stack.client("sns")
    topic = sns.create_topic(Name="strict")["TopicArn"]
    sns.unsubscribe(SubscriptionArn=f"{topic}:11111111-2222-4333-8444-555555555555")  # nothing to forget is no error
    assert code_of(sns.publish, TopicArn=topic, Message="x" * 262_145) == "InvalidParameter"
    half = [{"Id": str(n), "Message": "x" * 131_073} for n in range(2)]
    assert code_of(sns.publish_batch, TopicArn=topic, PublishBatchRequestEntries=half) == "BatchRequestTooLong"
    for bad in ("a.b", "x" * 81):
        entries = [{"Id": bad, "Message": "x"}]
        assert code_of(sns.publish_batch, TopicArn=topic, PublishBatchRequestEntries=entries) == "InvalidBatchEntryId"
    empty = {"a": {"DataType": "String", "StringValue": ""}}
    with pytest.raises(ClientError, match="'a' must contain non-empty message attribute value for message") as refused:
        sns.publish(TopicArn=topic, Message="x", MessageAttributes=empty)
    assert refused.value.response["Error"]["Code"] == "ParameterValueInvalid"
    ordered = sns.create_topic(Name="strict.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
    with pytest.raises(ClientError, match="The MessageGroupId parameter is required for FIFO topics"):
        sns.publish(TopicArn=ordered, Message="x")
    with pytest.raises(ClientError, match="ContentBasedDeduplication enabled or MessageDeduplicationId provided"):
        sns.publish(TopicArn=ordered, Message="x", MessageGroupId="g")
    assert sns.publish(TopicArn=ordered, Message="x", MessageGroupId="g", MessageDeduplicationId="d")["MessageId"]
    for made in (topic, ordered):
        sns.delete_topic(TopicArn=made)


@pytest.mark.parametrize(
    ("policy", "scope", "sentence"),
    [
        ({"a": {"b": ["c"]}}, "MessageAttributes", "scope MessageAttributes does not support nested filter policy"),
        ({f"k{n}": ["x"] for n in range(6)}, "MessageBody", "Filter policy can not have more than 5 keys"),
        ({"a": [str(n) for n in range(151)]}, "MessageAttributes", "Filter policy is too complex"),
        ({"a": {"b": {"c": [1, 2, 3, 4]}}, "d": {"e": [1, 2, 3]}, "f": [1, 2, 3]}, "MessageBody", "is too complex"),
    ],
)
def test_filter_policies_have_ceilings(stack: RunningStack, policy: Any, scope: str, sentence: str) -> None:
    sns = stack.client("sns")
    topic = sns.create_topic(Name="filtered")["TopicArn"]
    attributes = {"FilterPolicy": json.dumps(policy), "FilterPolicyScope": scope}
    endpoint = "arn:aws:sqs:us-east-1:123456789012:work"
    with pytest.raises(ClientError, match=sentence):
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=endpoint, Attributes=attributes)
    sns.delete_topic(TopicArn=topic)


def test_topics_have_tags(stack: RunningStack) -> None:
    sns = stack.client("sns")
    first = [{"Key": "team", "Value": "a"}]
    topic = {"ResourceArn": sns.create_topic(Name="tagged", Tags=first)["TopicArn"]}
    assert sns.create_topic(Name="tagged", Tags=first)["TopicArn"] == topic["ResourceArn"]
    with pytest.raises(ClientError, match="Invalid parameter: Tags Reason: Topic already exists with different tags"):
        sns.create_topic(Name="tagged", Tags=[{"Key": "team", "Value": "b"}])
    sns.tag_resource(**topic, Tags=[{"Key": "stage", "Value": "test"}])
    sns.untag_resource(**topic, TagKeys=["team", "nothing"])
    assert sns.list_tags_for_resource(**topic)["Tags"] == [{"Key": "stage", "Value": "test"}]
    with pytest.raises(ClientError, match="Invalid parameter: Duplicated keys are not allowed"):
        sns.tag_resource(**topic, Tags=first * 2)
    sns.delete_topic(TopicArn=topic["ResourceArn"])
    with pytest.raises(sns.exceptions.ResourceNotFoundException):
        sns.list_tags_for_resource(**topic)
