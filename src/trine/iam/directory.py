"""The account's identities: roles, users, groups and managed policies, in memory and in the catalogue.

Enters and leaves plain entities; every change is written through and raises `version`, by which compiled policies know
that they are stale. AWS managed policies come from data files and are read when first named.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from trine.aws.arn import Place
from trine.aws.catalogue import Catalogue
from trine.aws.ids import Ids
from trine.clock import Clock
from trine.iam.errors import EntityAlreadyExists, NoSuchEntity

Kind = Literal["role", "user", "group"]
_PREFIXES: dict[str, str] = {"role": "AROA", "user": "AIDA", "group": "AGPA", "policy": "ANPA"}

_MANAGED = Path(__file__).with_name("managed")


@dataclass(slots=True)
class Identity:
    """A role, a user or a group: whatever policies hang on."""

    kind: Kind
    name: str
    path: str
    arn: str
    unique_id: str
    created_at: float
    inline: dict[str, str] = field(default_factory=dict)
    """Policy name → document as JSON text."""
    attached: list[str] = field(default_factory=list)
    """ARNs of managed policies."""
    boundary: str | None = None
    """ARN of the permissions boundary."""
    tags: dict[str, str] = field(default_factory=dict)
    trust: str = ""
    """A role's AssumeRolePolicyDocument, as JSON text."""
    description: str = ""
    max_session_seconds: int = 3600
    groups: list[str] = field(default_factory=list)
    """Names of the groups a user belongs to."""
    last_used_at: float | None = None


@dataclass(slots=True)
class ManagedPolicy:
    """A managed policy with its versions."""

    name: str
    path: str
    arn: str
    unique_id: str
    created_at: float
    updated_at: float
    versions: dict[str, tuple[str, float]]
    """Version id (`v1`) → document text and date of creation."""
    default_version: str = "v1"
    description: str = ""
    next_version: int = 2
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def document(self) -> str:
        """The default version's document."""
        return self.versions[self.default_version][0]


