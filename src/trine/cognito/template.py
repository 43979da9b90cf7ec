"""User pools from a template: pool, client, group, user, and who belongs to which group.

Enters a resource's properties with the id that `Ref` gives, leaves the pool, client, group or user in the directory.
What is there already keeps its people and takes the template's settings.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from trine.cognito import attributes as user_attributes
from trine.cognito.errors import InvalidParameter, UserNotFound
from trine.cognito.operations import pools
from trine.cognito.operations.administration import temporary_password
from trine.cognito.operations.groups import put_group
from trine.cognito.operations.operation import Rooms
from trine.cognito.operations.sign_up import new_user
from trine.cognito.resource_types import TYPES


class Declared(NamedTuple):
    """One resource of the template: `id` is what Ref gives, `name` the given or generated name."""

    properties: Mapping[str, Any]
    id: str
    name: str
    secret: str
    """What `Fn::GetAtt …ClientSecret` gives."""


async def put_resource(rooms: Rooms, kind: str, declared: Declared) -> None:
    """Make or change what `declared` describes. Raises Cognito's errors."""
    await MAKERS[kind](rooms, declared)


async def _put_pool(rooms: Rooms, declared: Declared) -> None:
    properties = {name: value for name, value in declared.properties.items() if name != "UserPoolName"}
    settings = {**properties, "PoolName": declared.properties.get("UserPoolName") or declared.name}
    known = rooms.directory.pools.get(declared.id)
    if known is not None:
        pools.change_pool(rooms, known, settings)
        return
    rooms.directory.save_pool(pools.make_pool(rooms, settings, declared.id))


async def _put_client(rooms: Rooms, declared: Declared) -> None:
    properties = {name: value for name, value in declared.properties.items() if name != "UserPoolId"}
    settings = {**properties, "ClientName": declared.properties.get("ClientName") or declared.name}
    pool = rooms.directory.pool(str(declared.properties.get("UserPoolId")))
    secret = declared.secret if settings.get("GenerateSecret") else None
    client = pools.make_client(rooms, pool, settings, declared.id, secret)
    known = rooms.directory.clients.get(declared.id)
    if known is not None:
        client.created_at = known.created_at
    rooms.directory.save_client(client)


async def _put_group(rooms: Rooms, declared: Declared) -> None:
    pool = rooms.directory.pool(str(declared.properties.get("UserPoolId")))
    given = {**declared.properties, "GroupName": declared.properties.get("GroupName") or declared.name}
    put_group(rooms, pool, given)


async def _put_user(rooms: Rooms, declared: Declared) -> None:
    pool = rooms.directory.pool(str(declared.properties.get("UserPoolId")))
    username = declared.properties.get("Username")
    if not username:
        raise InvalidParameter("A UserPoolUser needs a Username")
    if rooms.directory.find_user(pool, str(username)) is not None:
        return
    attributes = user_attributes.read(declared.properties.get("UserAttributes"))
    user_attributes.check(pool, attributes, admin=True)
    user = new_user(rooms, pool, str(username), attributes, "FORCE_CHANGE_PASSWORD")
    password = temporary_password(rooms, pool)
    await rooms.set_password(pool, user, password, temporary=True)
    if declared.properties.get("MessageAction") != "SUPPRESS":
        rooms.codes.tell(pool, user, f"your user name is {user.username} and temporary password is {password}")
    rooms.directory.add_user(user)


async def _put_membership(rooms: Rooms, declared: Declared) -> None:
    pool = rooms.directory.pool(str(declared.properties.get("UserPoolId")))
    user = rooms.directory.find_user(pool, str(declared.properties.get("Username")))
    if user is None:
        raise UserNotFound
    group = rooms.directory.group(pool, str(declared.properties.get("GroupName")))
    if group.name not in user.groups:
        user.groups.append(group.name)
        rooms.directory.save_user(user)


MAKERS: Mapping[str, Callable[[Rooms, Declared], Awaitable[None]]] = dict(
    zip(TYPES, (_put_pool, _put_client, _put_group, _put_user, _put_membership), strict=True)
)
