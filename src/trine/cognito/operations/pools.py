"""Pools and app clients: made, shown, changed and forgotten, by API and by template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trine.cognito import limits
from trine.cognito.attributes import check_schema, schema
from trine.cognito.errors import InvalidParameter
from trine.cognito.model import Client, Pool
from trine.cognito.operations.operation import Operation, Output, Rooms, Turn, page

_FLOWS = frozenset({"ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH",
                    "ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_CUSTOM_AUTH", "ALLOW_USER_AUTH",
                    "ADMIN_NO_SRP_AUTH", "CUSTOM_AUTH_FLOW_ONLY", "USER_PASSWORD_AUTH"})  # fmt: skip
_ADDRESSES = frozenset({"email", "phone_number", "preferred_username"})
_MINIMUM_PASSWORD, _MAXIMUM_PASSWORD = 6, 99
"""Bounds of `MinimumLength` (PasswordPolicyType)."""


def make_pool(rooms: Rooms, settings: Mapping[str, Any], pool_id: str) -> Pool:
    """A new pool of that id, not yet saved. InvalidParameter."""
    _check_pool(settings)
    now = rooms.clock.now()
    arn = rooms.place.arn("cognito-idp", f"userpool/{pool_id}")
    return Pool(pool_id, arn, str(settings.get("PoolName") or pool_id), now, now, dict(settings))


def _check_pool(settings: Mapping[str, Any]) -> None:
    check_schema(settings.get("Schema") or ())
    for member in ("UsernameAttributes", "AliasAttributes", "AutoVerifiedAttributes"):
        unknown = set(settings.get(member) or ()) - _ADDRESSES
        if unknown:
            raise InvalidParameter(f"{member} cannot be {', '.join(sorted(map(str, unknown)))}")
    if settings.get("UsernameAttributes") and settings.get("AliasAttributes"):
        raise InvalidParameter("Only one of the aliasAttributes or usernameAttributes can be set in a user pool.")
    policy = (settings.get("Policies") or {}).get("PasswordPolicy") or {}
    length = int(policy.get("MinimumLength", limits.PASSWORD_LENGTH_DEFAULT))
    if not _MINIMUM_PASSWORD <= length <= _MAXIMUM_PASSWORD:
        raise InvalidParameter(f"MinimumLength must be between {_MINIMUM_PASSWORD} and {_MAXIMUM_PASSWORD}")


def change_pool(rooms: Rooms, pool: Pool, settings: Mapping[str, Any]) -> None:
    """Replace what a pool is made of; what cannot be changed on AWS stays. InvalidParameter."""
    _check_pool(settings)
    lasting = ("UsernameAttributes", "AliasAttributes", "UsernameConfiguration")
    kept = {name: pool.settings[name] for name in lasting if name in pool.settings}
    pool.settings = {**settings, **kept}
    pool.name = str(settings.get("PoolName") or pool.name)
    pool.modified_at = rooms.clock.now()
    rooms.directory.save_pool(pool)


def make_client(rooms: Rooms, pool: Pool, settings: Mapping[str, Any], client_id: str, secret: str | None) -> Client:
    """A new app client of that id, not yet saved. InvalidParameter."""
    _check_client(settings)
    now = rooms.clock.now()
    return Client(client_id, pool.id, str(settings.get("ClientName") or client_id), secret, now, now, dict(settings))


def _check_client(settings: Mapping[str, Any]) -> None:
    flows = list(settings.get("ExplicitAuthFlows") or ())
    unknown = set(flows) - _FLOWS
    if unknown:
        raise InvalidParameter(f"Unknown ExplicitAuthFlows: {', '.join(sorted(map(str, unknown)))}")
    if flows and len({flow.startswith("ALLOW_") for flow in flows}) > 1:
        raise InvalidParameter("Invalid explicitAuthFlows: flows with and without ALLOW_ cannot be mixed.")
    probe = Client("", "", "", None, 0, 0, dict(settings))
    for token, low, high in (("AccessToken", 300, 86_400), ("IdToken", 300, 86_400),
                             ("RefreshToken", 3_600, 315_360_000)):  # fmt: skip
        if not low <= probe.lifetime_seconds(token) <= high:
            raise InvalidParameter(f"Invalid range for token validity: {token} must last {low} to {high} seconds.")
    if probe.lifetime_seconds("RefreshToken") < probe.lifetime_seconds("AccessToken"):
        raise InvalidParameter("Refresh token validity must not be shorter than the access token's.")


def new_secret(rooms: Rooms) -> str:
    """A client secret in Cognito's form: 52 letters and digits."""
    return rooms.ids.base32(52).lower()


def describe_pool(rooms: Rooms, pool: Pool) -> dict[str, Any]:
    """`UserPoolType`."""
    shown = {name: value for name, value in pool.settings.items() if name not in ("PoolName", "Schema")}
    return {
        **shown,
        "Id": pool.id,
        "Name": pool.name,
        "Arn": pool.arn,
        "Policies": {**(pool.settings.get("Policies") or {}), "PasswordPolicy": dict(pool.password_policy)},
        "SchemaAttributes": schema(pool),
        "LambdaConfig": dict(pool.triggers),
        "MfaConfiguration": pool.settings.get("MfaConfiguration", "OFF"),
        "EstimatedNumberOfUsers": rooms.directory.count_users(pool),
        "CreationDate": pool.created_at,
        "LastModifiedDate": pool.modified_at,
    }


