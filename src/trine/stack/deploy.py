"""The template's resources, made in the wings: first all checks, then all changes.

`check` is pure and finds every fault of every resource, so that a template with faults changes nothing; `deploy`
then makes roles, tables, functions and permissions in the order in which they need each other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from msgspec import Struct

from trine.aws.arn import Place
from trine.aws.errors import AwsError
from trine.awslambda import template as lambda_resources
from trine.awslambda.function import function_from_properties
from trine.cloudformation.faults import Fault, TemplateFaults
from trine.cloudformation.resources import Resource
from trine.cloudformation.template import Template
from trine.cloudwatch.alarm import Alarm
from trine.cloudwatch.composite import CompositeAlarm
from trine.cognito import resource_types as user_pools
from trine.dynamodb.model.table_definition import define_table
from trine.dynamodb.scaling.policy import target_tracking
from trine.dynamodb.scaling.target import scalable_target
from trine.dynamodb.template import create_table_input
from trine.events import resource_types as rules
from trine.iam.provision import put_group, put_managed_policy, put_policy, put_user
from trine.logs.template import LOG_GROUP, LOG_STREAM, METRIC_FILTER, put_metric_filter, put_stream
from trine.logs.template import put_group as put_group_of_logs
from trine.messaging import resource_types as messages
from trine.stack.readied import Readied
from trine.stack.settings import Settings
from trine.stack.wings import Wings

FUNCTION = "AWS::Lambda::Function"
TABLE = "AWS::DynamoDB::Table"
ROLE = "AWS::IAM::Role"
MANAGED_POLICY = "AWS::IAM::ManagedPolicy"
POLICY = "AWS::IAM::Policy"
PERMISSION = "AWS::Lambda::Permission"
GROUP = "AWS::IAM::Group"
USER = "AWS::IAM::User"
ALARM = "AWS::CloudWatch::Alarm"
COMPOSITE_ALARM = "AWS::CloudWatch::CompositeAlarm"
DASHBOARD = "AWS::CloudWatch::Dashboard"
SCALABLE_TARGET = "AWS::ApplicationAutoScaling::ScalableTarget"
SCALING_POLICY = "AWS::ApplicationAutoScaling::ScalingPolicy"
ROLE_POLICY = "AWS::IAM::RolePolicy"
ORDER = (
    MANAGED_POLICY, ROLE, GROUP, USER, MANAGED_POLICY, POLICY, ROLE_POLICY, TABLE, SCALABLE_TARGET, SCALING_POLICY,
    LOG_GROUP, LOG_STREAM, METRIC_FILTER, *messages.TYPES, *lambda_resources.BEFORE_FUNCTIONS, FUNCTION,
    *lambda_resources.AFTER_FUNCTIONS, *user_pools.TYPES, ALARM, COMPOSITE_ALARM, DASHBOARD,
    *rules.TYPES,
)  # fmt: skip
"""Types in the order in which they are made. A function's role must exist before its first credentials; managed
policies come twice, because identities name them by ARN and they name identities: first unattached, then attached."""

NAME_PROPERTY = {
    FUNCTION: "FunctionName",
    TABLE: "TableName",
    ROLE: "RoleName",
    MANAGED_POLICY: "ManagedPolicyName",
    POLICY: "PolicyName",
    ROLE_POLICY: "PolicyName",
    GROUP: "GroupName",
    ALARM: "AlarmName",
    COMPOSITE_ALARM: "AlarmName",
    DASHBOARD: "DashboardName",
    USER: "UserName",
    lambda_resources.LAYER: "LayerName",
    LOG_GROUP: "LogGroupName",
    LOG_STREAM: "LogStreamName",
    METRIC_FILTER: "FilterName",
    **messages.NAME_PROPERTIES,
    **rules.NAME_PROPERTIES,
}


def named_properties(resource: Resource) -> dict[str, Any]:
    """The resource's properties with its given or generated name filled in."""
    name_property = NAME_PROPERTY.get(resource.type)
    if name_property is None:
        return dict(resource.properties)
    return {**resource.properties, name_property: resource.properties.get(name_property) or resource.name}


