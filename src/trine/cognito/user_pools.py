"""The user pools of a stack, as the stack's builder holds them: nothing is read or imported before a pool is needed.

Enters what the other wings lend (invoker, catalogue, clock, ids); leaves the rooms, and the endpoint over them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trine.aws.arn import Place
from trine.aws.catalogue import Catalogue
from trine.aws.ids import Ids
from trine.aws.invoke import Invoker
from trine.clock import Clock
from trine.iam.access import Access
from trine.trace import TraceBook

if TYPE_CHECKING:
    from collections.abc import Callable

    from trine.cognito.endpoint import CognitoEndpoint
    from trine.cognito.operations.operation import Rooms

KEY_FILE = "cognito.key"


class UserPools:
    """Opens the wing when it is first used."""

    def __init__(
        self,
        clock: Clock,
        ids: Ids,
        access: Access,
        place: Place,
        traces: TraceBook,
        catalogue: Catalogue,
        invoker: Invoker,
        state_directory: Path | None,
        base_url: str,
        deliver: Callable[[str, str], None],
    ) -> None:
        """`state_directory` None keeps the sealing key in memory. `deliver` takes a pool's id and a message."""
        self._clock, self._ids, self._access, self._place, self._traces = clock, ids, access, place, traces
        self._catalogue, self._invoker, self._deliver = catalogue, invoker, deliver
        self._key_file = None if state_directory is None else state_directory / KEY_FILE
        self._base_url = base_url
        self._opened: Rooms | None = None

    @property
    def issuer_prefix(self) -> str:
        """What the issuers of all pools of this region begin with; their documents lie below `base_url`."""
        return f"https://cognito-idp.{self._place.region}.amazonaws.com/"

    def rooms(self) -> Rooms:
        """The rooms, opened. VaultFault when the sealing key is damaged."""
        if self._opened is None:
            from trine.cognito.challenges import Challenges
            from trine.cognito.codes import Codes
            from trine.cognito.directory import Directory
            from trine.cognito.operations.operation import Rooms
            from trine.cognito.tokens import TokenMint
            from trine.cognito.triggers import Triggers
            from trine.cognito.vault import Vault

            directory = Directory(self._catalogue)
            vault = Vault.open(self._key_file, self._ids.random_bytes)
            self._opened = Rooms(
                directory,
                vault,
                TokenMint(directory, vault, self._clock, self._ids),
                Codes(self._ids, self._clock, self._deliver),
                Triggers(self._invoker, self._place, self._clock),
                Challenges(self._clock),
                self._clock,
                self._ids,
                self._place,
            )
        return self._opened

    def endpoint(self) -> CognitoEndpoint:
        """The door."""
        from trine.cognito.endpoint import CognitoEndpoint

        return CognitoEndpoint(self.rooms(), self._access, self._traces, self._base_url)

    async def put_resource(
        self, kind: str, properties: Mapping[str, Any], physical_id: str, name: str, secret: str
    ) -> None:
        """Make or change a resource of the template, durably. Raises Cognito's errors."""
        from trine.cognito.template import Declared, put_resource

        rooms = self.rooms()
        await put_resource(rooms, kind, Declared(properties, physical_id, name, secret))
        await rooms.directory.settled()

    async def settled(self) -> None:
        """Wait until every change so far is durable."""
        if self._opened is not None:
            await self._opened.directory.settled()
