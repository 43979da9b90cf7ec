"""IAM's roles: create, get, list, update, delete."""

from __future__ import annotations

from typing import Any

from trine.iam import limits
from trine.iam.api.attachments import boundary_member, operations_for
from trine.iam.api.operation import ApiOperation, Output, Turn, encoded, everything, named, page, tag_list
from trine.iam.directory import Identity
from trine.iam.errors import DeleteConflict, EntityAlreadyExists
from trine.iam.provision import check_session_seconds, document_text


def role_document(role: Identity, region: str) -> dict[str, Any]:
    """A role in the API's form."""
    used = {"LastUsedDate": role.last_used_at, "Region": region} if role.last_used_at is not None else {}
    document: dict[str, Any] = {
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.unique_id,
        "Arn": role.arn,
        "CreateDate": role.created_at,
        "AssumeRolePolicyDocument": encoded(role.trust),
        "MaxSessionDuration": role.max_session_seconds,
        "RoleLastUsed": used,
        **boundary_member(role),
    }
    if role.description:
        document["Description"] = role.description
    if role.tags:
        document["Tags"] = tag_list(role.tags)
    return document


def create_role(turn: Turn) -> Output:
    """CreateRole."""
    given = turn.input
    if turn.access.directory.find("role", given["RoleName"]) is not None:
        raise EntityAlreadyExists(f"Role with name {given['RoleName']} already exists.")
    turn.access.put_role(given)
    role = turn.access.directory.get("role", given["RoleName"])
    document = role_document(role, turn.access.place.region)
    del document["RoleLastUsed"]
    return {"Role": document}


def get_role(turn: Turn) -> Output:
    """GetRole."""
    role = turn.access.directory.get("role", turn.input["RoleName"])
    return {"Role": role_document(role, turn.access.place.region)}


def list_roles(turn: Turn) -> Output:
    """ListRoles; without tags and last use, as AWS lists them."""
    prefix = turn.input.get("PathPrefix", "/")
    listed = []
    for role in sorted(turn.access.directory.identities["role"].values(), key=lambda role: role.name):
        if role.path.startswith(prefix):
            document = role_document(role, turn.access.place.region)
            listed.append({key: value for key, value in document.items() if key not in {"Tags", "RoleLastUsed"}})
    return page(listed, turn.input, "Roles")


def delete_role(turn: Turn) -> Output:
    """DeleteRole; policies have to be gone first. Its sessions end with it."""
    role = turn.access.directory.get("role", turn.input["RoleName"])
    if role.attached:
        raise DeleteConflict("Cannot delete entity, must detach all policies first.")
    if role.inline:
        raise DeleteConflict("Cannot delete entity, must delete policies first.")
    turn.access.delete_role(role.name)
    return {}


def update_role(turn: Turn) -> Output:
    """UpdateRole: description and longest session."""
    role = turn.access.directory.get("role", turn.input["RoleName"])
    if "MaxSessionDuration" in turn.input:
        role.max_session_seconds = check_session_seconds(turn.input["MaxSessionDuration"])
    role.description = turn.input.get("Description", role.description)
    turn.access.directory.save(role)
    return {}


def update_role_description(turn: Turn) -> Output:
    """UpdateRoleDescription."""
    role = turn.access.directory.get("role", turn.input["RoleName"])
    role.description = turn.input["Description"]
    turn.access.directory.save(role)
    return {"Role": role_document(role, turn.access.place.region)}


def update_trust(turn: Turn) -> Output:
    """UpdateAssumeRolePolicy."""
    role = turn.access.directory.get("role", turn.input["RoleName"])
    role.trust = document_text(
        turn.input["PolicyDocument"], "trust", "AssumeRolePolicyDocument", limits.TRUST_POLICY_MAX_CHARACTERS
    )
    turn.access.directory.save(role)
    return {}


def list_instance_profiles(turn: Turn) -> Output:
    """ListInstanceProfilesForRole: no instances, so no role has a profile; tools ask before DeleteRole."""
    turn.access.directory.get("role", turn.input["RoleName"])
    return page([], turn.input, "InstanceProfiles")


_ROLE = named("role", "RoleName")
OPERATIONS = {
    "CreateRole": ApiOperation(create_role, _ROLE),
    "GetRole": ApiOperation(get_role, _ROLE),
    "ListRoles": ApiOperation(list_roles, everything),
    "DeleteRole": ApiOperation(delete_role, _ROLE),
    "UpdateRole": ApiOperation(update_role, _ROLE),
    "UpdateRoleDescription": ApiOperation(update_role_description, _ROLE),
    "UpdateAssumeRolePolicy": ApiOperation(update_trust, _ROLE),
    "ListInstanceProfilesForRole": ApiOperation(list_instance_profiles, _ROLE),
    **operations_for("role"),
}
