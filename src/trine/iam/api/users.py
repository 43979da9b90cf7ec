"""IAM's users and their access keys."""

from __future__ import annotations

from typing import Any

from trine.iam.api.attachments import boundary_member, operations_for
from trine.iam.api.operation import ApiOperation, Output, Turn, everything, named, page, tag_list
from trine.iam.directory import Identity
from trine.iam.errors import DeleteConflict, EntityAlreadyExists, ValidationError
from trine.iam.provision import check_name, check_path, check_tags


def user_document(user: Identity) -> dict[str, Any]:
    """A user in the API's form."""
    document: dict[str, Any] = {
        "Path": user.path,
        "UserName": user.name,
        "UserId": user.unique_id,
        "Arn": user.arn,
        "CreateDate": user.created_at,
        **boundary_member(user),
    }
    if user.tags:
        document["Tags"] = tag_list(user.tags)
    return document


def create_user(turn: Turn) -> Output:
    """CreateUser."""
    name, path = check_name(turn.input["UserName"], "userName"), check_path(turn.input.get("Path", "/"))
    boundary = turn.input.get("PermissionsBoundary")
    if boundary is not None:
        turn.access.directory.policy(boundary)
    tags = check_tags(turn.input.get("Tags", ()))
    user = turn.access.directory.new("user", name, path)
    user.boundary, user.tags = boundary, tags
    turn.access.directory.save(user)
    return {"User": user_document(user)}


def get_user(turn: Turn) -> Output:
    """GetUser; without a name the caller's own."""
    principal = turn.signer.principal
    if "UserName" not in turn.input and principal.kind == "root":
        return {"User": {"UserId": principal.user_id, "Arn": principal.arn, "Path": "/", "CreateDate": 0.0}}
    return {"User": user_document(turn.access.directory.get("user", user_name(turn)))}


def user_name(turn: Turn) -> str:
    """The user named, or the caller. ValidationError when the caller is no user."""
    name = turn.input.get("UserName")
    if name is not None:
        return str(name)
    principal = turn.signer.principal
    if principal.kind != "user":
        raise ValidationError("Must specify userName when calling with non-User credentials")
    return principal.name


def list_users(turn: Turn) -> Output:
    """ListUsers."""
    prefix = turn.input.get("PathPrefix", "/")
    users = sorted(turn.access.directory.identities["user"].values(), key=lambda user: user.name)
    listed = [user_document(user) for user in users if user.path.startswith(prefix)]
    return page([{k: v for k, v in one.items() if k != "Tags"} for one in listed], turn.input, "Users")


def delete_user(turn: Turn) -> Output:
    """DeleteUser; keys, policies and groups have to be gone first."""
    user = turn.access.directory.get("user", turn.input["UserName"])
    if turn.access.keys.of(user.name):
        raise DeleteConflict("Cannot delete entity, must delete access keys first.")
    if user.groups:
        raise DeleteConflict("Cannot delete entity, must remove users from group first.")
    if user.attached:
        raise DeleteConflict("Cannot delete entity, must detach all policies first.")
    if user.inline:
        raise DeleteConflict("Cannot delete entity, must delete policies first.")
    for session in turn.access.credentials.sessions():
        if session.principal.arn == user.arn:
            turn.access.revoke(session)
    turn.access.directory.remove(user)
    return {}


def update_user(turn: Turn) -> Output:
    """UpdateUser: another name or path; keys and policies stay with the user."""
    directory = turn.access.directory
    user = directory.get("user", turn.input["UserName"])
    name = check_name(turn.input.get("NewUserName", user.name), "newUserName")
    path = check_path(turn.input.get("NewPath", user.path))
    taken = directory.find("user", name)
    if taken is not None and taken is not user:
        raise EntityAlreadyExists(f"User with name {name} already exists.")
    directory.rename(user, name, path)
    turn.access.keys.rename(turn.input["UserName"], user)
    return {}


def access_key_last_used(turn: Turn) -> Output:
    """GetAccessKeyLastUsed: whose key it is. When it was last used is not kept, as for a key never used on AWS."""
    name, _ = turn.access.keys.holder(turn.input["AccessKeyId"])
    return {"UserName": name, "AccessKeyLastUsed": {"ServiceName": "N/A", "Region": "N/A"}}


def create_access_key(turn: Turn) -> Output:
    """CreateAccessKey: the only time that the secret is shown."""
    name = turn.access.directory.get("user", user_name(turn)).name
    key = turn.access.keys.make(name)
    return {
        "AccessKey": {
            "UserName": name,
            "AccessKeyId": key.access_key_id,
            "Status": "Active",
            "SecretAccessKey": key.secret_access_key,
            "CreateDate": key.created_at,
        }
    }


def list_access_keys(turn: Turn) -> Output:
    """ListAccessKeys."""
    name = turn.access.directory.get("user", user_name(turn)).name
    listed = [
        {
            "UserName": name,
            "AccessKeyId": key.access_key_id,
            "Status": "Active" if key.active else "Inactive",
            "CreateDate": key.created_at,
        }
        for key in turn.access.keys.of(name)
    ]
    return page(listed, turn.input, "AccessKeyMetadata")


def update_access_key(turn: Turn) -> Output:
    """UpdateAccessKey: Active or Inactive."""
    status = turn.input["Status"]
    if status not in {"Active", "Inactive"}:
        raise ValidationError("Access key status must be Active or Inactive")
    turn.access.keys.set_active(user_name(turn), turn.input["AccessKeyId"], status == "Active")
    return {}


def delete_access_key(turn: Turn) -> Output:
    """DeleteAccessKey."""
    turn.access.keys.delete(user_name(turn), turn.input["AccessKeyId"])
    return {}


_USER = named("user", "UserName")
OPERATIONS = {
    "CreateUser": ApiOperation(create_user, _USER),
    "GetUser": ApiOperation(get_user, _USER),
    "ListUsers": ApiOperation(list_users, everything),
    "DeleteUser": ApiOperation(delete_user, _USER),
    "UpdateUser": ApiOperation(update_user, _USER),
    "CreateAccessKey": ApiOperation(create_access_key, _USER),
    "ListAccessKeys": ApiOperation(list_access_keys, _USER),
    "UpdateAccessKey": ApiOperation(update_access_key, _USER),
    "DeleteAccessKey": ApiOperation(delete_access_key, _USER),
    "GetAccessKeyLastUsed": ApiOperation(access_key_last_used, everything),
    **operations_for("user"),
}
