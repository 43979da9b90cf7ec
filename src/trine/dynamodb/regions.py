"""The table service in each region: tables, their meters and what sweeps them, apart from those of other regions.

A region's name enters, its `Region` leaves, made when it is first asked for. All regions share one store and one row of
table numbers; what they know of their tables lies in documents of their own (`DocumentCatalogue.of_region`), so that
their tables, backups, exports and imports never meet. The region in which a state directory was begun keeps the plain
documents, wherever the stack stands later.
"""

from __future__ import annotations

import logging
from asyncio import Future
from collections.abc import Callable, Iterator

from msgspec.structs import replace

from trine.aws.arn import Place
from trine.dynamodb.operations.operation import Rooms
from trine.dynamodb.storage.catalogue import DocumentCatalogue
from trine.dynamodb.storage.metering import Metering
from trine.dynamodb.storage.sweep import Sweeper
from trine.metering.ledger import TableLevel
from trine.metering.usage import elsewhere

_log = logging.getLogger("trine.dynamodb")
_BEGUN_KIND, _BEGUN_NAME = "dynamodb:begun", "region"


class Region:
    """The tables of one region, and what works on them by itself."""

    __slots__ = ("metering", "rooms", "sweeper")

    def __init__(self, rooms: Rooms, metering: Metering, sweeper: Sweeper) -> None:
        self.rooms, self.metering, self.sweeper = rooms, metering, sweeper

    def start(self) -> None:
        """Go on with what the last stop interrupted; needs the running loop."""
        self.rooms.resume()
        self.sweeper.start()
        self.metering.start()

    async def close(self) -> None:
        """End the region's own tasks."""
        await self.metering.close()
        await self.sweeper.close()
        await self.rooms.close()


class Regions:
    """Every region of one table service; the stack stands in `home`."""

    def __init__(
        self, home: Place, catalogue: DocumentCatalogue, make: Callable[[Place, DocumentCatalogue], Region]
    ) -> None:
        """`make` joins the rooms of a region over its catalogue."""
        self._place, self._catalogue, self._make = home, catalogue, make
        begun = catalogue.get(_BEGUN_KIND, _BEGUN_NAME)
        self._begun_in: str = home.region if begun is None else begun["Region"]
        self._is_noted, self._started = begun is not None, False
        self._address: str | None = None
        self.home = self._made(home.region)
        self._regions = {home.region: self.home}
        for region in sorted(catalogue.regions() | ({self._begun_in} if self._is_noted else set())):
            if region not in self._regions:  # what expires or was interrupted there goes on
                self._regions[region] = self._made(region)

    def rooms(self, region: str) -> Rooms:
        """The rooms of a region that `aws.regions` knows."""
        found = self._regions.get(region)
        if found is None:
            found = self._regions[region] = self._made(region)
            found.rooms.endpoint_address = self._address
            if self._started:
                found.start()
        return found.rooms

    def reached_at(self, address: str) -> None:
        """Clients reach the service at this host and port, whichever region they mean."""
        self._address = address
        for region in self._regions.values():
            region.rooms.endpoint_address = address

    def levels(self) -> Iterator[TableLevel]:
        """What is stored and provisioned; a table of another region bears its name, as its calls do on their traces."""
        yield from self.home.metering.levels()
        for name, region in self._regions.items():
            if region is not self.home:
                for level in region.metering.levels():
                    yield level._replace(table=elsewhere(level.table, name))

    def held(self) -> Iterator[tuple[str, str, float]]:
        """What is paid for beside that, in every region: recovery and backups."""
        for name, region in self._regions.items():
            for meter, what, gigabytes in region.metering.held(region.rooms.backups.all()):
                yield meter, what if region is self.home else elsewhere(what, name), gigabytes

    def start(self) -> None:
        """Start every region there is, and from now on those that are asked for; needs the running loop."""
        self._started = True
        if not self._is_noted:
            noted = self._catalogue.put(_BEGUN_KIND, _BEGUN_NAME, {"Region": self._begun_in})
            noted.add_done_callback(_told)
        for region in self._regions.values():
            region.start()

    async def close(self) -> None:
        """End what every region does by itself."""
        for region in self._regions.values():
            await region.close()

    def _made(self, region: str) -> Region:
        catalogue = self._catalogue if region == self._begun_in else self._catalogue.of_region(region)
        return self._make(replace(self._place, region=region), catalogue)


def _told(done: Future[None]) -> None:
    if not done.cancelled() and (fault := done.exception()) is not None:
        _log.error("the region of this state could not be kept: %s", fault)
