"""The resource types of this wing, in the order in which they are made. Loads nothing: `stack` asks at every start."""

from __future__ import annotations

QUEUE, TOPIC, SUBSCRIPTION = "AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::SNS::Subscription"
QUEUE_POLICY, QUEUE_INLINE_POLICY = "AWS::SQS::QueuePolicy", "AWS::SQS::QueueInlinePolicy"
TOPIC_POLICY, TOPIC_INLINE_POLICY = "AWS::SNS::TopicPolicy", "AWS::SNS::TopicInlinePolicy"
TYPES = (QUEUE, QUEUE_POLICY, QUEUE_INLINE_POLICY, TOPIC, TOPIC_POLICY, TOPIC_INLINE_POLICY, SUBSCRIPTION)
POLICIES = (QUEUE_POLICY, QUEUE_INLINE_POLICY, TOPIC_POLICY, TOPIC_INLINE_POLICY)
NAME_PROPERTIES = {QUEUE: "QueueName", TOPIC: "TopicName"}
