"""The wings, made and joined: the only room that knows all of them.

Enters settings, a template and the two addresses that functions and the front door must know; leaves `Wings`. What is
opened here (the store, the zygote) is closed by `Wings.close`, in the opposite order.
"""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import chain

from msgspec import Struct, field

from trine.apigateway.api import Api, ApiKind
from trine.apigateway.authorizers.verifier import KeySetVerifier
from trine.apigateway.counters import Counters, CountersUnusable
from trine.apigateway.gateway import Gateway
from trine.apigateway.management.made_keys import MadeKeys
from trine.apigateway.metered import held as caches_held
from trine.apigateway.quota import QuotaLedger
from trine.apigateway.settings import GatewaySettings, find_endpoint, find_links
from trine.apigateway.throttle import BUCKET, Buckets
from trine.apigateway.usage_plans import UsagePlans
from trine.apigateway.usage_resources import build_usage, generate_value
from trine.apigateway.websocket.door import SocketDoor
from trine.aws.fidelity import Fidelity
from trine.aws.ids import Ids
from trine.awslambda.head_start import Started
from trine.awslambda.neighbours import Neighbours
from trine.awslambda.service import Service
from trine.awslambda.urls.config import local_address
from trine.clock import Clock
from trine.cloudformation.resources import Resource
from trine.cloudwatch.service import CloudWatch
from trine.cognito.user_pools import UserPools
from trine.dynamodb.endpoint import DynamoDB
from trine.dynamodb.storage.catalogue import DocumentCatalogue
from trine.iam.access import Access
from trine.kv.store import Store
from trine.logs.store import LogStore
from trine.metering.measures import concurrency_measures
from trine.stack.alarm_actions import AlarmActions
from trine.stack.doors import Doors
from trine.stack.eventing import Eventing
from trine.stack.listeners import Deferred, Endpoint, Handling
from trine.stack.observing import Observing, ledger_of
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


def build(
    settings: Settings,
    apis: Sequence[Api],
    resources: Sequence[Resource],
    store: Store,
    clock: Clock,
    ids: Ids,
    *,
    aws_url: str,
    front_port: int,
    head_starts: Mapping[str, Started] | None = None,
) -> Wings:
    """Join the wings over `store`. Nothing of the template is made yet but its APIs, which hold no state."""
    place = settings.place
    traces = TraceBook(clock, recording=settings.observe != "nothing")
    catalogue = DocumentCatalogue(store)
    access = Access(clock, ids, catalogue, settings.enforcement, place)
    if settings.record_keys:
        access.observe()
    dynamodb = DynamoDB(
        store,
        clock,
        ids,
        access,
        place,
        traces,
        catalogue=catalogue,
        replica_lag_seconds=settings.replica_lag_seconds,
        item_collection_max_bytes=settings.item_collection_max_bytes,
        throttling=settings.throttling,
        buckets_directory=settings.state_directory / "s3",
    )
    logs = LogStore(clock, settings.state_directory / "logs")
    observing = observing_of(settings, clock, traces, dynamodb)
    eventing = Eventing(store, catalogue, clock, ids, access, place, traces, aws_url, observing.collector.count_work)
    functions = Service(
        clock,
        ids,
        access,
        place,
        traces,
        settings.state_directory,
        aws_url,
        catalogue=catalogue,
        neighbours=Neighbours(dynamodb.streams, eventing.queue_reader, lambda: eventing),
        head_starts=head_starts,
        throttling=settings.throttling,
        limits_cpu=settings.cpu_limits,
        logs=logs,
    )
    functions.urls.address = partial(local_address, region=place.region, front_port=front_port)
    eventing.invoker = functions

    def write_line(group: str, line: str) -> None:
        logs.group(group).append("default", "", line)

    user_pools = UserPools(
        clock,
        ids,
        access,
        place,
        traces,
        catalogue,
        functions,
        None if settings.memory else settings.state_directory,
        aws_url,
        deliver=lambda pool_id, message: write_line(f"/aws/cognito/{pool_id}", message),
    )
    cloudwatch = CloudWatch(
        clock,
        place,
        catalogue,
        store,
        observing.collector.measure,
        AlarmActions(place, functions, eventing).deliver,
        in_memory=settings.memory,
    )
    observing.collector.on_minute = cloudwatch.take
    observing.collector.on_minute_over = cloudwatch.minute_over
    observing.collector.gauges = lambda: concurrency_measures(functions.concurrency.counts())
    logs.on_embedded(cloudwatch.log_line)
    logs.on_metric(lambda found, at_ms: cloudwatch.from_log(*found, at=at_ms / 1000))
    limits = Limits(settings, clock)
    links, unknown_links = find_links(resources, settings.vpc_links)
    usage, keys_written = build_usage(resources, catalogue, ids, limits.ledger, limits.buckets)
    made_keys = MadeKeys(usage, catalogue, ids, generate_value)
    doors = Doors(access, clock, ids, traces, place)
    endpoints: dict[str, Endpoint] = {
        "dynamodb": dynamodb,
        "cognito-idp": Deferred(user_pools.endpoint),
        **doors.functions(functions),
        **doors.observing(logs, cloudwatch, observing.collector.count_work),
        **doors.gateway(lambda: gateway, made_keys),
        **doors.identity(),
        **doors.eventing(eventing),
    }
    gateway = Gateway(
        apis,
        functions,
        clock,
        ids,
        place,
        traces,
        GatewaySettings(
            forwarded_port=str(front_port),
            account_rate_per_second=settings.api_rate_per_second,
            account_burst=settings.api_burst,
            receipt=(lambda trace: observing.receipt(trace).header()) if settings.receipt_header else None,
            links=links,
            endpoint=find_endpoint(resources, settings.vpc_endpoint) if settings.vpc_endpoint else None,
            issuer_urls={user_pools.issuer_prefix: f"{aws_url}/"},
        ),
        access=access,
        usage=usage,
        buckets=limits.buckets,
        access_log=lambda destination, line: write_line(log_group_of(destination), line),
        services={name: endpoint.handle for name, endpoint in endpoints.items()},
    )
    observing.collector.held = lambda: chain(
        functions.provisioned.held(), logs.held(), cloudwatch.held(), dynamodb.regions.held(), caches_held(apis)
    )
    cloudwatch.store.on_metric_hour = partial(observing.collector.count_work, "cloudwatch", {"metricHours": 1})
    socket_apis = [api for api in apis if api.kind is ApiKind.WEBSOCKET]
    sockets = SocketDoor(gateway, socket_apis, access, clock, ids, place, traces) if socket_apis else None
    if sockets is not None:
        endpoints["execute-api"] = Handling(sockets.manage)
    access.federation.verifier = KeySetVerifier(gateway.keys)
    return Wings(
        clock=clock,
        ids=ids,
        traces=traces,
        store=store,
        catalogue=catalogue,
        access=access,
        dynamodb=dynamodb,
        functions=functions,
        eventing=eventing,
        logs=logs,
        gateway=gateway,
        urls=Deferred(lambda: _url_door(functions, access, clock, ids, traces, front_port)),
        sockets=sockets,
        usage=usage,
        limits=limits,
        user_pools=user_pools,
        endpoints=endpoints,
        made=keys_written,
        observing=observing,
        cloudwatch=cloudwatch,
        notes=[
            f"--vpc-link {name}: the template has no VPC link of this name; it counts as an id"
            for name in unknown_links
        ],
    )


