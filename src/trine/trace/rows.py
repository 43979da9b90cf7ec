"""The usual requests in little room: what each has of its own is a row of bytes, the rest they share.

Closed traces enter, many at a time; those that differ from an earlier one only in id, times and notes beside the way
are written down and let go, the others leave as they came. Readers get traces again, made from their rows. As objects,
2,000 traces fill 1.3 MB: each new one pushed 13 lines out of the processor's cache, which cost a GetItem 1 µs. A row
is two lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from struct import Struct
from typing import Any

from trine.trace.record import Trace

OK = 200
"""The outcome of a usual request."""
FORMS_PER_TITLE = 8
"""Requests of one title that differ in more than id and times; those forms beyond that take turns."""
TITLES_MAX_COUNT = 1_000
_ROW = Struct("<64sd6Q8x")
"""Request id, time of the start, then monotonic nanoseconds: start, each of the four rooms (0: not reached), end."""
_ID_BYTES = 64
"""Request ids have 52 characters at most, DynamoDB's."""
Note = Callable[[int], object]
"""Is told how many nanoseconds another request of its form took."""


class Form:
    """What requests have in common that differ in id and times only."""

    __slots__ = ("allowed", "closed_by", "kind", "note", "payer", "rooms", "title", "usage", "who")

    def __init__(self, trace: Trace, note: Note) -> None:
        assert trace.way is not None
        self.kind, self.title, self.closed_by = trace.kind, trace.title, trace.closed_by
        self.usage, self.payer = trace.usage, trace.payer
        self.rooms, self.who, _, _, _, self.allowed, *_ = trace.way
        self.note = note


class Rows:
    """The latest usual requests of all kinds."""

    def __init__(self, capacity: int, tick: Callable[[], int]) -> None:
        self.note_of: Callable[[Trace], Note] = lambda first: lambda nanoseconds: None
        """Whoever counts sets it: by the first trace of a new form, what to call for every trace of that form."""
        self._capacity, self._tick = capacity, tick
        self._rows = bytearray(capacity * _ROW.size)
        self._form_of: list[Form | None] = [None] * capacity
        """By row; None where nothing was written yet."""
        self._marks_of: list[list[Any] | None] = [None] * capacity
        self._at = 0
        self._forms: dict[str, list[Form]] = {}
        """By title, the newest first."""

    def write(self, traces: Sequence[Trace]) -> list[Trace]:
        """Write down the usual ones of `traces`; the others, in order.

        One long loop: it runs for every call to the table, and calls of functions in it would double what it takes.
        """
        others: list[Trace] = []
        known, rows, form_of, marks_of = self._forms.get, self._rows, self._form_of, self._marks_of
        at, size, capacity, pack = self._at, _ROW.size, self._capacity, _ROW.pack_into
        for trace in traces:
            way = trace.way
            if (
                way is None
                or trace.outcome != OK
                or trace.parent is not None
                or trace.refusal is not None
                or trace.listed
                or trace.origin is not None
            ):
                others.append(trace)
                continue
            rooms, who, signed_ns, _, shaped_ns, allowed, allowed_ns, _, prepared_ns = way
            usage, payer, closed_by = trace.usage, trace.payer, trace.closed_by
            for form in known(trace.title) or ():
                if (
                    form.usage is usage
                    and form.payer is payer
                    and form.who is who
                    and form.allowed is allowed
                    and form.rooms is rooms
                    and form.closed_by is closed_by
                ):
                    break
            else:
                form = self._new_form(trace)
            started_ns, ended_ns = trace.started_ns, trace.ended_ns
            pack(rows, at * size, trace.request_id.encode(), trace.started_at, started_ns,
                 signed_ns, shaped_ns, allowed_ns, prepared_ns, ended_ns)  # fmt: skip
            form_of[at], marks_of[at] = form, trace._marks
            at += 1
            if at == capacity:
                at = 0
            form.note(ended_ns - started_ns)
        self._at = at
        return others

    def _new_form(self, trace: Trace) -> Form:
        form = Form(trace, self.note_of(trace))
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
            row, offset = divmod(at, _ROW.size)
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
        form = self._form_of[row]
        if form is None:
            return None
        name, started_at, started_ns, *times = _ROW.unpack_from(self._rows, row * _ROW.size)
        signed_ns, shaped_ns, allowed_ns, prepared_ns, ended_ns = times
        return Trace(
            form.kind,
            name.rstrip(b"\0").decode(),
            self._tick,
            started_ns,
            started_at,
            ended_ns,
            form.title,
            OK,
            form.usage,
            form.payer,
            (form.rooms, form.who, signed_ns, None, shaped_ns, form.allowed, allowed_ns, None, prepared_ns),
            form.closed_by,
            listed=True,
            _marks=self._marks_of[row],
        )
