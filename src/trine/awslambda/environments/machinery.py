"""What runs below the functions: interpreters with their zygotes, the starter of environments, the log, the watch.

Everything here owns a process, a file or a timer, is opened by `start` and ended by `close`. Enters a function, leaves
its pool; a pool that is closed has no process left.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from asyncio import Future
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from trine.aws.arn import Place
from trine.aws.ids import Ids
from trine.awslambda import limits
from trine.awslambda.environments.control_groups import ControlGroups
from trine.awslambda.environments.environment import Environment
from trine.awslambda.environments.haste import Haste
from trine.awslambda.environments.interpreters import Interpreters
from trine.awslambda.environments.network import Doors
from trine.awslambda.environments.pool import Pool
from trine.awslambda.environments.starter import Starter
from trine.awslambda.environments.watch import Watch
from trine.awslambda.environments.zygote import raise_descriptor_limit
from trine.awslambda.function import Function
from trine.awslambda.head_start import Started
from trine.awslambda.roles import RoleKeeper
from trine.clock import Clock
from trine.logs.store import LogStore


class Machinery:
    """The machinery of one service. `working` names the environments that start or run, for the watch."""

    def __init__(
        self,
        clock: Clock,
        ids: Ids,
        access: RoleKeeper,
        place: Place,
        state_directory: Path,
        endpoint_url: str,
        working: Callable[[], Iterator[Environment]],
        *,
        idle_seconds: float,
        logs: LogStore,
        sandboxed: bool,
        quick_sdk: bool,
        limits_cpu: bool = False,
        head_starts: Mapping[str, Started] | None = None,
    ) -> None:
        self._clock = clock
        self._temporary = state_directory / "tmp"
        self.idle_seconds = idle_seconds
        self.log_store = logs
        self.interpreters = Interpreters(
            clock, state_directory, sandboxed=sandboxed, quick_sdk=quick_sdk, head_starts=head_starts
        )
        self.starter = Starter(
            clock, ids, access, place, self.interpreters, self.log_store, self._temporary, endpoint_url
        )
        self._limits_cpu = limits_cpu
        self._groups: ControlGroups | None = None
        self._watch = Watch(clock, working, self._runs_long)
        self._haste = Haste(clock)

    def offer(self, doors: Doors) -> None:
        """Environments that stand where nothing leads to the Internet get networks of their own, with these doors. Call
        it before `start`."""
        self.starter.doors = doors
        self.interpreters.tries_networks = True

    def start(self) -> None:
        """Start the zygotes in the background; needs the running event loop and returns at once."""
        raise_descriptor_limit()
        self.interpreters.start()
        self._groups = self.starter.groups = ControlGroups(limits_cpu=self._limits_cpu)

    def _runs_long(self, environment: Environment) -> None:
        pid = environment.supervisor_pid
        if self._groups is not None and pid is not None:
            self._groups.enter(environment.id, pid, environment.function.memory_mb)

    async def warm(self) -> None:
        """Wait until environments start in milliseconds (tests and benchmarks; nobody has to)."""
        await self.interpreters.own.ready()

    def isolation(self) -> dict[str, Any]:
        """The layers that keep functions apart on this system (known once a zygote is ready)."""
        groups = () if self._groups is None else self._groups.active
        return {**self.interpreters.layers._asdict(), "controlGroups": list(groups), "cpuLimits": self._limits_cpu}

    def new_pool(self, function: Function) -> Pool:
        """An empty pool for `function`."""
        return Pool(function, self._clock, self.starter.start, self.idle_seconds, self._watch.wake, self._haste)

    async def close_pools(self, pools: Iterable[Pool]) -> None:
        """Kill what pools run and wait, within a bound, until nothing of it is left."""
        await asyncio.gather(*map(_close_pool, pools))

    async def close(self) -> None:
        """End everything; the pools are closed before."""
        self._watch.close()
        await self.starter.snapshots.close()
        await self.starter.close()
        await self.interpreters.close()
        if self._groups is not None:
            await asyncio.to_thread(self._groups.close)
        self.log_store.flush()
        shutil.rmtree(self._temporary, ignore_errors=True)


async def _close_pool(pool: Pool) -> None:
    empty: Future[None] = asyncio.get_running_loop().create_future()
    pool.close(lambda: None if empty.done() else empty.set_result(None))
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(empty, limits.SHUTDOWN_SECONDS + 1)
