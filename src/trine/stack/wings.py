"""Everything of a stack that runs, by the name of its wing, and how it ends.

What `build` opens (the store, the zygote) is closed by `Wings.close`, in the opposite order.
"""

from __future__ import annotations

import asyncio
from asyncio import Future

from msgspec import Struct, field

from trine.apigateway.counters import Counters, CountersUnusable
from trine.apigateway.gateway import Gateway
from trine.apigateway.quota import QuotaLedger
from trine.apigateway.throttle import BUCKET, Buckets
from trine.apigateway.usage_plans import UsagePlans
from trine.apigateway.websocket.door import SocketDoor
from trine.aws.ids import Ids
from trine.awslambda.service import Service
from trine.clock import Clock
from trine.cloudwatch.service import CloudWatch
from trine.cognito.user_pools import UserPools
from trine.dynamodb.endpoint import DynamoDB
from trine.dynamodb.storage.catalogue import DocumentCatalogue
from trine.iam.access import Access
from trine.kv.store import Store
from trine.logs.store import LogStore
from trine.stack.eventing import Eventing
from trine.stack.listeners import Deferred, Endpoint
from trine.stack.observing import Observing
from trine.stack.settings import Settings
from trine.stack.state import StateFault
from trine.trace import TraceBook

SHUTDOWN_GRACE_SECONDS = 2.0


class Limits:
    """Where the front door counts: buckets in memory and quotas in the state directory, or both in the folder that
    several processes share. StateFault."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        shared = settings.shared_limits
        kept = shared or (None if settings.memory else settings.state_directory)
        try:
            self._counters = Counters(shared / "buckets", BUCKET.size) if shared is not None else None
            self.ledger = QuotaLedger(clock, kept / "quotas" if kept is not None else None, shared=shared is not None)
        except CountersUnusable as error:
            raise StateFault(str(error)) from None
        self.buckets = Buckets(clock, self._counters)

    def close(self) -> None:
        """Let go of the files."""
        self.ledger.close()
        if self._counters is not None:
            self._counters.close()


class Wings(Struct):
    """Everything that runs, by the name of its wing."""

    clock: Clock
    ids: Ids
    traces: TraceBook
    store: Store
    catalogue: DocumentCatalogue
    access: Access
    dynamodb: DynamoDB
    functions: Service
    eventing: Eventing
    logs: LogStore
    """Log groups; lines with embedded metrics go to CloudWatch."""
    gateway: Gateway
    urls: Deferred
    """The door of the function URLs, made when the first request for one comes."""
    sockets: SocketDoor | None
    """Stands before the gateway where the template has WebSocket APIs."""
    usage: UsagePlans
    limits: Limits
    """The counters of quotas and buckets."""
    user_pools: UserPools
    endpoints: dict[str, Endpoint]
    made: list[Future[None]]
    """What was made anew and must be durable before the stack is ready: values of API keys."""
    observing: Observing
    """Usage, measures, receipts and bills of all wings."""
    cloudwatch: CloudWatch
    notes: list[str] = field(default_factory=list)
    """What of the template cannot have its effect here, one line each."""

    async def close(self) -> None:
        """End the functions' processes, then write what is accepted, then let go of the store."""
        await self.eventing.close()
        if self.sockets is not None:
            await self.sockets.close()
        await self.functions.close(SHUTDOWN_GRACE_SECONDS)
        self.observing.collector.close()
        self.cloudwatch.close()
        await asyncio.gather(*self.made)
        self.limits.close()
        self.access.keep_ledger()
        await self.access.settled()
        await self.user_pools.settled()
        await self.dynamodb.close()
        await self.store.close()
