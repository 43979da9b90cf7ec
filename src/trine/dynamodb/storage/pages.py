"""Reading in order, a page at a time: what Query and Scan walk over.

A range of keys, a direction and the page's limits enter; a `Page` leaves: stored items ready to be spliced, how many
were looked at and how many bytes they weigh, and the last one looked at when there may be more behind it.
Source of the page's size: "Query: … a single page of up to 1 MB", developer guide, before any filter.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct

from trine.dynamodb.limits import PAGE_MAX_BYTES
from trine.dynamodb.model.attribute import Item
from trine.dynamodb.model.item import STORED_HEADER_SIZE_BYTES, decode_stored
from trine.kv.store import Snapshot, Store

_CHUNK_MAX_COUNT = 4096
_size_of = int.from_bytes  # `model.item.stored_size`, without a call for each item
_header, _SIZE_BITS = Struct(">I").unpack_from, 0xFFFFFF  # the same for many items
_HANDFUL_COUNT = 16


class Page:
    """One page of a read."""

    __slots__ = ("items", "last_stored", "scanned_count", "size_bytes")

    def __init__(self) -> None:
        self.items: list[bytes] = []
        """Each item's JSON."""
        self.scanned_count = 0
        self.size_bytes = 0
        """All items looked at, as AWS counts them."""
        self.last_stored: bytes | None = None
        """The last item looked at, when the page ended before the range did."""


Choose = Callable[[bytes], bytes | None]
"""From an item's stored form to the JSON that goes out, or None when the filter drops it."""


def read_page(
    source: Snapshot | Store,
    start: bytes,
    stop: bytes,
    *,
    reverse: bool = False,
    limit: int | None = None,
    choose: Choose | None = None,
) -> Page:
    """Read start <= key < stop until `limit` items or 1 MB have been looked at.

    The item that brings the page to 1 MB still belongs to it.
    """
    page = Page()
    if start >= stop:
        return page
    wanted = min(limit or _CHUNK_MAX_COUNT, _CHUNK_MAX_COUNT)
    # A handful of items needs no bound on bytes, and the store is quicker without.
    limit_bytes = 2 * PAGE_MAX_BYTES if wanted > _HANDFUL_COUNT else None
    while True:
        pairs = source.page(start, stop, wanted, reverse=reverse, limit_bytes=limit_bytes)
        if not pairs:
            return page
        if _take(page, pairs, limit, choose):
            return page
        if len(pairs) < wanted and (limit_bytes is None or sum([len(stored) for _, stored in pairs]) < limit_bytes):
            return page  # the range has no more: no need to look again
        if reverse:
            stop = pairs[-1][0]
        else:
            start = pairs[-1][0] + b"\0"


def _take(page: Page, pairs: list[tuple[bytes, bytes]], limit: int | None, choose: Choose | None) -> bool:
    """Add `pairs` to the page; whether the page is full."""
    items, size, scanned = page.items, page.size_bytes, page.scanned_count
    after = scanned + len(pairs)
    if choose is None and (limit is None or after <= limit):
        total = size + sum([_header(stored)[0] & _SIZE_BITS for _, stored in pairs])
        if total < PAGE_MAX_BYTES:
            items += [stored[STORED_HEADER_SIZE_BYTES:] for _, stored in pairs]
            page.size_bytes, page.scanned_count = total, after
            if after == limit:
                page.last_stored = pairs[-1][1]
                return True
            return False
    for _, stored in pairs:
        size += _size_of(stored[1:STORED_HEADER_SIZE_BYTES], "big")
        scanned += 1
        if choose is None:
            items.append(stored[STORED_HEADER_SIZE_BYTES:])
        elif (chosen := choose(stored)) is not None:
            items.append(chosen)
        if size >= PAGE_MAX_BYTES or scanned == limit:
            page.last_stored = stored
            break
    page.size_bytes, page.scanned_count = size, scanned
    return page.last_stored is not None


def chooser(accept: Callable[[Item], bool] | None, shape: Callable[[Item], bytes] | None) -> Choose | None:
    """A `Choose` from a filter and from what makes the answer's JSON; None when items go out as they lie."""
    if accept is None and shape is None:
        return None

    def choose(stored: bytes) -> bytes | None:
        item = decode_stored(stored)
        if accept is not None and not accept(item):
            return None
        return stored[STORED_HEADER_SIZE_BYTES:] if shape is None else shape(item)

    return choose
