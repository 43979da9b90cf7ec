"""The usual requests in little room: what each has of its own is a row of bytes, the rest they share.

A trace enters when it has closed; when it differs from an earlier one only in id, times and notes beside the way, it
is written down and let go. Readers get traces again, made from their rows. As an object each would take memory that
the processor's cache does not hold, until others push it out; what the trace of a row took serves the next request.
Rows are written into one block, which stays in the cache until it is full and put away.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from struct import Struct
from typing import Any

from trine.clock import Clock
from trine.trace.record import Trace

OK = 200
"""The outcome of a usual request."""
FORMS_PER_TITLE = 8
"""Requests of one title that differ in more than id and times; those forms beyond that take turns."""
TITLES_MAX_COUNT = 1_000
BLOCK_COUNT = 256
"""Rows of a block: 12 KB of times."""
_ROW = Struct("<6Q")
"""Monotonic nanoseconds: start, each of the four rooms (0: not reached), end."""
_pack = _ROW.pack_into
_ROW_BYTES = _ROW.size
Note = Callable[[int], object]
"""Is told how many nanoseconds another request of its form took."""


class Form:
    """What requests have in common that differ in id and times only."""

    __slots__ = ("allowed", "closed_by", "epoch", "kind", "note", "payer", "rooms", "title", "usage", "who")

    def __init__(self, trace: Trace, epoch: float, note: Note) -> None:
        """`epoch`: when the monotonic clock was 0, in seconds since the epoch."""
        assert trace.way is not None
        self.kind, self.title, self.closed_by, self.epoch = trace.kind, trace.title, trace.closed_by, epoch
        self.usage, self.payer = trace.usage, trace.payer
        self.rooms, self.who, _, _, _, self.allowed, *_ = trace.way
        self.note = note

    def fits(self, other: Form) -> bool:
        """Whether `other` has the same in common."""
        mine = (self.usage, self.payer, self.who, self.allowed, self.closed_by, self.rooms)
        theirs = (other.usage, other.payer, other.who, other.allowed, other.closed_by, other.rooms)
        return all(one is another for one, another in zip(mine, theirs, strict=True))


class _Block:
    """Rows that are written one after the other."""

    __slots__ = ("forms", "ids", "marks", "times")

    def __init__(self) -> None:
        self.times = bytearray(BLOCK_COUNT * _ROW_BYTES)
        self.ids = [""] * BLOCK_COUNT
        self.forms: list[Form | None] = [None] * BLOCK_COUNT
        """What each shares with others; None where nothing is written."""
        self.marks: dict[int, list[Any]] = {}
        """By row, the notes beside the way, where there are any."""


class Rows:
    """The latest usual requests of all kinds."""

    def __init__(self, blocks: int, clock: Clock) -> None:
        """`blocks`: how many full ones are kept beside the one that is written."""
        self.note_of: Callable[[Trace], Note] = lambda first: _nobody
        """Whoever counts sets it: by the first trace of a new form, what to call for every trace of that form."""
        self.on_block: Callable[[int], None] = lambda count: None
        """Is called with the number of rows whenever a block is full, after their notes."""
        self._clock = clock
        self._full: deque[_Block] = deque(maxlen=blocks)
        self._block = _Block()
        self._times, self._ids, self._row_forms = self._block.times, self._block.ids, self._block.forms
        self._at = 0
        """Rows of the block that are written."""
        self._latest: dict[str, Form] = {}
        """By title, the form of its latest request."""
        self._forms: dict[str, list[Form]] = {}
        """By title, the newest first."""

    def write(self, trace: Trace) -> bool:
        """Write down a trace that has ended well; False when it has more to tell than a row holds.

        Runs for every call to the table: a microsecond here is four percent of one. Hence no function is called that
        need not be.
        """
        if not trace.plain or trace.way is None:
            return False
        rooms, who, signed_ns, _, shaped_ns, allowed, allowed_ns, _, prepared_ns = trace.way
        closed_by, ended_ns = trace.closed_by, trace.ended_ns
        form = self._latest.get(trace.title)
        if (
            form is None
            or form.usage is not trace.usage
            or form.allowed is not allowed
            or form.who is not who
            or form.payer is not trace.payer
            or form.closed_by is not closed_by
            or form.rooms is not rooms
        ):
            form = self._form(trace)
        at, started_ns = self._at, trace.started_ns
        _pack(self._times, at * _ROW_BYTES, started_ns, signed_ns, shaped_ns, allowed_ns, prepared_ns, ended_ns)
        self._ids[at] = trace.request_id
        self._row_forms[at] = form
        if trace._marks is not None:
            self._block.marks[at] = trace._marks
        form.note(ended_ns - started_ns)
        self._at = at = at + 1
        if at == BLOCK_COUNT:
            self._put_away()
        return True

    def _form(self, trace: Trace) -> Form:
        wanted = Form(trace, 0.0, _nobody)
        known = self._forms.get(trace.title, [])
        form = next((one for one in known if one.fits(wanted)), None)
        if form is None:
            form = wanted
            form.note, form.epoch = self.note_of(trace), self._clock.now() - self._clock.monotonic_ns() / 1e9
            if not known and len(self._forms) >= TITLES_MAX_COUNT:
                self._forms.clear()
                self._latest.clear()
            self._forms[trace.title] = [form, *known][:FORMS_PER_TITLE]
        self._latest[trace.title] = form
        return form

    def _put_away(self) -> None:
        self._full.append(self._block)
        self._block = block = _Block()
        self._times, self._ids, self._row_forms = block.times, block.ids, block.forms
        self._at = 0
        self.on_block(BLOCK_COUNT)

    def forget_forms(self) -> None:
        """Begin new forms: whoever counts has taken what their `note` gathered."""
        self._forms.clear()
        self._latest.clear()

    def _blocks(self) -> list[_Block]:
        """All blocks, the newest first."""
        return [self._block, *reversed(self._full)]

    def find(self, request_id: str) -> Trace | None:
        """The trace of `request_id`, when it is here."""
        for block in self._blocks():
            if request_id in block.ids:
                return self._trace(block, block.ids.index(request_id))
        return None

    def newest(self, kind: str) -> Iterator[Trace]:
        """The traces of `kind`, the newest first."""
        for block in self._blocks():
            for row in range(BLOCK_COUNT - 1, -1, -1):
                trace = self._trace(block, row)
                if trace is not None and trace.kind == kind:
                    yield trace

    def _trace(self, block: _Block, row: int) -> Trace | None:
        form = block.forms[row]
        if form is None:
            return None
        started_ns, signed_ns, shaped_ns, allowed_ns, prepared_ns, ended_ns = _ROW.unpack_from(
            block.times, row * _ROW_BYTES
        )
        return Trace(
            form.kind,
            block.ids[row],
            self._clock.monotonic_ns,
            started_ns,
            form.epoch + started_ns / 1e9,
            ended_ns,
            form.title,
            OK,
            form.usage,
            form.payer,
            (form.rooms, form.who, signed_ns, None, shaped_ns, form.allowed, allowed_ns, None, prepared_ns),
            form.closed_by,
            plain=False,
            _marks=block.marks.get(row),
        )


def _nobody(nanoseconds: int) -> None:
    """The note of a form that nobody counts."""
