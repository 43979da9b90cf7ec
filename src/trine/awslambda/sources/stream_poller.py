"""The poller of one stream mapping: reads the shard behind its checkpoint, filters, and deals the records to lanes.

Enters a mapping, leaves a running task until `close`. It sleeps until the stream's owner says that something was
written. Records that no filter lets through are done at once. Reading stops while the lanes are full.
"""

from __future__ import annotations

import asyncio
import logging

from trine.aws.errors import AwsError
from trine.aws.ids import Ids
from trine.aws.streams import StreamReader
from trine.awslambda.sources import limits
from trine.awslambda.sources.attempts import Attempts
from trine.awslambda.sources.checkpoint import Checkpoint, CheckpointStore
from trine.awslambda.sources.lane import Lane
from trine.awslambda.sources.mapping import Mapping
from trine.awslambda.sources.records import Change, change_of
from trine.awslambda.sources.target import Target
from trine.awslambda.sources.window import Window
from trine.clock import Clock

_LOGGER = logging.getLogger(__name__)


class StreamPoller:
    """One mapping at work."""

    def __init__(
        self,
        clock: Clock,
        ids: Ids,
        uuid: str,
        mapping: Mapping,
        shard_id: str,
        reader: StreamReader,
        target: Target,
        checkpoints: CheckpointStore,
    ) -> None:
        self._clock = clock
        self._mapping = mapping
        self._reader = reader
        self._target = target
        self._checkpoint = _begin(mapping, f"{uuid}/{shard_id}", reader, checkpoints)
        self._read_to = self._checkpoint.after
        self._held_bytes = 0
        self._news = asyncio.Event()
        self._news.set()
        attempts = Attempts(clock, ids, mapping, shard_id, target, self._done)
        self._lanes = [
            Lane(clock, mapping, shard_id, target, attempts, self._open_window(), self._window_moved)
            for _ in range(mapping.parallelization)
        ]
        self._stop_watching = reader.watch(self._news.set)
        self._tasks = [asyncio.ensure_future(self._guarded(lane)) for lane in self._lanes]
        self._tasks.append(asyncio.ensure_future(self._read()))

    async def close(self) -> None:
        """Stop; what is under way is read again by the next run."""
        self._stop_watching()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- reading -----------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                closed = self._read_what_is_there()
            except AwsError as error:
                self._target.last_result = f"PROBLEM: {error.message}"
                _LOGGER.warning("%s cannot be read: %s", self._mapping.source_arn, error.message)
                await self._clock.sleep(limits.RETRY_MAX_SECONDS)
                self._news.set()
                continue
            except Exception:
                # The last except of this task: nobody awaits it.
                _LOGGER.exception("reading %s failed", self._mapping.source_arn)
                await self._clock.sleep(limits.RETRY_MAX_SECONDS)
                self._news.set()
                continue
            if closed:
                return

    def _read_what_is_there(self) -> bool:
        """Deal records until the lanes are full or the shard has no more; whether the shard is closed. AwsError."""
        permitted = False
        while not self._is_full():
            page = self._reader.read(self._mapping.source_arn, self._read_to, limits.READ_RECORDS)
            if page.records and not permitted:
                # Asked once for what is there; writes to other tables, which wake this too, cost one look.
                self._reader.permit(self._target.actor(), self._mapping.source_arn)
                permitted = True
            for record in page.records:
                self._read_to = record.sequence_number
                self._checkpoint.read(record.sequence_number)
                change = change_of(
                    record, self._mapping.source_arn, self._mapping.patterns, self._mapping.parallelization
                )
                if change is None:
                    self._checkpoint.done(record.sequence_number)
                else:
                    self._held_bytes += len(change.document)
                    self._lanes[change.lane].put(change)
            self._checkpoint.advance()
            if not page.records:
                return page.closed
        return False

    def _is_full(self) -> bool:
        enough = max(self._mapping.batch_size, limits.READ_RECORDS) * 2
        return self._held_bytes > limits.BUFFER_MAX_BYTES or any(len(lane) > enough for lane in self._lanes)

    # -- what lanes say ----------------------------------------------------------------------------------------------

    async def _guarded(self, lane: Lane) -> None:
        try:
            await lane.run(self._news.set)
        except Exception:
            _LOGGER.exception("a lane of %s failed; it goes on after a restart", self._mapping.source_arn)

    def _done(self, change: Change) -> None:
        self._held_bytes -= len(change.document)
        self._checkpoint.done(change.sequence_number)
        self._checkpoint.advance()

    def _open_window(self) -> Window | None:
        kept = self._checkpoint.window
        length = self._mapping.tumbling_seconds
        return Window(kept["start"], length, kept["state"]) if kept is not None and length else None

    def _window_moved(self, window: Window | None) -> None:
        self._checkpoint.window = None if window is None else {"start": window.start, "state": window.state}
        if window is None:
            self._checkpoint.save()


def _begin(mapping: Mapping, name: str, reader: StreamReader, checkpoints: CheckpointStore) -> Checkpoint:
    """Where an earlier run came to, or where the mapping shall start; that is durable from now on."""
    kept = checkpoints.load(name)
    if kept is not None:
        return Checkpoint(checkpoints, name, kept["after"], kept.get("window"))
    after = reader.newest(mapping.source_arn) if mapping.starting_position == "LATEST" else None
    checkpoint = Checkpoint(checkpoints, name, after, None)
    checkpoint.save()
    return checkpoint
