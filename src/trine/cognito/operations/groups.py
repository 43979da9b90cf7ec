"""Groups of a pool, and who belongs to them. Their names are in the tokens; their roles too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trine.cognito import limits
from trine.cognito.errors import GroupExists, LimitExceeded
from trine.cognito.model import Group, Pool
from trine.cognito.operations.operation import Operation, Output, Rooms, Turn, describe_user, page


def put_group(rooms: Rooms, pool: Pool, given: Mapping[str, Any]) -> Group:
    """Make or change a group from `GroupName`, `Description`, `RoleArn` and `Precedence`."""
    now = rooms.clock.now()
    name = str(given["GroupName"])
    known = rooms.directory.groups.get((pool.id, name))
    precedence = given.get("Precedence")
    group = Group(
        pool.id,
        name,
        known.created_at if known is not None else now,
        now,
        given.get("Description", known.description if known is not None else None),
        given.get("RoleArn", known.role_arn if known is not None else None),
        int(precedence) if precedence is not None else known.precedence if known is not None else None,
    )
    rooms.directory.save_group(group)
    return group


def _describe(group: Group) -> dict[str, Any]:
    return {
        "GroupName": group.name,
        "UserPoolId": group.pool_id,
        "Description": group.description,
        "RoleArn": group.role_arn,
        "Precedence": group.precedence,
        "LastModifiedDate": group.modified_at,
        "CreationDate": group.created_at,
    }


async def create_group(turn: Turn) -> Output:
    """CreateGroup."""
    pool = turn.pool()
    if (pool.id, turn.input["GroupName"]) in turn.rooms.directory.groups:
        raise GroupExists
    return {"Group": _describe(put_group(turn.rooms, pool, turn.input))}


async def update_group(turn: Turn) -> Output:
    """UpdateGroup."""
    pool = turn.pool()
    turn.rooms.directory.group(pool, turn.input["GroupName"])
    return {"Group": _describe(put_group(turn.rooms, pool, turn.input))}


async def get_group(turn: Turn) -> Output:
    """GetGroup."""
    return {"Group": _describe(turn.rooms.directory.group(turn.pool(), turn.input["GroupName"]))}


async def delete_group(turn: Turn) -> Output:
    """DeleteGroup."""
    turn.rooms.directory.remove_group(turn.rooms.directory.group(turn.pool(), turn.input["GroupName"]))
    return {}


async def list_groups(turn: Turn) -> Output:
    """ListGroups."""
    groups = [_describe(group) for group in turn.rooms.directory.groups_of(turn.pool())]
    return page(groups, turn.input, "Groups", "NextToken", "Limit")


async def add_user(turn: Turn) -> Output:
    """AdminAddUserToGroup."""
    pool = turn.pool()
    user, group = turn.user(pool), turn.rooms.directory.group(pool, turn.input["GroupName"])
    if group.name not in user.groups:
        if len(user.groups) >= limits.GROUPS_PER_USER_MAX:
            raise LimitExceeded(f"A user belongs to at most {limits.GROUPS_PER_USER_MAX} groups")
        user.groups.append(group.name)
        turn.save(user)
    return {}


async def remove_user(turn: Turn) -> Output:
    """AdminRemoveUserFromGroup."""
    pool = turn.pool()
    user, group = turn.user(pool), turn.rooms.directory.group(pool, turn.input["GroupName"])
    if group.name in user.groups:
        user.groups.remove(group.name)
        turn.save(user)
    return {}


async def groups_of_user(turn: Turn) -> Output:
    """AdminListGroupsForUser."""
    pool = turn.pool()
    groups = [_describe(turn.rooms.directory.group(pool, name)) for name in turn.user(pool).groups]
    return page(groups, turn.input, "Groups", "NextToken", "Limit")


async def users_of_group(turn: Turn) -> Output:
    """ListUsersInGroup."""
    pool = turn.pool()
    group = turn.rooms.directory.group(pool, turn.input["GroupName"])
    users = [describe_user(user) for user in turn.rooms.directory.users(pool) if group.name in user.groups]
    return page(users, turn.input, "Users", "NextToken", "Limit")


OPERATIONS = {
    "CreateGroup": Operation(create_group, passes_role=True),
    "UpdateGroup": Operation(update_group, passes_role=True),
    "GetGroup": Operation(get_group),
    "DeleteGroup": Operation(delete_group),
    "ListGroups": Operation(list_groups),
    "AdminAddUserToGroup": Operation(add_user),
    "AdminRemoveUserFromGroup": Operation(remove_user),
    "AdminListGroupsForUser": Operation(groups_of_user),
    "ListUsersInGroup": Operation(users_of_group),
}