def check(template: Template, place: Place) -> None:
    """Raise TemplateFaults with every fault that making the resources would meet; change nothing."""
    checks: dict[str, Callable[[Resource], object]] = {
        TABLE: lambda resource: define_table(create_table_input(named_properties(resource))),
        SCALABLE_TARGET: lambda resource: _scales_a_table(resource.properties) and scalable_target(resource.properties),
        SCALING_POLICY: lambda resource: _scales_a_table(resource.properties) and target_tracking(resource.properties),
        ALARM: lambda resource: Alarm(named_properties(resource)),
        COMPOSITE_ALARM: lambda resource: CompositeAlarm(named_properties(resource)),
        FUNCTION: lambda resource: function_from_properties(named_properties(resource), template.directory, place),
        **{one: partial(_check_message, one) for one in messages.TYPES},
        **{one: partial(_check_rule, one) for one in rules.TYPES},
    }
    faults = []
    for resource in template.of_type(*checks):
        try:
            checks[resource.type](resource)
        except AwsError as error:
            faults.append(fault_of(template, resource, error))
    if faults:
        raise TemplateFaults(faults)


async def deploy(template: Template, wings: Wings, settings: Settings, readied: Readied) -> None:
    """Make every resource that a wing owns. TemplateFaults with all that a wing refused."""
    faults = []
    for position, resource_type in enumerate(ORDER):
        for resource in template.of_type(resource_type):
            try:
                properties = named_properties(resource)
                await _make(_Making(resource, properties, template, wings, settings, readied, position > 0))
            except AwsError as error:
                faults.append(fault_of(template, resource, error))
    if faults:
        raise TemplateFaults(faults)
    await wings.access.settled()


class _Making(Struct, frozen=True):
    """One resource on its way into its wing."""

    resource: Resource
    properties: dict[str, Any]
    template: Template
    wings: Wings
    settings: Settings
    readied: Readied
    attach: bool
    """Whether managed policies are attached to whom they name, or only made."""


async def _make(making: _Making) -> None:
    made = _MAKERS[making.resource.type](making)
    if isinstance(made, Awaitable):
        await made


AWS_POLICIES = "arn:aws:iam::aws:policy/"


def _make_role(making: _Making) -> object:
    """Make a role. A policy of AWS that Trine does not ship gives nothing, which is said: templates name some that
    only matter to services that are not here."""
    directory, properties = making.wings.access.directory, dict(making.properties)
    known = []
    for arn in properties.get("ManagedPolicyArns") or ():
        if str(arn).startswith(AWS_POLICIES) and not directory.knows_policy(str(arn)):
            name = str(arn).removeprefix(AWS_POLICIES)
            making.wings.notes.append(
                f"{making.resource.logical_id}: what AWS's policy {name} allows is not known here, so it allows nothing"
            )
        else:
            known.append(arn)
    if "ManagedPolicyArns" in properties:
        properties["ManagedPolicyArns"] = known
    return making.wings.access.put_role(properties)


def _make_managed_policy(making: _Making) -> object:
    directory = making.wings.access.directory
    return put_managed_policy(directory, making.properties, making.resource.name, attach=making.attach)


def _make_function(making: _Making) -> object:
    permissions = [permission.properties for permission in making.template.of_type(PERMISSION)]
    properties, code = making.properties, making.resource.local_files.get("Code")
    built = making.readied.built.get(making.resource.logical_id)
    if built is not None:
        properties, code = built.of(properties), built.folder
    properties = with_overrides(making.resource, properties, making.settings)
    return making.wings.functions.deployment.put_function(
        with_queue_urls_here(properties, making.template.place, making.wings.eventing.aws_url),
        code,
        lambda_resources.permissions_of(making.properties["FunctionName"], permissions, making.template.place),
        dependencies=making.readied.folders.get(making.resource.logical_id),
        runtime_packages=making.readied.runtime_folders.get(making.resource.logical_id),
        debug=making.readied.debug.get(making.resource.logical_id),
    )


def _make_beside_function(making: _Making) -> None:
    resource = making.resource
    content = making.readied.layers.get(resource.logical_id) or resource.local_files.get("Content")
    lambda_resources.put_resource(
        making.wings.functions, resource.type, making.properties, content, resource.physical_id, resource.attributes
    )


def _check_message(resource_type: str, resource: Resource) -> None:
    from trine.messaging import template as message_resources

    message_resources.check(resource_type, named_properties(resource))


def _check_rule(resource_type: str, resource: Resource) -> None:
    from trine.events import template as rule_resources

    rule_resources.check(resource_type, named_properties(resource))


async def _make_rule_resource(making: _Making) -> None:
    from trine.events import template as rule_resources

    await rule_resources.put_resource(making.wings.eventing.eventbridge, making.resource.type, making.properties)


async def _make_message_resource(making: _Making) -> None:
    from trine.messaging import template as message_resources

    eventing, resource = making.wings.eventing, making.resource
    note = await message_resources.put_resource(
        eventing.messaging, resource.type, making.properties, resource.physical_id
    )
    if note is not None:
        eventing.notes.append(note)


