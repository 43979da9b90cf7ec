"""`/_trine/metrics`: what Prometheus scrapes.

Enters a running stack, leaves the text. Prometheus cannot sign with SigV4 where it scrapes, so besides a signature the
door takes an access key as user and its secret as password (`basic_auth`), of whoever may `trine:ReadMetrics`.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import resource
from collections.abc import Iterator
from pathlib import Path

from trine.http.message import Request, Response
from trine.iam.access import Access
from trine.iam.caller import Caller
from trine.metering.exposition import CONTENT_TYPES, OPEN_METRICS, Figure, exposition
from trine.stack.stack import Stack


def basic_caller(request: Request, access: Access) -> Caller | None:
    """Whom an `Authorization: Basic` header stands for: a long-term key and its secret. None without such a header
    or with one that is wrong.
    """
    kind, _, encoded = (request.headers.get(b"authorization") or b"").partition(b" ")
    if kind.lower() != b"basic":
        return None
    try:
        key_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return access.caller_with_secret(key_id, lambda known: hmac.compare_digest(known.encode(), secret.encode()))


def scrape(stack: Stack, accept: str) -> Response:
    """The measures of a stack, in what the scraper's `Accept` header prefers of two formats."""
    collector = stack.wings.observing.collector
    collector.measure()
    open_metrics = OPEN_METRICS.decode() in accept  # Prometheus names it first where it takes it
    text = exposition(collector.measures, _figures(stack), open_metrics=open_metrics)
    return Response(200, [(b"Content-Type", CONTENT_TYPES[open_metrics])], text)


def _figures(stack: Stack) -> Iterator[Figure]:
    wings = stack.wings
    collector, cloudwatch = wings.observing.collector, wings.cloudwatch
    counter, gauge = "counter", "gauge"
    yield Figure("trine_requests_counted_total", counter, "Requests to all services.", collector.traces_counted)
    yield Figure("trine_metering_failures_total", counter, "Requests that could not be counted.", collector.failures)
    yield Figure(
        "trine_metering_merged_total", counter,
        "Rows of usage and callers counted as (other), because there were too many.",
        collector.ledger.dropped + wings.gateway.payers.merged,
    )  # fmt: skip
    yield Figure(
        "trine_measures_dropped_total",
        counter,
        "Values of measures dropped: there are too many different ones.",
        collector.measures.dropped,
    )
    yield Figure("trine_cloudwatch_metrics", gauge, "Metrics that CloudWatch holds.", len(cloudwatch.store))
    yield Figure(
        "trine_cloudwatch_dropped_total",
        counter,
        "Data dropped: there are 10,000 other metrics.",
        cloudwatch.store.dropped,
    )
    yield Figure(
        "trine_cloudwatch_forgotten_total",
        counter,
        "Points forgotten before their time: there are too many.",
        cloudwatch.store.forgotten,
    )
    yield Figure("trine_emf_malformed_total", counter, "EMF lines not understood.", cloudwatch.malformed)
    for entry in wings.functions.registry:
        states: dict[str, int] = {}
        for environment in wings.functions.registry.describe_environments(entry.function.name):
            states[environment["state"]] = states.get(environment["state"], 0) + 1
        for state, count in sorted(states.items()):
            labels = {"function_name": entry.function.name, "state": state}
            yield Figure("trine_lambda_environments", gauge, "Execution environments.", count, labels)
    for table, index, stored_bytes, *_ in wings.dynamodb.regions.levels():
        labels = {"table_name": table, **({"global_secondary_index_name": index} if index else {})}
        yield Figure("trine_dynamodb_stored_bytes", gauge, "Bytes that AWS would charge for.", stored_bytes, labels)
    used = resource.getrusage(resource.RUSAGE_SELF)
    yield Figure("process_cpu_seconds_total", counter, "CPU time of the server.", used.ru_utime + used.ru_stime)
    yield Figure("process_resident_memory_bytes", gauge, "Memory of the server.", _resident_bytes(used.ru_maxrss))


def _resident_bytes(most_kib: int) -> float:
    """Resident memory now; where the system does not tell, the most there was."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError, ValueError):
        return most_kib * 1024.0
    return float(pages * resource.getpagesize())
