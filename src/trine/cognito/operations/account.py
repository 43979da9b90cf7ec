"""What people do about themselves, with an access token in their hand: look, change, sign out, leave."""

from __future__ import annotations

from collections.abc import Mapping

from trine.cognito import attributes as user_attributes
from trine.cognito import client_proof, limits
from trine.cognito.codes import MEDIUM
from trine.cognito.errors import InvalidParameter, NotAuthorized
from trine.cognito.lockout import count_wrong
from trine.cognito.model import Client, Pool, User
from trine.cognito.operations import addresses
from trine.cognito.operations.operation import Operation, Output, Rooms, Turn
from trine.cognito.passwords import check_policy, is_right


async def get_user(turn: Turn) -> Output:
    """GetUser."""
    _, client, user, _ = await turn.rooms.mint.owner_of(turn.input["AccessToken"])
    return {
        "Username": user.username,
        "UserAttributes": user_attributes.written(user_attributes.readable(user.attributes, client)),
        **user.factors,
    }


def change_attributes(rooms: Rooms, pool: Pool, user: User, changed: dict[str, str], *, admin: bool,
                      client: Client | None = None) -> list[dict[str, str]]:  # fmt: skip
    """Set attributes; an address that changes is unverified until its code comes back. Where codes went."""
    user_attributes.check(pool, changed, admin=admin, client=client)
    user_attributes.check_mutable(pool, changed, user.attributes)
    addresses.check_free(rooms, pool, user, {**_declared_verified(user, changed), **changed})
    deliveries = []
    for name, value in changed.items():
        moved = name in MEDIUM and user.attributes.get(name) != value
        user.attributes[name] = value
        if moved and f"{name}_verified" not in changed:
            user.attributes[f"{name}_verified"] = "false"
            if name in pool.auto_verified and value:
                delivery = rooms.codes.send(pool, user, f"verify:{name}", name, limits.VERIFICATION_CODE_SECONDS)
                deliveries.append(delivery.document())
    return deliveries


def _declared_verified(user: User, changed: Mapping[str, str]) -> dict[str, str]:
    """The addresses that a change declares to be verified without setting them."""
    return {name: user.attributes[name] for name in MEDIUM if f"{name}_verified" in changed and name in user.attributes}


async def update_attributes(turn: Turn) -> Output:
    """UpdateUserAttributes."""
    pool, client, user, _ = await turn.rooms.mint.owner_of(turn.input["AccessToken"])
    changed = user_attributes.read(turn.input["UserAttributes"])
    deliveries = change_attributes(turn.rooms, pool, user, changed, admin=False, client=client)
    turn.save(user)
    return {"CodeDeliveryDetailsList": deliveries}


def drop_attributes(pool: Pool, user: User, names: list[str], *, admin: bool, client: Client | None = None) -> None:
    """Forget attributes. InvalidParameter for those that must stay, NotAuthorized for what a client may not write."""
    user_attributes.check_deletable(pool, names, user.attributes, admin=admin, client=client)
    for name in names:
        user.attributes.pop(name, None)
        user.attributes.pop(f"{name}_verified", None)


async def delete_attributes(turn: Turn) -> Output:
    """DeleteUserAttributes."""
    pool, client, user, _ = await turn.rooms.mint.owner_of(turn.input["AccessToken"])
    drop_attributes(pool, user, turn.input["UserAttributeNames"], admin=False, client=client)
    turn.save(user)
    return {}


async def send_verification_code(turn: Turn) -> Output:
    """GetUserAttributeVerificationCode."""
    pool, _, user, _ = await turn.rooms.mint.owner_of(turn.input["AccessToken"])
    name = turn.input["AttributeName"]
    if name not in MEDIUM or not user.attributes.get(name):
        raise InvalidParameter("Can't send verification code: the user has no such address")
    delivery = turn.rooms.codes.send(pool, user, f"verify:{name}", name, limits.VERIFICATION_CODE_SECONDS)
    turn.save(user)
    return {"CodeDeliveryDetails": delivery.document()}


async def verify_attribute(turn: Turn) -> Output:
    """VerifyUserAttribute."""
    pool, _, user, _ = await turn.rooms.mint.owner_of(turn.input["AccessToken"])
    name = turn.input["AttributeName"]
    try:
        turn.rooms.codes.check(pool, user, f"verify:{name}", turn.input["Code"])
        addresses.claim(turn.rooms, pool, user, name)
    finally:
        turn.save(user)
    return {}


async def change_password(turn: Turn) -> Output:
    """ChangePassword."""
    rooms = turn.rooms
    pool, _, user, _ = await rooms.mint.owner_of(turn.input["AccessToken"])
    check_policy(turn.input["ProposedPassword"], pool.password_policy)
    right = await is_right(turn.input.get("PreviousPassword", ""), user.password)
    if user.locked_until > rooms.clock.now():
        raise NotAuthorized("Password attempts exceeded")
    if not right:
        count_wrong(user, rooms.clock.now())
        turn.save(user)
        raise NotAuthorized("Incorrect username or password.")
    await rooms.set_password(pool, user, turn.input["ProposedPassword"], temporary=False)
    turn.save(user)
    return {}


async def delete_user(turn: Turn) -> Output:
    """DeleteUser."""
    _, _, user, _ = await turn.rooms.mint.owner_of(turn.input["AccessToken"])
    turn.rooms.directory.remove_user(user)
    return {}


async def global_sign_out(turn: Turn) -> Output:
    """GlobalSignOut: every token of the user is revoked."""
    _, _, user, _ = await turn.rooms.mint.owner_of(turn.input["AccessToken"])
    turn.rooms.directory.sign_out(user)
    return {}


async def revoke_token(turn: Turn) -> Output:
    """RevokeToken: a refresh token and the access tokens that came of it. An unknown one is no error (RFC 7009)."""
    client = turn.rooms.directory.client(turn.input["ClientId"])
    client_proof.check_secret(client, turn.input.get("ClientSecret", ""), "Invalid client secret")
    session = turn.rooms.directory.sessions.get(turn.rooms.mint.digest(turn.input["Token"]))
    if session is not None and session.client_id == client.id:
        turn.rooms.directory.remove_session(session)
    return {}


OPERATIONS = {
    "GetUser": Operation(get_user, signed=False),
    "UpdateUserAttributes": Operation(update_attributes, signed=False),
    "DeleteUserAttributes": Operation(delete_attributes, signed=False),
    "GetUserAttributeVerificationCode": Operation(send_verification_code, signed=False),
    "VerifyUserAttribute": Operation(verify_attribute, signed=False),
    "ChangePassword": Operation(change_password, signed=False),
    "DeleteUser": Operation(delete_user, signed=False),
    "GlobalSignOut": Operation(global_sign_out, signed=False),
    "RevokeToken": Operation(revoke_token, signed=False),
}
