"""Every pool with its clients, groups, users and sessions: in memory to read, written through to the catalogue.

Enters and leaves the values of `model`; a change is acknowledged to clients after `settled`. Lookups refuse with
Cognito's own errors.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any, Protocol

from trine.aws.catalogue import Catalogue
from trine.cognito import limits
from trine.cognito.errors import LimitExceeded, ResourceNotFound, UsernameExists, UserNotFound
from trine.cognito.model import Client, Code, Group, Pool, Session, User

_ADDRESSES = ("sub", "email", "phone_number", "preferred_username")
_KINDS = ("pool", "client", "group", "user", "session")


class _Record(Protocol):
    pool_id: str


class Directory:
    """All user pools of the account."""

    def __init__(self, catalogue: Catalogue | None) -> None:
        self._catalogue = catalogue
        self._writes: set[asyncio.Future[None]] = set()
        self.pools: dict[str, Pool] = {}
        self.clients: dict[str, Client] = {}
        self.groups: dict[tuple[str, str], Group] = {}
        self.sessions: dict[str, Session] = {}
        self._users: dict[str, dict[str, User]] = {}
        self._logins: dict[str, dict[str, set[str]]] = {}
        """Pool → address as it is looked up → names of the users that have it."""
        self._logins_of: dict[tuple[str, str], tuple[str, ...]] = {}
        self._sessions_of: dict[tuple[str, str], dict[str, Session]] = {}
        if catalogue is not None:
            self._load(catalogue)

    def _load(self, catalogue: Catalogue) -> None:
        loaded = {kind: [document for _, document in catalogue.list(f"cognito:{kind}")] for kind in _KINDS}
        self.pools = {document["id"]: Pool(**document) for document in loaded["pool"]}
        self.clients = {document["id"]: Client(**document) for document in loaded["client"]}
        self.groups = {(document["pool_id"], document["name"]): Group(**document) for document in loaded["group"]}
        for document in loaded["user"]:
            codes = {purpose: Code(**code) for purpose, code in document["codes"].items()}
            self._index(User(**{**document, "codes": codes}))
        for document in loaded["session"]:
            self._index_session(Session(**document))

    # -- writing through -----------------------------------------------------------------------------------------

    def _write(self, kind: str, name: str, document: dict[str, Any] | None) -> None:
        if self._catalogue is None:
            return
        kind = f"cognito:{kind}"
        write = self._catalogue.delete(kind, name) if document is None else self._catalogue.put(kind, name, document)
        self._writes.add(write)
        write.add_done_callback(self._writes.discard)

    async def settled(self) -> None:
        """Wait until every change so far is durable; raises what the store raised."""
        await asyncio.gather(*self._writes)

    # -- pools, clients, groups ----------------------------------------------------------------------------------

    def pool(self, pool_id: str) -> Pool:
        """ResourceNotFound when there is none."""
        found = self.pools.get(pool_id)
        if found is None:
            raise ResourceNotFound(f"User pool {pool_id} does not exist.")
        return found

    def client(self, client_id: str, pool_id: str | None = None) -> Client:
        """The client, of that pool where one is named. ResourceNotFound."""
        found = self.clients.get(client_id)
        if found is None or (pool_id is not None and found.pool_id != pool_id):
            raise ResourceNotFound(f"User pool client {client_id} does not exist.")
        return found

    def clients_of(self, pool: Pool) -> list[Client]:
        """The pool's clients."""
        return [client for client in self.clients.values() if client.pool_id == pool.id]

    def group(self, pool: Pool, name: str) -> Group:
        """ResourceNotFound when there is none."""
        found = self.groups.get((pool.id, name))
        if found is None:
            raise ResourceNotFound("Group not found.")
        return found

    def groups_of(self, pool: Pool) -> list[Group]:
        """The pool's groups."""
        return [group for (pool_id, _), group in self.groups.items() if pool_id == pool.id]

    def save_pool(self, pool: Pool) -> None:
        """Keep a new or changed pool. LimitExceeded."""
        if pool.id not in self.pools and len(self.pools) >= limits.POOLS_MAX:
            raise LimitExceeded(f"Maximum number of user pools is {limits.POOLS_MAX}")
        self.pools[pool.id] = pool
        self._write("pool", pool.id, asdict(pool))

    def save_client(self, client: Client) -> None:
        """Keep a new or changed client. LimitExceeded."""
        if client.id not in self.clients:
            _check_count(self.clients.values(), client.pool_id, limits.CLIENTS_PER_POOL_MAX, "clients")
        self.clients[client.id] = client
        self._write("client", client.id, asdict(client))

    def save_group(self, group: Group) -> None:
        """Keep a new or changed group. LimitExceeded."""
        if (group.pool_id, group.name) not in self.groups:
            _check_count(self.groups.values(), group.pool_id, limits.GROUPS_PER_POOL_MAX, "groups")
        self.groups[group.pool_id, group.name] = group
        self._write("group", f"{group.pool_id}/{group.name}", asdict(group))

    def remove_client(self, client: Client) -> None:
        """Forget a client, and with it its sessions."""
        del self.clients[client.id]
        self._write("client", client.id, None)
        for session in [one for one in self.sessions.values() if one.client_id == client.id]:
            self.remove_session(session)

    def remove_group(self, group: Group) -> None:
        """Forget a group; its users leave it."""
        del self.groups[group.pool_id, group.name]
        self._write("group", f"{group.pool_id}/{group.name}", None)
        for user in self._users.get(group.pool_id, {}).values():
            if group.name in user.groups:
                user.groups.remove(group.name)
                self.save_user(user)

    def remove_pool(self, pool: Pool) -> None:
        """Forget a pool and everything in it."""
        for client in self.clients_of(pool):
            self.remove_client(client)
        for user in list(self._users.get(pool.id, {}).values()):
            self.remove_user(user)
        for group in self.groups_of(pool):
            self.remove_group(group)
        del self.pools[pool.id]
        self._write("pool", pool.id, None)

    # -- users ---------------------------------------------------------------------------------------------------

    def users(self, pool: Pool) -> Iterator[User]:
        """The pool's users, in the order in which they were made."""
        yield from self._users.get(pool.id, {}).values()

    def count_users(self, pool: Pool) -> int:
        """How many users a pool has."""
        return len(self._users.get(pool.id, ()))

    def find_user(self, pool: Pool, login: str) -> User | None:
        """The user of that name, or with that address where addresses sign in, or of that `sub`."""
        users = self._users.get(pool.id, {})
        login = pool.folded(login)
        found = users.get(login)
        if found is not None:
            return found
        for name in sorted(self._logins.get(pool.id, {}).get(login, ())):
            user = users[name]
            if user.sub == login or self.signs_in_by(pool, user, login) is not None:
                return user
        return None

    @staticmethod
    def signs_in_by(pool: Pool, user: User, login: str) -> str | None:
        """The attribute by which `login` means this user: any address that is the name, a verified alias."""
        for attribute in (*pool.username_attributes, *pool.aliases):
            value = user.attributes.get(attribute)
            if value is None or pool.folded(value) != login:
                continue
            if attribute in pool.username_attributes or attribute == "preferred_username":
                return attribute
            if user.attributes.get(f"{attribute}_verified") == "true":
                return attribute
        return None

    def add_user(self, user: User) -> None:
        """Keep a new user. UsernameExists, LimitExceeded."""
        users = self._users.get(user.pool_id, {})
        if self._key(user) in users:  # made by another call, while this one asked a trigger or hashed a password
            raise UsernameExists
        if len(users) >= limits.USERS_PER_POOL_MAX:
            raise LimitExceeded(f"A pool holds at most {limits.USERS_PER_POOL_MAX} users here")
        self._keep(user)

    def save_user(self, user: User) -> None:
        """Keep a changed user. UserNotFound for one who was removed meanwhile: nothing brings people back."""
        if not self.is_here(user):
            raise UserNotFound
        self._keep(user)

    def is_here(self, user: User) -> bool:
        """Whether this very user is in the pool: not removed, nor removed and made anew under the same name."""
        pool = self.pools.get(user.pool_id)
        return pool is not None and self._users.get(pool.id, {}).get(self._key(user)) is user

    def still_here(self, user: User | None) -> User | None:
        """`user`, unless there is none or it was removed meanwhile."""
        return user if user is not None and self.is_here(user) else None

    def _keep(self, user: User) -> None:
        self._index(user)
        self._write("user", f"{user.pool_id}/{user.username}", asdict(user))

    def remove_user(self, user: User) -> None:
        """Forget a user and the sessions."""
        self.sign_out(user)
        self._users[user.pool_id].pop(self._key(user), None)
        self._unindex(user)
        self._write("user", f"{user.pool_id}/{user.username}", None)

    def _key(self, user: User) -> str:
        return self.pools[user.pool_id].folded(user.username)

    def _index(self, user: User) -> None:
        self._unindex(user)
        pool, key = self.pools[user.pool_id], self._key(user)
        self._users.setdefault(pool.id, {})[key] = user
        known = self._logins.setdefault(pool.id, {})
        values = (user.attributes.get(attribute) for attribute in _ADDRESSES)
        mine = self._logins_of[pool.id, key] = tuple(pool.folded(value) for value in values if value)
        for login in mine:
            known.setdefault(login, set()).add(key)

    def _unindex(self, user: User) -> None:
        key, known = self._key(user), self._logins.get(user.pool_id, {})
        for login in self._logins_of.pop((user.pool_id, key), ()):
            names = known.get(login, set())
            names.discard(key)
            if not names:
                known.pop(login, None)

    # -- sessions ------------------------------------------------------------------------------------------------

    def save_session(self, session: Session, now: float) -> None:
        """Keep a session; those of the same user that have ended, and the oldest beyond the bound, go."""
        mine = self._sessions_of.get((session.pool_id, session.username), {})
        ended = [one for one in mine.values() if one.expires_at <= now]
        surplus = list(mine.values())[: max(0, len(mine) - limits.SESSIONS_PER_USER_MAX + 1)]
        for one in {one.digest: one for one in (*ended, *surplus)}.values():
            self.remove_session(one)
        self._index_session(session)
        self._write("session", session.digest, asdict(session))

    def _index_session(self, session: Session) -> None:
        self.sessions[session.digest] = session
        self._sessions_of.setdefault((session.pool_id, session.username), {})[session.digest] = session

    def session_of_token(self, user: User, origin_jti: str) -> Session | None:
        """The session that a token of `user` came from, unless it was revoked."""
        mine = self._sessions_of.get((user.pool_id, user.username), {})
        return next((one for one in mine.values() if one.origin_jti == origin_jti), None)

    def remove_session(self, session: Session) -> None:
        """Revoke a refresh token and all that came of it."""
        self.sessions.pop(session.digest, None)
        mine = self._sessions_of.get((session.pool_id, session.username), {})
        mine.pop(session.digest, None)
        if not mine:
            self._sessions_of.pop((session.pool_id, session.username), None)
        self._write("session", session.digest, None)

    def sign_out(self, user: User) -> None:
        """Revoke every session of a user."""
        for session in list(self._sessions_of.get((user.pool_id, user.username), {}).values()):
            self.remove_session(session)


def _check_count(records: Iterable[_Record], pool_id: str, most: int, what: str) -> None:
    if sum(record.pool_id == pool_id for record in records) >= most:
        raise LimitExceeded(f"Maximum number of {what} in a user pool is {most}")
