"""The bill's views below `/_trine/`: what was used and what it cost, for commands and the console.

Enters query parameters, leaves documents. The ledger is read in a thread: a year of it must not hold up a request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson

from trine.aws.errors import AwsError
from trine.console.query import BODY, Query
from trine.metering.period import PeriodFault, minute_at
from trine.metering.prices import PriceFault
from trine.metering.profile import ProfileFault, profile_of
from trine.metering.projection import NothingRecorded
from trine.metering.survey import GROUPINGS
from trine.stack.observing import Books, Observing

Make = Callable[[Books, tuple[int, int], str, list[tuple[str, str]]], Any]
View = Callable[[str, Query], Awaitable[Any]]


class BadRange(AwsError):
    """The range or the grouping that was asked for cannot be."""

    code = "ValidationException"
    status = 400


class BillViews:
    """`bill`, `usage` and `projection` of one stack.

    All take `from` and `to` (as `trine bill` does; the last 30 days by default), `by` and, for each grouping, a name
    that rows must have (`route=profiles/Prod GET /users/{id}`). The body of a POST may give `prices` and `profile`.
    """

    def __init__(self, observing: Observing, now: Callable[[], float]) -> None:
        self._observing, self._now = observing, now

    def views(self) -> dict[str, tuple[str, View]]:
        """By name: the action that IAM must allow, and the view."""
        return {
            "bill": ("trine:ReadBill", self._view(lambda books, span, by, only: books.bill(*span, by, only))),
            "usage": ("trine:ReadBill", self._view(lambda books, span, by, only: books.usage(*span, by, only))),
            "projection": ("trine:ReadBill", self._projection),
        }

    async def _projection(self, name: str, query: Query) -> Any:
        try:
            given = _body(query).get("profile")
            profile = None if given is None else profile_of(given)
        except ProfileFault as fault:
            raise BadRange(str(fault)) from None
        return await self._view(lambda books, span, by, only: books.projection(*span, profile))(name, query)

    def _view(self, make: Make) -> View:
        async def view(name: str, query: Query) -> Any:
            now = self._now()
            by = query.get("by", "route")
            if by not in GROUPINGS:
                raise BadRange(f"by must be one of {', '.join(GROUPINGS)}, not {by[:40]!r}")
            only = [(grouping, query[grouping]) for grouping in GROUPINGS if grouping in query]
            try:
                span = minute_at(query.get("from", "30d"), now), minute_at(query.get("to", "now"), now)
                books = self._observing.books(_body(query).get("prices"))
                return await asyncio.to_thread(make, books, span, by, only)
            except (PeriodFault, PriceFault, NothingRecorded) as fault:
                raise BadRange(str(fault)) from None

        return view


def _body(query: Query) -> Mapping[str, Any]:
    """The JSON object in the body of a POST; empty for a GET."""
    if not query.get(BODY):
        return {}
    try:
        document = orjson.loads(query[BODY])
    except orjson.JSONDecodeError as error:
        raise BadRange(f"the body is no JSON: {error}") from None
    if not isinstance(document, dict) or not all(isinstance(part, dict) for part in document.values()):
        raise BadRange("the body must be an object that may hold the objects prices and profile")
    return document
