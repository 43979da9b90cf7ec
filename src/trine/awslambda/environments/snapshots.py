"""SnapStart: the snapshots of published versions, from which environments are restored instead of initialised.

Enters a version that asks for SnapStart, leaves its `Snapshot` once that is taken. A snapshot is an environment that
has run its init and is never invoked; `restore` has it forked. One whose init fails, or leaves what forks would have
to share, is none: then every environment runs its own init, which tells the caller. See docs/adr/0011.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from trine.awslambda import limits
from trine.awslambda.environments.environment import Environment
from trine.awslambda.environments.process import Exit, Launch, Process, open_ends
from trine.awslambda.environments.zygote import close_all
from trine.awslambda.fault import Fault, reason_of
from trine.awslambda.function import Function
from trine.clock import Clock

_LOGGER = logging.getLogger(__name__)
UNFIT = "Trine.SnapshotUnfit"
"""What the guest's `snapshot` says when its init left something that cannot be forked."""


class Snapshot:
    """The snapshot of one version; an `Owner` of its environment."""

    def __init__(self, function: Function, clock: Clock, on_end: Callable[[Snapshot], None]) -> None:
        self.function = function
        self.environment: Environment | None = None
        """Its own, while there is one."""
        self.is_pending = True
        """It is being taken."""
        self.was_taken = False
        self._clock = clock
        self._on_end = on_end
        self._process: Process | None = None
        self._free: list[int] = []
        self._is_closing = False
        self._restored = 0
        self.over = asyncio.Event()
        """Nothing of it is left."""

    @property
    def is_ready(self) -> bool:
        """Whether an environment can be restored from it now."""
        return self._process is not None and bool(self._free) and not self._is_closing

    def begun(self, process: Process) -> None:
        """Its init runs."""
        self._process = process
        process.on_slot_wiped = self._wiped

    def restore(self, launch: Launch, on_exit: Callable[[Exit], None]) -> Process:
        """Fork an environment; the answer can be used at once. `on_exit` is called once, when nothing of it is left."""
        assert self._process is not None
        slot = self._free.pop()
        self._restored += 1

        def ended(how: Exit) -> None:
            self._restored -= 1
            asked = self._process is not None and self._process.ask({"wipe": True, "slot": slot})
            if not asked or (self._is_closing and self._restored == 0):
                self.close()
            on_exit(how)

        process, theirs = open_ends(self._clock, ended)
        asked = self._process.ask({"restore": {"env": dict(launch.env)}, "slot": slot}, theirs)
        close_all(theirs)  # where nobody took them, that is what ends the process
        if not asked:
            _LOGGER.warning("the snapshot of %s cannot be reached", self.function.arn)
        return process

    def _wiped(self, slot: int, status: int) -> None:
        if status == 0:
            self._free.append(slot)

    def fail(self) -> None:
        """It cannot be taken at all."""
        self.is_pending = False
        self.over.set()

    def close(self, *, at_once: bool = True) -> None:
        """End it; those that were restored from it end with it, so that without `at_once` they are waited for."""
        self._is_closing = True
        if self.environment is None:
            self.over.set()
        elif at_once or self._restored == 0:
            self.environment.end()

    # -- as the owner of its environment -----------------------------------------------------------------------------

    def ready(self, environment: Environment) -> None:
        """The init is over: the snapshot is taken."""
        self.is_pending, self.was_taken = False, True
        self._free = list(range(limits.SNAPSHOT_SLOTS))

    def idle(self, environment: Environment) -> None:
        """Never: it is not invoked."""
        raise AssertionError("a snapshot was invoked")

    def ended(self, environment: Environment, init_fault: Fault | None) -> None:
        """Nothing of it is left."""
        self.is_pending, self._process = False, None
        self.over.set()
        if init_fault is not None and init_fault.error_type == UNFIT:
            environment.log(f"SnapStart: {reason_of(init_fault)}, so each environment runs its own init\n")
        self._on_end(self)


class Snapshots:
    """The snapshots of one service."""

    def __init__(self, clock: Clock, take: Callable[[Snapshot], None]) -> None:
        self._clock = clock
        self._take = take
        self._taken: dict[tuple[str, str], Snapshot] = {}

    def prepare(self, function: Function) -> None:
        """Take a snapshot of a version that asks for one, in the background."""
        key = (function.arn, function.version)
        known = self._taken.get(key)
        if not function.is_snap_started or (known is not None and known.function.revision == function.revision):
            return
        if known is not None:
            known.close(at_once=False)
        elif len(self._taken) >= limits.SNAPSHOTS_MAX:
            return
        snapshot = self._taken[key] = Snapshot(function, self._clock, self._ended)
        self._take(snapshot)

    def ready_for(self, function: Function) -> Snapshot | None:
        """The snapshot to restore an environment of `function` from; None when it has to run its own init."""
        if not function.is_snap_started:
            return None
        self.prepare(function)
        snapshot = self._taken.get((function.arn, function.version))
        return snapshot if snapshot is not None and snapshot.is_ready else None

    def is_pending(self, function: Function) -> bool:
        """Whether the snapshot of a version is being taken."""
        snapshot = self._taken.get((function.arn, function.version))
        return snapshot is not None and snapshot.is_pending

    def forget(self, function_arn: str, version: str | None = None) -> None:
        """A version, or (None) the function, is deleted."""
        for key in [key for key in self._taken if key[0] == function_arn and version in (None, key[1])]:
            self._taken.pop(key).close()

    async def close(self) -> None:
        """End all of them and wait, within a bound, until nothing of them is left."""
        taken, self._taken = self._taken, {}
        for snapshot in taken.values():
            snapshot.close()
        with contextlib.suppress(TimeoutError):
            ends = [snapshot.over.wait() for snapshot in taken.values()]
            await asyncio.wait_for(asyncio.gather(*ends), limits.SHUTDOWN_SECONDS + 1)

    def _ended(self, snapshot: Snapshot) -> None:
        # One that somebody killed is taken anew when it is wanted; one that failed is remembered, as long as its code.
        key = (snapshot.function.arn, snapshot.function.version)
        if self._taken.get(key) is snapshot and snapshot.was_taken:
            del self._taken[key]