def _scales_a_table(properties: Mapping[str, Any]) -> bool:
    """Whether a scaling resource is DynamoDB's; another service's is not applied."""
    return "dynamodb" in str(properties.get("ServiceNamespace") or properties.get("ScalingTargetId"))


def _make_scaling(making: _Making) -> None:
    if not _scales_a_table(making.properties):
        return
    metering = making.wings.dynamodb.metering
    put = metering.put_scalable_target if making.resource.type == SCALABLE_TARGET else metering.put_scaling_policy
    put(making.properties)


def _make_in_user_pool(making: _Making) -> Awaitable[None]:
    resource = making.resource
    secret = str(resource.attributes.get("ClientSecret", ""))
    return making.wings.user_pools.put_resource(
        resource.type, making.properties, resource.physical_id, resource.name, secret
    )


def _make_alarm(making: _Making) -> object:
    return making.wings.cloudwatch.alarms.put(making.properties)


def _make_composite_alarm(making: _Making) -> object:
    return making.wings.cloudwatch.alarms.put_composite(making.properties)


def _make_dashboard(making: _Making) -> object:
    name, body = str(making.properties["DashboardName"]), str(making.properties.get("DashboardBody", ""))
    return making.wings.cloudwatch.dashboards.put(name, body)


_MAKERS: Mapping[str, Callable[[_Making], object]] = {
    ROLE: _make_role,
    MANAGED_POLICY: _make_managed_policy,
    GROUP: lambda making: put_group(making.wings.access.directory, making.properties, making.resource.name),
    USER: lambda making: put_user(making.wings.access.directory, making.properties, making.resource.name),
    POLICY: lambda making: put_policy(making.wings.access.directory, making.properties),
    ROLE_POLICY: lambda making: put_policy(making.wings.access.directory, making.properties),
    TABLE: lambda making: making.wings.dynamodb.create_table_from_template(
        making.properties, str(making.resource.attributes.get("StreamArn", "")).rpartition("/")[2] or None
    ),
    SCALABLE_TARGET: _make_scaling,
    SCALING_POLICY: _make_scaling,
    LOG_GROUP: lambda making: put_group_of_logs(making.wings.logs, making.properties),
    LOG_STREAM: lambda making: put_stream(making.wings.logs, making.properties),
    METRIC_FILTER: lambda making: put_metric_filter(making.wings.logs, making.properties),
    FUNCTION: _make_function,
    **dict.fromkeys(messages.TYPES, _make_message_resource),
    **dict.fromkeys(user_pools.TYPES, _make_in_user_pool),
    ALARM: _make_alarm,
    COMPOSITE_ALARM: _make_composite_alarm,
    DASHBOARD: _make_dashboard,
    **dict.fromkeys(rules.TYPES, _make_rule_resource),
    **dict.fromkeys((*lambda_resources.BEFORE_FUNCTIONS, *lambda_resources.AFTER_FUNCTIONS), _make_beside_function),
}


def with_overrides(resource: Resource, properties: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """`properties` with the values that `--env-vars` gives for variables the template declares, as SAM CLI does it."""
    declared: Mapping[str, Any] = (properties.get("Environment") or {}).get("Variables") or {}
    given = {
        **settings.environment_overrides.get("Parameters", {}),
        **settings.environment_overrides.get(resource.source_id or resource.logical_id, {}),
        **settings.environment_overrides.get(properties["FunctionName"], {}),
    }
    chosen = {name: value for name, value in given.items() if name in declared}
    return {**properties, "Environment": {"Variables": {**declared, **chosen}}} if chosen else properties


def with_queue_urls_here(properties: dict[str, Any], place: Place, aws_url: str) -> dict[str, Any]:
    """`properties` with queue URLs in variables leading here: the JavaScript SDK calls the host of a queue's URL."""
    there = f"https://sqs.{place.region}.amazonaws.com/"
    variables: Mapping[str, Any] = (properties.get("Environment") or {}).get("Variables") or {}
    moved = {
        name: f"{aws_url}/{value.removeprefix(there)}"
        for name, value in variables.items()
        if isinstance(value, str) and value.startswith(there)
    }
    return {**properties, "Environment": {"Variables": {**variables, **moved}}} if moved else properties


def fault_of(template: Template, resource: Resource, error: AwsError) -> Fault:
    """A wing's refusal with the place of the resource in the template."""
    place = resource.location_of()
    hint = f"resource {resource.source_id or resource.logical_id} ({resource.type})"
    file = place.file or str(template.path)
    return Fault(file, place.line, place.column, error.message, hint, f"deploy/{error.code}")
