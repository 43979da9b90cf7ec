"""Long-term access keys of users, kept in the catalogue, and the owner's own.

Enters a user's name, leaves `AccessKey` values; the credential store learns of every change at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from trine.aws.catalogue import Catalogue
from trine.iam import limits
from trine.iam.credentials import CredentialStore
from trine.iam.directory import Directory, Identity
from trine.iam.errors import LimitExceeded, NoSuchEntity
from trine.iam.principal import AccessKey, Principal

OWNER = "owner"
ADMINISTRATOR_ARN = "arn:aws:iam::aws:policy/AdministratorAccess"


def user_principal(user: Identity, account_id: str) -> Principal:
    """A user as principal."""
    return Principal(user.arn, account_id, "user", user_id=user.unique_id, name=user.name)


class KeyRing:
    """Every long-term key of the account."""

    def __init__(
        self,
        directory: Directory,
        credentials: CredentialStore,
        catalogue: Catalogue | None,
        changed: Callable[[], None],
    ) -> None:
        self._directory = directory
        self._credentials = credentials
        self._changed = changed
        self._keys: dict[str, tuple[str, AccessKey]] = {}
        for key_id, document in catalogue.list("iam:access-key") if catalogue is not None else ():
            user = directory.find("user", document["user"])
            if user is not None:
                key = AccessKey(
                    key_id, document["secret"], user_principal(user, directory.place.account_id), document["active"],
                    document["createdAt"],
                )  # fmt: skip
                self._keys[key_id] = (user.name, key)
                credentials.add_key(key)

    def owner(self) -> AccessKey:
        """The owner's first active key; user and key are made when there are none."""
        user = self._directory.find("user", OWNER)
        if user is None:
            user = self._directory.new("user", OWNER)
            user.attached.append(ADMINISTRATOR_ARN)
            self._directory.save(user)
        held = self.of(OWNER)
        for key in held:
            if key.active:
                return key
        if len(held) >= limits.ACCESS_KEYS_PER_USER_MAX:
            self.delete(OWNER, held[0].access_key_id)
        return self.make(OWNER)

    def of(self, user_name: str) -> list[AccessKey]:
        """The keys of a user, oldest first."""
        wanted = user_name.lower()
        return sorted(
            (key for name, key in self._keys.values() if name.lower() == wanted), key=lambda key: key.created_at
        )

    def holder(self, access_key_id: str) -> tuple[str, AccessKey]:
        """The user's name and the key of that id. NoSuchEntity when it is unknown."""
        found = self._keys.get(access_key_id)
        if found is None:
            raise NoSuchEntity(f"The Access Key with id {access_key_id} cannot be found.")
        return found

    def make(self, user_name: str) -> AccessKey:
        """A new key for a user. NoSuchEntity, LimitExceeded (two keys a user)."""
        user = self._directory.get("user", user_name)
        if len(self.of(user.name)) >= limits.ACCESS_KEYS_PER_USER_MAX:
            raise LimitExceeded(f"Cannot exceed quota for AccessKeysPerUser: {limits.ACCESS_KEYS_PER_USER_MAX}")
        key = AccessKey(
            self._credentials.new_key_id(),
            self._credentials.new_secret(),
            user_principal(user, self._directory.place.account_id),
            True,
            self._directory.clock.now(),
        )
        self._keep(user.name, key)
        return key

    def set_active(self, user_name: str, access_key_id: str, active: bool) -> None:
        """Make a key count or not."""
        name, key = self.holder(access_key_id)
        if name.lower() != user_name.lower():
            raise NoSuchEntity(f"The Access Key with id {access_key_id} cannot be found.")
        self._keep(name, replace(key, active=active))
        self._changed()

    def rename(self, old_name: str, user: Identity) -> None:
        """The user of these keys has another name now."""
        for name, key in list(self._keys.values()):
            if name.lower() == old_name.lower():
                self._keep(user.name, replace(key, principal=user_principal(user, self._directory.place.account_id)))
        self._changed()

    def delete(self, user_name: str, access_key_id: str) -> None:
        """Forget a key; requests signed with it are refused from now on."""
        name, _ = self.holder(access_key_id)
        if name.lower() != user_name.lower():
            raise NoSuchEntity(f"The Access Key with id {access_key_id} cannot be found.")
        del self._keys[access_key_id]
        self._credentials.remove_key(access_key_id)
        self._directory.remember("access-key", access_key_id, None)
        self._changed()

    def _keep(self, user_name: str, key: AccessKey) -> None:
        self._keys[key.access_key_id] = (user_name, key)
        self._credentials.add_key(key)
        document: dict[str, Any] = {
            "user": user_name, "secret": key.secret_access_key, "active": key.active, "createdAt": key.created_at
        }  # fmt: skip
        self._directory.remember("access-key", key.access_key_id, document)
