"""Advice on rights: actions and resources that are wider than a function needs. Rules over a resolved template, pure.

Enters a template, leaves faults of level "warning". Actions that AWS offers for every resource only are not
held against whoever writes "*" for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from trine.cloudformation.faults import Fault, advice_at
from trine.cloudformation.resources import Resource
from trine.cloudformation.template import Template

_ROLES = ("AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy")
_WITHOUT_RESOURCE = re.compile(
    r"""(?ix)
    (?: xray | logs | tag | ce | pricing | health | servicequotas | ec2messages | ssmmessages ):
    | cloudwatch: (?: PutMetricData | putmetric | GetMetric | ListMetrics )
    | (?: ec2 | autoscaling | elasticloadbalancing | rds | organizations ): Describe
    | ec2: (?: Create | Delete | Assign | Unassign ) \w* (?: Network | Private )
    | dynamodb: (?: List(?:Tables|Streams|Backups) | DescribeLimits )
    | s3:ListAllMyBuckets | sqs:ListQueues | sns:List(?:Topics|Subscriptions)$ | states:ListStateMachines
    | lambda: (?: ListFunctions | ListEventSourceMappings | ListLayers$ | GetAccountSettings )
    | iam:List(?:Users|Roles|Groups|Policies)$ | cognito-idp:ListUserPools$ | ssm:DescribeParameters
    | secretsmanager:(?:ListSecrets|GetRandomPassword) | cloudformation:(?:List|ValidateTemplate)
    | kms:(?:ListKeys|ListAliases|GenerateRandom|CreateKey)$
    | sts:Get(?:CallerIdentity|SessionToken) | ecr:GetAuthorizationToken | iot:DescribeEndpoint | kafka:List
    | (?:mediaconvert|timestream):DescribeEndpoints | bedrock:ListFoundationModels
    | translate:Translate | comprehend:(?:Batch)?Detect | polly:(?:Synthesize|Describe)
    | rekognition:(?:Detect|Recognize|CompareFaces) | textract:(?:Detect|Analyze|Start|Get) | transcribe:(?:Start|List)
    """
)
"""Actions without a resource type, of services that functions of this pattern call; "*" is then what must be written.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html"""


def wide_policies(template: Template) -> Iterator[Fault]:
    """`policy/any-action` and `policy/any-resource`."""
    for resource in template.of_type(*_ROLES):
        for path, statement in statements(resource):
            actions = texts(statement.get("Action"))
            wide = [action for action in actions if action == "*" or action.endswith(":*")]
            if wide:
                why = f"{resource.source_id} may do {', '.join(wide)}: whoever takes it over may, too"
                instead = "name the actions that it calls, such as dynamodb:GetItem"
                yield advice_at(resource.location_of(f"{path}.Action"), "policy/any-action", why, instead)
            named = [action for action in actions if not _WITHOUT_RESOURCE.match(action)]
            if "*" in texts(statement.get("Resource")) and named:
                why = f"{resource.source_id} may do {', '.join(named)} on every resource of the account"
                location = resource.location_of(f"{path}.Resource")
                yield advice_at(
                    location, "policy/any-resource", why, "name the resource: !GetAtt Table.Arn, or a policy template"
                )


def full_access(template: Template) -> Iterator[Fault]:
    """`policy/full-access`."""
    for resource in template.of_type("AWS::IAM::Role"):
        for arn in texts(resource.properties.get("ManagedPolicyArns")):
            if arn.endswith(("FullAccess", "AdministratorAccess", "_FullAccess")):
                whom = "a function needs" if trusts_lambda(resource) else "one task needs"
                why = f"{resource.source_id} has {arn.rpartition('/')[2]}: far more than {whom}"
                location = resource.location_of("ManagedPolicyArns")
                yield advice_at(location, "policy/full-access", why, "give it a policy of the actions that it calls")


def trusts_lambda(role: Resource) -> bool:
    """Whether functions run in it."""
    return "lambda.amazonaws.com" in str(role.properties.get("AssumeRolePolicyDocument"))


def may_call(template: Template, function: Resource, service: str) -> bool:
    """Whether the function's role allows anything of `service`. A role of elsewhere may, where the template has it."""
    role = function.properties.get("Role")
    found = next((each for each in template.of_type("AWS::IAM::Role") if each.attributes.get("Arn") == role), None)
    if found is None:
        return any(resource.type.lower().startswith(f"aws::{service}::") for resource in template.resources.values())
    holders = [found]
    for policy in template.of_type("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"):
        named = [*texts(policy.properties.get("Roles")), *texts(policy.properties.get("RoleName"))]
        if found.physical_id in named:
            holders.append(policy)
    actions = [action for holder in holders for _, one in statements(holder) for action in texts(one.get("Action"))]
    wide = re.compile(rf"(?i)\*|{service}:|\w*(?:{service}|Administrator|PowerUser)")
    managed = [arn.rpartition("/")[2] for arn in texts(found.properties.get("ManagedPolicyArns"))]
    return any(wide.match(each) for each in (*actions, *managed))


def statements(resource: Resource) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each Allow statement of a role or policy, with its property path."""
    properties = resource.properties
    holders: list[tuple[str, Any]] = [("PolicyDocument", properties.get("PolicyDocument"))]
    inline = properties.get("Policies")
    for number, policy in enumerate(inline if isinstance(inline, list) else []):
        if isinstance(policy, Mapping):
            # SAM numbers the policies of a function as they stand in the text: {Role}Policy0, {Role}Policy1.
            written = re.fullmatch(rf"{resource.logical_id}Policy(\d+)", str(policy.get("PolicyName")))
            path = f"Policies.{written.group(1)}" if written else f"Policies.{number}.PolicyDocument"
            holders.append((path, policy.get("PolicyDocument")))
    for path, document in holders:
        found = document.get("Statement") if isinstance(document, Mapping) else None
        for number, statement in enumerate(found if isinstance(found, list) else [found]):
            if isinstance(statement, Mapping) and statement.get("Effect") == "Allow":
                yield f"{path}.Statement.{number}", statement


def texts(value: Any) -> list[str]:
    """A text or the texts of a list."""
    return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str)]
