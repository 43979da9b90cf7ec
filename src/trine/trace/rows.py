"""The usual requests in little room: what each has of its own is a row of bytes, the rest they share.

A trace enters as it closes; when it differs from an earlier one only in id, times and notes beside the way, it is
written down and let go. Readers get traces again, made from their rows. As an object each would take memory that the
processor's cache does not hold, until others push it out: a row is two lines of it, and what the trace itself took
serves the next request.
"""

from __future__ import annotations

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
_ROW = Struct("<64s6Q16x")
"""Request id, then monotonic nanoseconds: start, each of the four rooms (0: not reached), end."""
_pack = _ROW.pack_into
_ROW_BYTES = _ROW.size
_ID_BYTES = 64
"""Request ids have 52 characters at most, DynamoDB's."""
Note = Callable[[int], object]
"""Is told how many nanoseconds another request of its form took."""


class Form:
    """What requests have in common that differ in id and times only."""

    __slots__ = ("alike", "epoch", "kind", "note", "title")

    def __init__(self, kind: str, title: str, alike: tuple[Any, ...], epoch: float, note: Note) -> None:
        """`alike`: rooms, the details of the first and the third, the last room, usage, payer. `epoch`: when the
        monotonic clock was 0, in seconds since the epoch."""
        self.kind, self.title, self.alike, self.epoch, self.note = kind, title, alike, epoch, note


class Rows:
    """The latest usual requests of all kinds."""

    def __init__(self, capacity: int, clock: Clock) -> None:
        self.note_of: Callable[[Trace], Note] = lambda first: lambda nanoseconds: None
        """Whoever counts sets it: by the first trace of a new form, what to call for every trace of that form."""
        self.on_round: Callable[[int], None] = lambda count: None
        """Is called whenever so many more have been written as there are rows."""
        self._capacity, self._clock = capacity, clock
        self._rows = bytearray(capacity * _ROW_BYTES)
        self._forms_and_notes: list[Form | tuple[Form, list[Any]] | None] = [None] * capacity
        """By row; with the notes beside the way where there are any; None where nothing was written yet."""
        self._at = 0
        self._forms: dict[str, list[Form]] = {}
        """By title, the newest first."""

    def write(self, trace: Trace, ended_ns: int, closed_by: str | None) -> bool:
        """Write down a trace with a way that has just ended well; False when it has more to tell than a row holds.

        Runs for every call to the table: a microsecond here is four percent of one. Hence no function is called that
        need not be.
        """
        if not trace.plain or trace.way is None:
            return False
        rooms, who, signed_ns, _, shaped_ns, allowed, allowed_ns, _, prepared_ns = trace.way
        alike = (rooms, who, allowed, closed_by, trace.usage, trace.payer)
        for form in self._forms.get(trace.title) or ():
            if form.alike == alike:  # six looks: what is alike is the same
                break
        else:
            form = self._new_form(trace, closed_by, alike)
        at, started_ns, marks = self._at, trace.started_ns, trace._marks
        _pack(self._rows, at * _ROW_BYTES, trace.request_id.encode(), started_ns,
              signed_ns, shaped_ns, allowed_ns, prepared_ns, ended_ns)  # fmt: skip
        self._forms_and_notes[at] = form if marks is None else (form, marks)
        form.note(ended_ns - started_ns)
        at += 1
        if at < self._capacity:
            self._at = at
        else:
            self._at = 0
            self.on_round(at)
        return True

    def _new_form(self, trace: Trace, closed_by: str | None, alike: tuple[Any, ...]) -> Form:
        trace.closed_by = closed_by
        epoch = self._clock.now() - self._clock.monotonic_ns() / 1e9
        form = Form(trace.kind, trace.title, alike, epoch, self.note_of(trace))
        if trace.title not in self._forms and len(self._forms) >= TITLES_MAX_COUNT:
            self._forms.clear()
        self._forms[trace.title] = [form, *self._forms.get(trace.title, ())][:FORMS_PER_TITLE]
        return form

    def forget_forms(self) -> None:
        """Begin new forms: whoever counts has taken what their `note` gathered."""
        self._forms.clear()

    def find(self, request_id: str) -> Trace | None:
        """The trace of `request_id`, when it is here."""
        wanted = request_id.encode()
        at = self._rows.find(wanted) if 0 < len(wanted) <= _ID_BYTES else -1
        while at >= 0:
            row, offset = divmod(at, _ROW_BYTES)
            if not offset and (trace := self._trace(row)) is not None and trace.request_id == request_id:
                return trace
            at = self._rows.find(wanted, at + 1)
        return None

    def newest(self, kind: str) -> Iterator[Trace]:
        """The traces of `kind`, the newest first."""
        for back in range(1, self._capacity + 1):
            trace = self._trace((self._at - back) % self._capacity)
            if trace is None:
                return
            if trace.kind == kind:
                yield trace

    def _trace(self, row: int) -> Trace | None:
        found = self._forms_and_notes[row]
        if found is None:
            return None
        form, marks = found if isinstance(found, tuple) else (found, None)
        name, started_ns, *times = _ROW.unpack_from(self._rows, row * _ROW_BYTES)
        signed_ns, shaped_ns, allowed_ns, prepared_ns, ended_ns = times
        rooms, who, allowed, closed_by, usage, payer = form.alike
        return Trace(
            form.kind,
            name.rstrip(b"\0").decode(),
            self._clock.monotonic_ns,
            started_ns,
            form.epoch + started_ns / 1e9,
            ended_ns,
            form.title,
            OK,
            usage,
            payer,
            (rooms, who, signed_ns, None, shaped_ns, allowed, allowed_ns, None, prepared_ns),
            closed_by,
            plain=False,
            _marks=marks,
        )