def describe_client(client: Client) -> dict[str, Any]:
    """`UserPoolClientType`."""
    shown = {name: value for name, value in client.settings.items() if name != "GenerateSecret"}
    return {
        **shown,
        "UserPoolId": client.pool_id,
        "ClientName": client.name,
        "ClientId": client.id,
        "ClientSecret": client.secret,
        "RefreshTokenValidity": client.settings.get("RefreshTokenValidity", 30),
        "EnableTokenRevocation": client.settings.get("EnableTokenRevocation", True),
        "AuthSessionValidity": client.settings.get("AuthSessionValidity", limits.CHALLENGE_MINUTES_DEFAULT),
        "LastModifiedDate": client.modified_at,
        "CreationDate": client.created_at,
    }


async def create_user_pool(turn: Turn) -> Output:
    """CreateUserPool."""
    rooms = turn.rooms
    pool_id = f"{rooms.place.region}_{rooms.ids.base32(9)}"
    pool = make_pool(rooms, turn.input, pool_id)
    rooms.directory.save_pool(pool)
    return {"UserPool": describe_pool(rooms, pool)}


async def describe_user_pool(turn: Turn) -> Output:
    """DescribeUserPool."""
    return {"UserPool": describe_pool(turn.rooms, turn.pool())}


async def update_user_pool(turn: Turn) -> Output:
    """UpdateUserPool: what is not given falls back to its default, as on AWS; the schema stays."""
    pool = turn.pool()
    given = {name: value for name, value in turn.input.items() if name != "UserPoolId"}
    change_pool(turn.rooms, pool, {**given, "Schema": pool.settings.get("Schema") or []})
    return {}


async def delete_user_pool(turn: Turn) -> Output:
    """DeleteUserPool."""
    pool = turn.pool()
    if pool.settings.get("DeletionProtection") == "ACTIVE":
        raise InvalidParameter(
            "The user pool cannot be deleted because deletion protection is activated. Deletion protection must be "
            "inactivated first."
        )
    turn.rooms.directory.remove_pool(pool)
    return {}


async def list_user_pools(turn: Turn) -> Output:
    """ListUserPools."""
    pools = [
        {"Id": pool.id, "Name": pool.name, "LambdaConfig": dict(pool.triggers), "LastModifiedDate": pool.modified_at,
         "CreationDate": pool.created_at}
        for pool in turn.rooms.directory.pools.values()
    ]  # fmt: skip
    return page(pools, turn.input, "UserPools", "NextToken", "MaxResults")


async def add_custom_attributes(turn: Turn) -> Output:
    """AddCustomAttributes."""
    pool = turn.pool()
    entries = [*(pool.settings.get("Schema") or ()), *turn.input["CustomAttributes"]]
    names = [str(entry.get("Name")) for entry in entries]
    for name in names:
        if names.count(name) > 1:
            raise InvalidParameter(f"custom:{name}: Existing attribute already has name custom:{name}.")
    check_schema(entries)
    pool.settings["Schema"] = entries
    turn.rooms.directory.save_pool(pool)
    return {}


async def create_user_pool_client(turn: Turn) -> Output:
    """CreateUserPoolClient."""
    rooms, pool = turn.rooms, turn.pool()
    settings = {name: value for name, value in turn.input.items() if name not in ("UserPoolId", "ClientName")}
    secret = new_secret(rooms) if settings.get("GenerateSecret") else None
    client = make_client(rooms, pool, {**settings, "ClientName": turn.input["ClientName"]}, rooms.ids.lower(26), secret)
    rooms.directory.save_client(client)
    return {"UserPoolClient": describe_client(client)}


async def describe_user_pool_client(turn: Turn) -> Output:
    """DescribeUserPoolClient."""
    return {"UserPoolClient": describe_client(turn.rooms.directory.client(turn.input["ClientId"], turn.pool().id))}


async def update_user_pool_client(turn: Turn) -> Output:
    """UpdateUserPoolClient."""
    client = turn.rooms.directory.client(turn.input["ClientId"], turn.pool().id)
    settings = {name: value for name, value in turn.input.items() if name not in ("UserPoolId", "ClientId")}
    _check_client(settings)
    client.settings, client.name = settings, str(settings.get("ClientName") or client.name)
    client.modified_at = turn.rooms.clock.now()
    turn.rooms.directory.save_client(client)
    return {"UserPoolClient": describe_client(client)}


async def delete_user_pool_client(turn: Turn) -> Output:
    """DeleteUserPoolClient."""
    turn.rooms.directory.remove_client(turn.rooms.directory.client(turn.input["ClientId"], turn.pool().id))
    return {}


async def list_user_pool_clients(turn: Turn) -> Output:
    """ListUserPoolClients."""
    clients = [
        {"ClientId": client.id, "UserPoolId": client.pool_id, "ClientName": client.name}
        for client in turn.rooms.directory.clients_of(turn.pool())
    ]
    return page(clients, turn.input, "UserPoolClients", "NextToken", "MaxResults")


OPERATIONS = {
    "CreateUserPool": Operation(create_user_pool),
    "DescribeUserPool": Operation(describe_user_pool),
    "UpdateUserPool": Operation(update_user_pool),
    "DeleteUserPool": Operation(delete_user_pool),
    "ListUserPools": Operation(list_user_pools),
    "AddCustomAttributes": Operation(add_custom_attributes),
    "CreateUserPoolClient": Operation(create_user_pool_client),
    "DescribeUserPoolClient": Operation(describe_user_pool_client),
    "UpdateUserPoolClient": Operation(update_user_pool_client),
    "DeleteUserPoolClient": Operation(delete_user_pool_client),
    "ListUserPoolClients": Operation(list_user_pool_clients),
}
