"""One batch until it is done: invoked, and after failures tried again, cut in two, resumed or given up.

Enters a batch in order, leaves when each of its records was processed, had become too old, or was told to the
on-failure destination. Records of a batch never overtake each other. Sources: Lambda developer guide, "How Lambda
processes records from stream-based event sources" and "Configuring partial batch response".
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from trine.aws.ids import Ids
from trine.aws.invoke import InvokeResponse
from trine.awslambda.errors import ResourceNotFound
from trine.awslambda.sources import limits
from trine.awslambda.sources.answer import SUCCESS, Verdict, item_failures
from trine.awslambda.sources.failure_record import Condition, failure_record
from trine.awslambda.sources.mapping import Mapping
from trine.awslambda.sources.records import Change, event_of
from trine.awslambda.sources.target import FAILED, Invoked, Target
from trine.clock import Clock


@dataclass(slots=True)
class _Piece:
    """Part of a batch; `tries` are invocations that failed with it."""

    records: Sequence[Change]
    tries: int = 0
    last: InvokeResponse | None = None


class Attempts:
    """How the batches of one mapping are tried."""

    def __init__(
        self, clock: Clock, ids: Ids, mapping: Mapping, shard_id: str, target: Target, done: Callable[[Change], None]
    ) -> None:
        self._clock, self._ids = clock, ids
        self._mapping = mapping
        self._shard_id = shard_id
        self._target = target
        self._done = done

    async def process(
        self,
        batch: Sequence[Change],
        further: Callable[[], bytes] = bytes,
        accept: Callable[[bytes], str | None] | None = None,
    ) -> None:
        """Try `batch` until nothing of it is left. `further` gives more members of its event; `accept` takes each
        answer and says why it is none (None: it is one).
        """
        waiting = deque([_Piece(batch)])
        pause = limits.RETRY_FIRST_SECONDS
        while waiting:
            piece = await self._without_expired(waiting.popleft())
            if not piece.records:
                continue
            invoked = await self._target.invoke(event_of(piece.records, further()))
            verdict = self._verdict(invoked, piece.records, accept)
            if verdict == SUCCESS:
                self._finish(piece.records)
                pause = limits.RETRY_FIRST_SECONDS
                continue
            if verdict.complete or not verdict.failed:
                rest = _Piece(piece.records, piece.tries, invoked.response)
            else:
                self._target.last_result = FAILED
                first = verdict.failed[0]
                self._finish(piece.records[:first])
                rest = _Piece(piece.records[first:], piece.tries if first == 0 else 0, invoked.response)
            if invoked.response is None:
                waiting.appendleft(rest)  # it did not run: no attempt, until its records are too old
            elif not await self._after_failure(rest, waiting):
                continue
            await self._clock.sleep(pause)
            pause = min(limits.RETRY_MAX_SECONDS, pause * 2)

    def _verdict(
        self, invoked: Invoked, records: Sequence[Change], accept: Callable[[bytes], str | None] | None
    ) -> Verdict:
        response = invoked.response
        if response is None or response.function_error is not None:
            return Verdict(True, ())
        if self._mapping.report_failures:
            verdict = item_failures(response.payload, [change.sequence_number for change in records])
            if verdict.complete:
                return verdict
            if verdict.failed:
                if accept is not None:
                    accept(response.payload)
                return verdict
        why = accept(response.payload) if accept is not None else None
        return SUCCESS if why is None else Verdict(True, (), why)

    async def _after_failure(self, piece: _Piece, waiting: deque[_Piece]) -> bool:
        """Put back what is to be tried again; whether to pause before it."""
        if self._mapping.bisect and len(piece.records) > 1:
            # "Splitting a batch does not count towards the retry quota."
            middle = len(piece.records) // 2
            waiting.appendleft(_Piece(piece.records[middle:], piece.tries, piece.last))
            waiting.appendleft(_Piece(piece.records[:middle], piece.tries, piece.last))
            return True
        piece.tries += 1
        if 0 <= self._mapping.retries < piece.tries:
            await self._give_up(piece, "RetryAttemptsExhausted")
            return False
        waiting.appendleft(piece)
        return True

    async def _without_expired(self, piece: _Piece) -> _Piece:
        """The piece without the records at its front that are too old; those are told and done."""
        allowed = limits.STREAM_RETENTION_SECONDS
        if self._mapping.record_age_seconds >= 0:
            allowed = min(allowed, self._mapping.record_age_seconds)
        horizon = self._clock.now() - allowed
        count = 0
        while count < len(piece.records) and piece.records[count].written_at < horizon:
            count += 1
        if count:
            await self._give_up(_Piece(piece.records[:count], piece.tries, piece.last), "RecordAgeExceeded")
            piece = _Piece(piece.records[count:], piece.tries, piece.last)
        return piece

    async def _give_up(self, piece: _Piece, condition: Condition) -> None:
        try:
            function_arn = self._target.arn
        except ResourceNotFound:
            function_arn = self._mapping.function
        document = failure_record(
            self._clock.now(),
            self._ids.uuid(),
            function_arn,
            condition,
            piece.tries,
            piece.last,
            piece.records,
            self._mapping.source_arn,
            self._shard_id,
        )
        await self._target.tell(document)
        self._finish(piece.records)

    def _finish(self, records: Sequence[Change]) -> None:
        for change in records:
            self._done(change)
