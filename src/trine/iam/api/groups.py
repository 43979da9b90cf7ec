"""IAM's groups of users."""

from __future__ import annotations

from typing import Any

from trine.iam import limits
from trine.iam.api.attachments import operations_for
from trine.iam.api.operation import ApiOperation, Output, Turn, everything, named, page
from trine.iam.api.users import user_document
from trine.iam.directory import Identity
from trine.iam.errors import DeleteConflict, LimitExceeded, NoSuchEntity
from trine.iam.provision import check_name, check_path


def group_document(group: Identity) -> dict[str, Any]:
    """A group in the API's form."""
    return {
        "Path": group.path,
        "GroupName": group.name,
        "GroupId": group.unique_id,
        "Arn": group.arn,
        "CreateDate": group.created_at,
    }


def _members(turn: Turn, group: Identity) -> list[Identity]:
    users = turn.access.directory.identities["user"].values()
    return sorted((user for user in users if group.name in user.groups), key=lambda user: user.name)


def create_group(turn: Turn) -> Output:
    """CreateGroup."""
    name, path = check_name(turn.input["GroupName"], "groupName", 128), check_path(turn.input.get("Path", "/"))
    group = turn.access.directory.new("group", name, path)
    turn.access.directory.save(group)
    return {"Group": group_document(group)}


def get_group(turn: Turn) -> Output:
    """GetGroup with its users."""
    group = turn.access.directory.get("group", turn.input["GroupName"])
    users = [{k: v for k, v in user_document(user).items() if k != "Tags"} for user in _members(turn, group)]
    return {"Group": group_document(group), **page(users, turn.input, "Users")}


def list_groups(turn: Turn) -> Output:
    """ListGroups."""
    prefix = turn.input.get("PathPrefix", "/")
    groups = sorted(turn.access.directory.identities["group"].values(), key=lambda group: group.name)
    return page([group_document(group) for group in groups if group.path.startswith(prefix)], turn.input, "Groups")


def delete_group(turn: Turn) -> Output:
    """DeleteGroup; users and policies have to be gone first."""
    group = turn.access.directory.get("group", turn.input["GroupName"])
    if _members(turn, group):
        raise DeleteConflict("Cannot delete entity, must remove users from group first.")
    if group.attached:
        raise DeleteConflict("Cannot delete entity, must detach all policies first.")
    if group.inline:
        raise DeleteConflict("Cannot delete entity, must delete policies first.")
    turn.access.directory.remove(group)
    return {}


def add_user(turn: Turn) -> Output:
    """AddUserToGroup; adding twice is no error."""
    group = turn.access.directory.get("group", turn.input["GroupName"])
    user = turn.access.directory.get("user", turn.input["UserName"])
    if group.name not in user.groups:
        if len(user.groups) >= limits.GROUPS_PER_USER_MAX:
            raise LimitExceeded(f"Cannot exceed quota for GroupsPerUser: {limits.GROUPS_PER_USER_MAX}")
        user.groups.append(group.name)
        turn.access.directory.save(user)
    return {}


def remove_user(turn: Turn) -> Output:
    """RemoveUserFromGroup."""
    group = turn.access.directory.get("group", turn.input["GroupName"])
    user = turn.access.directory.get("user", turn.input["UserName"])
    if group.name not in user.groups:
        raise NoSuchEntity(f"User {user.name} is not in group {group.name}.")
    user.groups.remove(group.name)
    turn.access.directory.save(user)
    return {}


def list_groups_for_user(turn: Turn) -> Output:
    """ListGroupsForUser."""
    user = turn.access.directory.get("user", turn.input["UserName"])
    groups = [turn.access.directory.get("group", name) for name in sorted(user.groups)]
    return page([group_document(group) for group in groups], turn.input, "Groups")


_GROUP = named("group", "GroupName")
OPERATIONS = {
    "CreateGroup": ApiOperation(create_group, _GROUP),
    "GetGroup": ApiOperation(get_group, _GROUP),
    "ListGroups": ApiOperation(list_groups, everything),
    "DeleteGroup": ApiOperation(delete_group, _GROUP),
    "AddUserToGroup": ApiOperation(add_user, _GROUP),
    "RemoveUserFromGroup": ApiOperation(remove_user, _GROUP),
    "ListGroupsForUser": ApiOperation(list_groups_for_user, named("user", "UserName")),
    **operations_for("group"),
}