class Directory:
    """All identities and policies of the account."""

    def __init__(
        self, clock: Clock, ids: Ids, place: Place, catalogue: Catalogue | None, changed: Callable[[], None]
    ) -> None:
        self.clock, self.ids, self.place = clock, ids, place
        self._catalogue = catalogue
        self._changed = changed
        self._writes: set[asyncio.Future[None]] = set()
        self.identities: dict[Kind, dict[str, Identity]] = {"role": {}, "user": {}, "group": {}}
        self.policies: dict[str, ManagedPolicy] = {}
        self._aws: dict[str, ManagedPolicy | None] = {}
        self.version = 0
        if catalogue is not None:
            self._load(catalogue)

    def _load(self, catalogue: Catalogue) -> None:
        for kind, known in self.identities.items():
            for name, document in catalogue.list(f"iam:{kind}"):
                known[name.lower()] = Identity(**document)
        for _, document in catalogue.list("iam:policy"):
            versions = {version: (text, at) for version, (text, at) in document["versions"].items()}
            policy = ManagedPolicy(**{**document, "versions": versions})
            self.policies[policy.arn] = policy

    def remember(self, kind: str, name: str, document: dict[str, Any] | None) -> None:
        """Write one document through to the catalogue (None deletes); `settled` waits for it."""
        if self._catalogue is None:
            return
        kind = f"iam:{kind}"
        write = self._catalogue.delete(kind, name) if document is None else self._catalogue.put(kind, name, document)
        self._writes.add(write)
        write.add_done_callback(self._writes.discard)

    @property
    def pending(self) -> bool:
        """Are there writes that are not yet durable?"""
        return bool(self._writes)

    async def settled(self) -> None:
        """Wait until every change so far is durable; raises what the store raised."""
        await asyncio.gather(*self._writes)

    def find(self, kind: Kind, name: str) -> Identity | None:
        """The identity of that name (names are not case-sensitive), or None."""
        return self.identities[kind].get(name.lower())

    def get(self, kind: Kind, name: str) -> Identity:
        """The identity of that name. NoSuchEntity when there is none."""
        found = self.find(kind, name)
        if found is None:
            raise NoSuchEntity(f"The {kind} with name {name} cannot be found.")
        return found

    def role_by_arn(self, arn: str) -> Identity | None:
        """The role of that ARN, path included, or None."""
        found = self.find("role", arn.rpartition("/")[2])
        return found if found is not None and found.arn == arn else None

    def new(self, kind: Kind, name: str, path: str = "/") -> Identity:
        """Make an identity and keep it. EntityAlreadyExists when the name is taken."""
        if self.find(kind, name) is not None:
            raise EntityAlreadyExists(f"{kind.capitalize()} with name {name} already exists.")
        made = Identity(
            kind, name, path, self.place.arn("iam", f"{kind}{path}{name}", regional=False),
            _PREFIXES[kind] + self.ids.base32(17), self.clock.now(),
        )  # fmt: skip
        self.identities[kind][name.lower()] = made
        return made

    def save(self, identity: Identity) -> None:
        """Keep a changed identity."""
        self.identities[identity.kind][identity.name.lower()] = identity
        self.remember(identity.kind, identity.name, asdict(identity))
        self.touch()

    def rename(self, identity: Identity, name: str, path: str) -> None:
        """Give an identity another name and path; its unique id stays."""
        self.identities[identity.kind].pop(identity.name.lower(), None)
        self.remember(identity.kind, identity.name, None)
        identity.name, identity.path = name, path
        identity.arn = self.place.arn("iam", f"{identity.kind}{path}{name}", regional=False)
        self.save(identity)

    def remove(self, identity: Identity) -> None:
        """Forget an identity."""
        self.identities[identity.kind].pop(identity.name.lower(), None)
        self.remember(identity.kind, identity.name, None)
        self.touch()

    def touch(self) -> None:
        """Something changed: whatever was compiled before is stale."""
        self.version += 1
        self._changed()

    def knows_policy(self, arn: str) -> bool:
        """Is there such a managed policy, the account's or one of AWS's that Trine ships?"""
        return arn in self.policies or self._aws_managed(arn) is not None

    def policy(self, arn: str) -> ManagedPolicy:
        """A managed policy, the account's or AWS's. NoSuchEntity when it is neither."""
        found = self.policies.get(arn) or self._aws_managed(arn)
        if found is None:
            raise NoSuchEntity(f"Policy {arn} does not exist or is not attachable.")
        return found

    def new_policy(
        self, name: str, path: str, document: str, description: str = "", tags: dict[str, str] | None = None
    ) -> ManagedPolicy:
        """Make a managed policy of the account. EntityAlreadyExists when the name is taken."""
        now = self.clock.now()
        arn = self.place.arn("iam", f"policy{path}{name}", regional=False)
        if any(policy.name.lower() == name.lower() for policy in self.policies.values()):
            raise EntityAlreadyExists(f"A policy called {name} already exists. Duplicate names are not allowed.")
        policy = ManagedPolicy(
            name, path, arn, _PREFIXES["policy"] + self.ids.base32(17), now, now, {"v1": (document, now)},
            description=description, tags=tags or {},
        )  # fmt: skip
        self.save_policy(policy)
        return policy

    def save_policy(self, policy: ManagedPolicy) -> None:
        """Keep a changed managed policy."""
        self.policies[policy.arn] = policy
        self.remember("policy", policy.arn, asdict(policy))
        self.touch()

    def remove_policy(self, policy: ManagedPolicy) -> None:
        """Forget a managed policy."""
        self.policies.pop(policy.arn, None)
        self.remember("policy", policy.arn, None)
        self.touch()

    def attached_to(self, arn: str) -> list[Identity]:
        """Every identity that a managed policy is attached to."""
        return [one for known in self.identities.values() for one in known.values() if arn in one.attached]

    def _aws_managed(self, arn: str) -> ManagedPolicy | None:
        if arn not in self._aws:
            if not arn.startswith("arn:aws:iam::aws:policy/") or not (found := aws_managed_document(arn)):
                return None
            path, _, name = arn.removeprefix("arn:aws:iam::aws:policy").rpartition("/")
            self._aws[arn] = ManagedPolicy(
                name, f"{path}/", arn, "ANPA" + "".join(ch for ch in name.upper() if ch.isalpha())[:17].ljust(17, "A"),
                0.0, 0.0, {found["VersionId"]: (json.dumps(found["Document"]), 0.0)},
                default_version=found["VersionId"], description=found["Description"],
            )  # fmt: skip
        return self._aws[arn]


def aws_managed_document(arn: str) -> dict[str, Any] | None:
    """The data file of an AWS managed policy, or None when Trine does not ship it."""
    name = arn.rpartition("/")[2]
    if not name.replace("-", "").replace("_", "").isalnum():
        return None
    source = _MANAGED / f"{name}.json"
    if not source.is_file():
        return None
    found: dict[str, Any] = json.loads(source.read_text())
    return found if found["Arn"] == arn else None


def aws_managed_arns() -> list[str]:
    """ARNs of every AWS managed policy shipped as data, by name."""
    folder = _MANAGED
    return sorted(json.loads(entry.read_text())["Arn"] for entry in folder.iterdir() if entry.name.endswith(".json"))
