"""Identities from a template's properties: what `AWS::IAM::Role` and `AWS::IAM::ManagedPolicy` become.

Enters plain property dicts, leaves entities in the directory. Everything is checked before anything is changed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from trine.iam import limits
from trine.iam.directory import Directory, Identity, Kind, ManagedPolicy
from trine.iam.errors import LimitExceeded, ValidationError
from trine.iam.policy import PolicyKind, parse_policy

_NAME = re.compile(r"[\w+=,.@-]+", re.ASCII)
_PATH = re.compile(r"/|/[\x21-\x7e]{0,510}/")


INLINE_CHARACTERS_MAX: Mapping[Kind, int] = {
    "role": limits.INLINE_ROLE_POLICIES_MAX_CHARACTERS,
    "user": limits.INLINE_USER_POLICIES_MAX_CHARACTERS,
    "group": limits.INLINE_GROUP_POLICIES_MAX_CHARACTERS,
}


def check_name(value: Any, member: str, longest: int = 64) -> str:
    """`value` when it is a name IAM takes, else ValidationError."""
    if not isinstance(value, str) or not value:
        raise ValidationError(f"Value null at '{member}' failed to satisfy constraint: Member must not be null")
    if len(value) > longest:
        raise ValidationError(
            f"1 validation error detected: Value at '{member}' failed to satisfy constraint: "
            f"Member must have length less than or equal to {longest}"
        )
    if not _NAME.fullmatch(value):
        raise ValidationError(
            f"The specified value for {member} is invalid. It must contain only alphanumeric characters and/or the "
            "following: +=,.@_-"
        )
    return value


def check_path(value: Any) -> str:
    """`value` when it is a path IAM takes, else ValidationError."""
    if not isinstance(value, str) or not _PATH.fullmatch(value):
        raise ValidationError("The specified value for path is invalid. It must begin and end with / and contain only "
                              "alphanumeric characters and/or / characters.")  # fmt: skip
    return value


def document_text(document: Any, kind: PolicyKind, name: str, longest_characters: int) -> str:
    """A checked policy document as compact JSON. MalformedPolicy, LimitExceeded (white space does not count)."""
    parse_policy(document, kind, name)
    text = document if isinstance(document, str) else json.dumps(document, separators=(",", ":"), default=str)
    if len("".join(text.split())) > longest_characters:
        raise LimitExceeded(f"Maximum policy size of {longest_characters} bytes exceeded for {name}")
    return text


def put_role(directory: Directory, properties: Mapping[str, Any], name: str | None) -> str:
    """Make or change a role; its ARN."""
    name = check_name(properties.get("RoleName", name), "roleName")
    path = check_path(properties.get("Path", "/"))
    trust = document_text(
        properties.get("AssumeRolePolicyDocument"),
        "trust",
        "AssumeRolePolicyDocument",
        limits.TRUST_POLICY_MAX_CHARACTERS,
    )
    inline = inline_policies(properties.get("Policies", ()), limits.INLINE_ROLE_POLICIES_MAX_CHARACTERS)
    attached = [str(arn) for arn in properties.get("ManagedPolicyArns", ())]
    boundary = properties.get("PermissionsBoundary")
    for arn in (*attached, *([boundary] if boundary else ())):
        directory.policy(arn)
    if len(attached) > limits.MANAGED_POLICIES_ATTACHED_MAX:
        raise LimitExceeded(f"Cannot exceed quota for PoliciesPerRole: {limits.MANAGED_POLICIES_ATTACHED_MAX}")
    longest = check_session_seconds(properties.get("MaxSessionDuration", limits.ROLE_SESSION_SECONDS_MIN))
    tags = check_tags(properties.get("Tags", ()))
    role = directory.find("role", name)
    if role is not None and role.path != path:
        directory.remove(role)
        role = None
    role = role or directory.new("role", name, path)
    role.trust, role.inline, role.attached, role.boundary = trust, inline, attached, boundary
    role.max_session_seconds = longest
    role.description = str(properties.get("Description", ""))
    role.tags = tags
    directory.save(role)
    return role.arn


def put_managed_policy(
    directory: Directory, properties: Mapping[str, Any], name: str | None, *, attach: bool = True
) -> ManagedPolicy:
    """Make or change a managed policy from `AWS::IAM::ManagedPolicy`, attached to the roles and users it names.

    Roles may name the policy and the policy roles: make policies with `attach=False` first, then the roles, then
    the policies again. Raises MalformedPolicy, NoSuchEntity, ValidationError, LimitExceeded; then nothing is changed.
    """
    name = check_name(properties.get("ManagedPolicyName", name), "policyName", 128)
    path = check_path(properties.get("Path", "/"))
    text = document_text(properties.get("PolicyDocument"), "identity", name, limits.MANAGED_POLICY_MAX_CHARACTERS)
    arn = directory.place.arn("iam", f"policy{path}{name}", regional=False)
    holders = _holders(directory, properties) if attach else []
    policy = directory.policies.get(arn)
    if policy is None:
        policy = directory.new_policy(name, path, text, str(properties.get("Description", "")))
    elif policy.document != text:
        policy.versions[policy.default_version] = (text, directory.clock.now())
        directory.save_policy(policy)
    for holder in holders:
        if arn not in holder.attached:
            holder.attached.append(arn)
            directory.save(holder)
    return policy


def put_policy(directory: Directory, properties: Mapping[str, Any]) -> None:
    """The inline policy of `AWS::IAM::Policy` (or `RolePolicy`), in every role, user and group it names."""
    name = check_name(properties.get("PolicyName"), "policyName", 128)
    single = {"Roles": [properties["RoleName"]]} if "RoleName" in properties else {}
    holders = _holders(directory, {**properties, **single})
    if not holders:
        raise ValidationError("At least one of [Groups,Roles,Users] must be non-empty.")
    document = properties.get("PolicyDocument")
    texts = [document_text(document, "identity", name, INLINE_CHARACTERS_MAX[holder.kind]) for holder in holders]
    for holder, text in zip(holders, texts, strict=True):
        holder.inline = {**holder.inline, name: text}
        directory.save(holder)


def put_user(directory: Directory, properties: Mapping[str, Any], name: str | None) -> str:
    """Make or change a user from `AWS::IAM::User`; its ARN. Login profiles are not known here."""
    return _put_plain(directory, "user", properties, check_name(properties.get("UserName", name), "userName"))


def put_group(directory: Directory, properties: Mapping[str, Any], name: str | None) -> str:
    """Make or change a group from `AWS::IAM::Group`; its ARN."""
    return _put_plain(directory, "group", properties, check_name(properties.get("GroupName", name), "groupName", 128))


def _put_plain(directory: Directory, kind: Kind, properties: Mapping[str, Any], name: str) -> str:
    path = check_path(properties.get("Path", "/"))
    inline = inline_policies(properties.get("Policies", ()), INLINE_CHARACTERS_MAX[kind])
    attached = [str(arn) for arn in properties.get("ManagedPolicyArns", ())]
    boundary = properties.get("PermissionsBoundary")
    for arn in (*attached, *([boundary] if boundary else ())):
        directory.policy(arn)
    groups = [directory.get("group", group).name for group in properties.get("Groups", ())]
    tags = check_tags(properties.get("Tags", ()))
    identity = directory.find(kind, name) or directory.new(kind, name, path)
    identity.inline, identity.attached, identity.boundary, identity.groups = inline, attached, boundary, groups
    identity.tags = tags
    directory.save(identity)
    return identity.arn


def _holders(directory: Directory, properties: Mapping[str, Any]) -> list[Identity]:
    kinds: tuple[tuple[Kind, str], ...] = (("role", "Roles"), ("user", "Users"), ("group", "Groups"))
    return [directory.get(kind, holder) for kind, member in kinds for holder in properties.get(member, ())]


def inline_policies(entries: Sequence[Mapping[str, Any]], longest_characters: int) -> dict[str, str]:
    """`Policies` of a role or user: name → document text."""
    inline: dict[str, str] = {}
    for entry in entries:
        name = check_name(entry.get("PolicyName"), "policyName", 128)
        if name in inline:
            raise ValidationError(f"Duplicate policy name {name}")
        inline[name] = document_text(entry.get("PolicyDocument"), "identity", name, longest_characters)
    if sum(len("".join(text.split())) for text in inline.values()) > longest_characters:
        raise LimitExceeded(f"Maximum policy size of {longest_characters} bytes exceeded")
    return inline


def check_session_seconds(value: Any) -> int:
    """`MaxSessionDuration` when it lies within 1 to 12 hours, else ValidationError."""
    try:
        seconds = int(value)
    except (TypeError, ValueError):
        raise ValidationError("MaxSessionDuration is not a number") from None
    if not limits.ROLE_SESSION_SECONDS_MIN <= seconds <= limits.ROLE_SESSION_SECONDS_MAX:
        bound = "greater than or equal to 3600" if seconds < 3600 else "less than or equal to 43200"
        raise ValidationError(
            f"1 validation error detected: Value '{seconds}' at 'maxSessionDuration' failed to satisfy constraint: "
            f"Member must have value {bound}"
        )
    return seconds


def check_tags(tags: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Tags as a dict. LimitExceeded beyond 50, ValidationError for keys that differ in case only."""
    made = {str(tag["Key"]): str(tag.get("Value", "")) for tag in tags}
    if len(made) > limits.TAGS_MAX:
        raise LimitExceeded(f"The number of tags has exceeded the limit of {limits.TAGS_MAX}")
    if len({key.lower() for key in made}) != len(tags):
        raise ValidationError("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    return made
