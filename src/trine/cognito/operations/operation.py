"""What an operation of the user pools API is, and what it works with.

Enters checked input by the model's member names, leaves output the same way. Signed operations are administrators' and
need IAM's permission on the pool; the others are people's, who prove themselves by password, code or token.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from trine.aws.arn import Place
from trine.aws.ids import Ids
from trine.aws.pages import page as cut
from trine.clock import Clock
from trine.cognito import limits
from trine.cognito.attributes import written
from trine.cognito.challenges import Challenges
from trine.cognito.codes import Codes
from trine.cognito.directory import Directory
from trine.cognito.errors import InvalidParameter, UserNotFound
from trine.cognito.model import Pool, User
from trine.cognito.passwords import check_policy, keep
from trine.cognito.tokens import TokenMint
from trine.cognito.triggers import Triggers
from trine.cognito.vault import Vault
from trine.trace import Trace

Input = Mapping[str, Any]
Output = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rooms:
    """What all operations share."""

    directory: Directory
    vault: Vault
    mint: TokenMint
    codes: Codes
    triggers: Triggers
    challenges: Challenges
    clock: Clock
    ids: Ids
    place: Place

    async def set_password(self, pool: Pool, user: User, password: str, *, temporary: bool) -> None:
        """Give a user a password. InvalidPassword when it does not fit the pool's policy. The caller saves the user."""
        check_policy(password, pool.password_policy)
        kept = await keep(password, pool.short_name, user.username, self.ids)
        user.password, user.srp_salt = kept.digest, kept.srp_salt
        size = (kept.verifier.bit_length() + 7) // 8
        user.verifier = self.vault.seal(f"{pool.id}/{user.sub}", kept.verifier.to_bytes(size, "big"))
        user.wrong_passwords, user.locked_until = 0, 0.0
        days = pool.temporary_password_days
        user.temporary_until = self.clock.now() + days * 86_400 if temporary else None

    def verifier_of(self, user: User) -> int:
        """The SRP verifier of a user who has a password."""
        return int.from_bytes(self.vault.unseal(f"{user.pool_id}/{user.sub}", user.verifier), "big")


class Turn(NamedTuple):
    """One call under way."""

    rooms: Rooms
    input: Input
    trace: Trace

    def pool(self) -> Pool:
        """The pool that `UserPoolId` names. ResourceNotFound."""
        return self.rooms.directory.pool(self.input["UserPoolId"])

    def user(self, pool: Pool) -> User:
        """The user that `Username` means, by name, sub or address. UserNotFound."""
        found = self.rooms.directory.find_user(pool, self.input["Username"])
        if found is None:
            raise UserNotFound
        return found

    def session(self) -> str:
        """The `Session` that the call brings. InvalidParameter without one."""
        given = self.input.get("Session")
        if not given:
            raise InvalidParameter("Missing required parameter Session")
        return str(given)

    def save(self, user: User) -> None:
        """Keep a changed user. UserNotFound for one who was removed meanwhile."""
        user.modified_at = self.rooms.clock.now()
        self.rooms.directory.save_user(user)


@dataclass(frozen=True, slots=True)
class Operation:
    """`run` answers. A signed operation is authorized on the pool it names, or on `*` when it names none; who hands a
    role over (`RoleArn`) needs `iam:PassRole` on it too."""

    run: Callable[[Turn], Awaitable[Output]]
    signed: bool = True
    passes_role: bool = False


def page(items: Sequence[Any], wanted: Input, member: str, token: str, size: str) -> dict[str, Any]:
    """A page of `items` under `member`; `token` and `size` are the input's members for where and how many."""
    count = int(wanted.get(size, limits.PAGE_MAX))
    if not 0 <= count <= limits.PAGE_MAX:
        raise InvalidParameter(f"{size} must be between 0 and {limits.PAGE_MAX}")
    count = count or limits.PAGE_MAX
    try:
        found, following = cut(items, wanted.get(token), count)
    except ValueError:
        raise InvalidParameter("Invalid pagination token.") from None
    return {member: found} if following is None else {member: found, token: following}


def describe_user(user: User, attributes: Mapping[str, str] | None = None, *, member: str = "Attributes") -> Output:
    """A user as the API shows one; lists call the attributes `Attributes`, AdminGetUser `UserAttributes`."""
    return {
        "Username": user.username,
        member: written(user.attributes if attributes is None else attributes),
        "UserCreateDate": user.created_at,
        "UserLastModifiedDate": user.modified_at,
        "Enabled": user.enabled,
        "UserStatus": user.status,
        **(user.factors if member == "UserAttributes" else {}),
    }
