"""The template's resources, made in the wings: first all checks, then all changes.

`check` is pure and finds every fault of every resource, so that a template with faults changes nothing; `deploy`
then makes roles, tables, functions and permissions in the order in which they need each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from trine.aws.arn import Place
from trine.aws.errors import AwsError
from trine.awslambda.function import function_from_properties
from trine.cloudformation.faults import Fault, TemplateFaults
from trine.cloudformation.resources import Resource
from trine.cloudformation.template import Template
from trine.dynamodb.model.table_definition import define_table
from trine.dynamodb.template import create_table_input
from trine.iam.provision import put_group, put_managed_policy, put_policy, put_user
from trine.stack.build import Wings
from trine.stack.settings import Settings

FUNCTION = "AWS::Lambda::Function"
TABLE = "AWS::DynamoDB::Table"
ROLE = "AWS::IAM::Role"
MANAGED_POLICY = "AWS::IAM::ManagedPolicy"
POLICY = "AWS::IAM::Policy"
PERMISSION = "AWS::Lambda::Permission"
GROUP = "AWS::IAM::Group"
USER = "AWS::IAM::User"
ROLE_POLICY = "AWS::IAM::RolePolicy"
ORDER = (MANAGED_POLICY, ROLE, GROUP, USER, MANAGED_POLICY, POLICY, ROLE_POLICY, TABLE, FUNCTION)
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
    USER: "UserName",
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
        FUNCTION: lambda resource: function_from_properties(named_properties(resource), template.directory, place),
    }
    faults = []
    for resource in template.of_type(*checks):
        try:
            checks[resource.type](resource)
        except AwsError as error:
            faults.append(fault_of(template, resource, error))
    if faults:
        raise TemplateFaults(faults)


async def deploy(template: Template, wings: Wings, settings: Settings) -> None:
    """Make every resource that a wing owns. TemplateFaults with all that a wing refused."""
    faults = []
    for position, resource_type in enumerate(ORDER):
        for resource in template.of_type(resource_type):
            try:
                await _make(resource, template, wings, settings, attach=position > 0)
            except AwsError as error:
                faults.append(fault_of(template, resource, error))
    if faults:
        raise TemplateFaults(faults)
    await wings.access.settled()


async def _make(resource: Resource, template: Template, wings: Wings, settings: Settings, *, attach: bool) -> None:
    properties = named_properties(resource)
    if resource.type == ROLE:
        wings.access.put_role(properties)
    elif resource.type == MANAGED_POLICY:
        put_managed_policy(wings.access.directory, properties, resource.name, attach=attach)
    elif resource.type == GROUP:
        put_group(wings.access.directory, properties, resource.name)
    elif resource.type == USER:
        put_user(wings.access.directory, properties, resource.name)
    elif resource.type in (POLICY, ROLE_POLICY):
        put_policy(wings.access.directory, properties)
    elif resource.type == TABLE:
        await wings.dynamodb.create_table_from_template(properties)
    else:
        wings.functions.put_function(
            with_overrides(resource, properties, settings),
            resource.local_files.get("Code"),
            permissions_of(template, resource),
        )


def permissions_of(template: Template, function: Resource) -> list[dict[str, Any]]:
    """The properties of every `AWS::Lambda::Permission` that names `function`, by name or ARN."""
    names = {function.physical_id, function.name, function.attributes.get("Arn")}
    return [
        permission.properties
        for permission in template.of_type(PERMISSION)
        if permission.properties.get("FunctionName") in names
    ]


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


def fault_of(template: Template, resource: Resource, error: AwsError) -> Fault:
    """A wing's refusal with the place of the resource in the template."""
    place = resource.location_of()
    hint = f"resource {resource.source_id or resource.logical_id} ({resource.type})"
    file = place.file or str(template.path)
    return Fault(file, place.line, place.column, error.message, hint, f"deploy/{error.code}")