def observing_of(settings: Settings, clock: Clock, traces: TraceBook, dynamodb: DynamoDB) -> Observing:
    """What watches: it counts what `traces` closes, unless the settings say that nothing shall be counted."""
    ledger = ledger_of(settings.state_directory, memory=settings.memory)
    watched = traces if settings.observe == "all" else TraceBook(clock)
    return Observing(clock, watched, ledger, dynamodb.regions.levels, settings.place.region, settings.prices)


def _url_door(
    functions: Service, access: Access, clock: Clock, ids: Ids, traces: TraceBook, front_port: int
) -> Endpoint:
    from trine.awslambda.urls.door import UrlDoor

    return UrlDoor(functions, access, clock, ids, traces, str(front_port))


def log_group_of(destination_arn: str) -> str:
    """The log group (or Firehose stream) that an access log names: `arn:aws:logs:…:log-group:NAME[:*]` → `NAME`."""
    return destination_arn.removesuffix(":*").rpartition(":")[2]


FIDELITY_MODULES = (
    "trine.apigateway.fidelity",
    "trine.awslambda.fidelity",
    "trine.cognito.fidelity",
    "trine.cloudwatch.fidelity",
    "trine.dynamodb.fidelity",
    "trine.ec2.fidelity",
    "trine.events.fidelity",
    "trine.iam.fidelity",
    "trine.logs.template",
    "trine.messaging.fidelity",
)


def fidelity() -> dict[str, Mapping[str, Fidelity]]:
    """What each wing says of the properties of its resource types, in one table."""
    from importlib import import_module

    tables: dict[str, Mapping[str, Fidelity]] = {}
    for module in FIDELITY_MODULES:
        tables.update(import_module(module).FIDELITY)
    return tables


def remarks() -> dict[str, Mapping[str, str]]:
    """What wings remark on properties of their resource types, in one table."""
    from trine.awslambda.fidelity import REMARKS

    return dict(REMARKS)
