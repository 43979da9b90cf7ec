"""Which of a function's written policies stay as they are, and what must be granted beside them.

Enters a function of the template and what its role used; leaves decisions by entry of `Policies`. An entry stays when
it speaks of services whose calls cannot be seen here, or names a managed policy: nobody can tell what of it is needed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from trine.cloudformation.resources import Resource
from trine.cloudformation.template import Template
from trine.iam.advice import covers, is_observable
from trine.iam.directory import aws_managed_document

Statement = Mapping[str, Any]


def _role_of(template: Template, function: Resource) -> Resource | None:
    """The role that SAM made for the function."""
    for role in template.of_type("AWS::IAM::Role"):
        if role.attributes.get("Arn") == function.properties.get("Role"):
            return role if role.source_id == function.source_id else None
    return None


def sam_made_role(template: Template, function: Resource) -> bool:
    """Whether the function's policies are written in its own `Policies`."""
    return _role_of(template, function) is not None


def _inline(role: Resource) -> Iterator[tuple[str, list[Statement]]]:
    for policy in role.properties.get("Policies") or ():
        statements = (policy.get("PolicyDocument") or {}).get("Statement") or []
        yield str(policy.get("PolicyName")), [statements] if isinstance(statements, Mapping) else list(statements)


def stays(template: Template, function: Resource, number: int, observable: Collection[str]) -> bool:
    """Whether entry `number` of the function's `Policies` stays. SAM names what it makes of it `RolePolicyNUMBER`."""
    role = _role_of(template, function)
    if role is None:
        return True
    for name, statements in _inline(role):
        if name == f"{role.logical_id}Policy{number}":
            return not all(is_observable(one, observable) for one in statements)
    return True


def needed_statements(
    template: Template, function: Resource, rights: Mapping[str, Any], observable: Collection[str]
) -> list[Statement]:
    """Of the smallest statements, what the entries that stay and the attached policies do not grant already."""
    granted = list(_granted(template, function, rights, observable))
    needed: list[Statement] = []
    for statement in rights["smallest"]:
        resources = _listed(statement["Resource"])
        actions = [
            action
            for action in _listed(statement["Action"])
            if not all(any(covers(one, action, resource) for one in granted) for resource in resources)
        ]
        if actions:
            needed.append({**statement, "Action": actions[0] if len(actions) == 1 else actions})
    return needed


def _granted(
    template: Template, function: Resource, rights: Mapping[str, Any], observable: Collection[str]
) -> Iterator[Statement]:
    role = _role_of(template, function)
    for name, statements in _inline(role) if role is not None else ():
        number = name.removeprefix(f"{role.logical_id}Policy") if role is not None else ""
        if not number.isdecimal() or stays(template, function, int(number), observable):
            yield from (one for one in statements if one.get("Effect") == "Allow")
    for arn in rights["attached"]:
        document = aws_managed_document(arn)
        if document is not None:
            statements = document["Document"]["Statement"]
            yield from [statements] if isinstance(statements, Mapping) else statements


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [str(one) for one in value]
