"""The wings, made and joined: the only room that knows all of them.

Enters settings, a template and the two addresses that functions and the front door must know; leaves `Wings`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import chain

from msgspec import Struct

from trine.apigateway.api import Api, ApiKind
from trine.apigateway.authorizers.verifier import KeySetVerifier
from trine.apigateway.gateway import Gateway
from trine.apigateway.management.made_keys import MadeKeys
from trine.apigateway.metered import held as caches_held
from trine.apigateway.settings import GatewaySettings, find_endpoint, find_links
from trine.apigateway.usage_resources import build_usage, generate_value
from trine.apigateway.websocket.door import SocketDoor
from trine.aws.arn import Place
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
from trine.stack.wings import Limits, Wings
from trine.trace import TraceBook


class _Ground(Struct, frozen=True):
    """What every wing stands on."""

    settings: Settings
    clock: Clock
    ids: Ids
    place: Place
    store: Store
    catalogue: DocumentCatalogue
    access: Access
    traces: TraceBook
    aws_url: str
    front_port: int


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
    place, catalogue = settings.place, DocumentCatalogue(store)
    traces = TraceBook(clock, recording=settings.observe != "nothing")
    access = Access(clock, ids, catalogue, settings.enforcement, place)
    if settings.record_keys:
        access.observe()
    ground = _Ground(settings, clock, ids, place, store, catalogue, access, traces, aws_url, front_port)
    dynamodb = _tables(ground)
    logs = LogStore(clock, settings.state_directory / "logs")
    observing = observing_of(settings, clock, traces, dynamodb)
    charge = observing.collector.count_work
    eventing = Eventing(store, catalogue, clock, ids, access, place, traces, aws_url, charge)
    functions = _functions(ground, dynamodb, eventing, logs, head_starts)
    eventing.invoker = functions
    user_pools = _user_pools(ground, functions, logs)
    cloudwatch = _metrics(ground, functions, eventing, logs, observing)
    limits = Limits(settings, clock)
    usage, keys_written = build_usage(resources, catalogue, ids, limits.ledger, limits.buckets)
    doors = Doors(access, clock, ids, traces, place)
    endpoints: dict[str, Endpoint] = {
        "dynamodb": dynamodb,
        "cognito-idp": Deferred(user_pools.endpoint),
        **doors.functions(functions),
        **doors.observing(logs, cloudwatch, charge),
        **doors.gateway(lambda: gateway, MadeKeys(usage, catalogue, ids, generate_value)),
        **doors.identity(),
        **doors.eventing(eventing),
    }
    links, unknown_links = find_links(resources, settings.vpc_links)
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
        access_log=lambda destination, line: _write_line(logs, log_group_of(destination), line),
        services={name: endpoint.handle for name, endpoint in endpoints.items()},
    )
    access.federation.verifier = KeySetVerifier(gateway.keys)
    observing.collector.held = lambda: chain(
        functions.provisioned.held(), logs.held(), cloudwatch.held(), dynamodb.regions.held(), caches_held(apis)
    )
    socket_apis = [api for api in apis if api.kind is ApiKind.WEBSOCKET]
    sockets = SocketDoor(gateway, socket_apis, access, clock, ids, place, traces) if socket_apis else None
    if sockets is not None:
        endpoints["execute-api"] = Handling(sockets.manage)
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
        urls=Deferred(partial(_url_door, ground, functions)),
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


def _tables(ground: _Ground) -> DynamoDB:
    settings = ground.settings
    return DynamoDB(
        ground.store,
        ground.clock,
        ground.ids,
        ground.access,
        ground.place,
        ground.traces,
        catalogue=ground.catalogue,
        replica_lag_seconds=settings.replica_lag_seconds,
        item_collection_max_bytes=settings.item_collection_max_bytes,
        throttling=settings.throttling,
        buckets_directory=settings.state_directory / "s3",
    )


def _functions(
    ground: _Ground,
    dynamodb: DynamoDB,
    eventing: Eventing,
    logs: LogStore,
    head_starts: Mapping[str, Started] | None,
) -> Service:
    settings = ground.settings
    made = Service(
        ground.clock,
        ground.ids,
        ground.access,
        ground.place,
        ground.traces,
        settings.state_directory,
        ground.aws_url,
        catalogue=ground.catalogue,
        neighbours=Neighbours(dynamodb.streams, eventing.queue_reader, lambda: eventing),
        head_starts=head_starts,
        throttling=settings.throttling,
        limits_cpu=settings.cpu_limits,
        logs=logs,
    )
    made.urls.address = partial(local_address, region=ground.place.region, front_port=ground.front_port)
    return made


def _user_pools(ground: _Ground, functions: Service, logs: LogStore) -> UserPools:
    """Their messages, which AWS sends, are lines of a log here."""
    settings = ground.settings
    return UserPools(
        ground.clock,
        ground.ids,
        ground.access,
        ground.place,
        ground.traces,
        ground.catalogue,
        functions,
        None if settings.memory else settings.state_directory,
        ground.aws_url,
        deliver=lambda pool_id, message: _write_line(logs, f"/aws/cognito/{pool_id}", message),
    )


def _metrics(
    ground: _Ground, functions: Service, eventing: Eventing, logs: LogStore, observing: Observing
) -> CloudWatch:
    """CloudWatch, told what is measured and what logs say."""
    collector = observing.collector
    made = CloudWatch(
        ground.clock,
        ground.place,
        ground.catalogue,
        ground.store,
        collector.measure,
        AlarmActions(ground.place, functions, eventing).deliver,
        in_memory=ground.settings.memory,
    )
    made.store.on_metric_hour = partial(collector.count_work, "cloudwatch", {"metricHours": 1})
    collector.on_minute = made.take
    collector.on_minute_over = made.minute_over
    collector.gauges = lambda: concurrency_measures(functions.concurrency.counts())
    logs.on_embedded(made.log_line)
    logs.on_metric(lambda found, at_ms: made.from_log(*found, at=at_ms / 1000))
    return made


def _write_line(logs: LogStore, group: str, line: str) -> None:
    logs.group(group).append("default", "", line)


def observing_of(settings: Settings, clock: Clock, traces: TraceBook, dynamodb: DynamoDB) -> Observing:
    """What watches: it counts what `traces` closes, unless the settings say that nothing shall be counted."""
    ledger = ledger_of(settings.state_directory, memory=settings.memory)
    watched = traces if settings.observe == "all" else TraceBook(clock)
    return Observing(clock, watched, ledger, dynamodb.regions.levels, settings.place.region, settings.prices)


def _url_door(ground: _Ground, functions: Service) -> Endpoint:
    from trine.awslambda.urls.door import UrlDoor

    return UrlDoor(functions, ground.access, ground.clock, ground.ids, ground.traces, str(ground.front_port))


def log_group_of(destination_arn: str) -> str:
    """The log group (or Firehose stream) that an access log names: `arn:aws:logs:…:log-group:NAME[:*]` → `NAME`."""
    return destination_arn.removesuffix(":*").rpartition(":")[2]
