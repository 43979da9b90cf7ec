"""What the messaging wing does with each template property: enforced, stored or ignored. Read by the manifest."""

from __future__ import annotations

from trine.aws.fidelity import Fidelity

_E, _S = Fidelity.ENFORCED, Fidelity.STORED

FIDELITY: dict[str, dict[str, Fidelity]] = {
    "AWS::SQS::Queue": {
        "QueueName": _E,
        "DelaySeconds": _E,
        "MaximumMessageSize": _E,
        "MessageRetentionPeriod": _E,
        "ReceiveMessageWaitTimeSeconds": _E,
        "VisibilityTimeout": _E,
        "RedrivePolicy": _E,
        "FifoQueue": _E,
        "ContentBasedDeduplication": _E,
        "DeduplicationScope": _E,
        "RedriveAllowPolicy": _S,
        "FifoThroughputLimit": _S,
        "KmsMasterKeyId": _S,
        "KmsDataKeyReusePeriodSeconds": _S,
        "SqsManagedSseEnabled": _S,
        "Tags": _S,
    },
    "AWS::SQS::QueuePolicy": {"Queues": _E, "PolicyDocument": _E},
    "AWS::SQS::QueueInlinePolicy": {"Queue": _E, "PolicyDocument": _E},
    "AWS::SNS::Topic": {
        "TopicName": _E,
        "Subscription": _E,
        "DisplayName": _S,
        "FifoTopic": _S,
        "ContentBasedDeduplication": _S,
        "KmsMasterKeyId": _S,
        "TracingConfig": _S,
        "Tags": _S,
    },
    "AWS::SNS::TopicPolicy": {"Topics": _E, "PolicyDocument": _E},
    "AWS::SNS::TopicInlinePolicy": {"TopicArn": _E, "PolicyDocument": _E},
    "AWS::SNS::Subscription": {
        "TopicArn": _E,
        "Protocol": _E,
        "Endpoint": _E,
        "FilterPolicy": _E,
        "FilterPolicyScope": _E,
        "RawMessageDelivery": _E,
        "RedrivePolicy": _E,
        "Region": _S,
    },
}
