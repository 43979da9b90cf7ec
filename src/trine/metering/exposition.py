"""Measures in Prometheus's text format, or in OpenMetrics, as the scraper asks. Pure.

Enters `Measures` and a few figures of the stack's own; leaves the text of a scrape. Names follow Prometheus's customs:
base units, `_total` for counters; times are histograms. Written here because the client library takes 12 MiB of memory
(measured) to hold figures that are here already; tests read the text with that library's parser.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from trine.metering.distribution import Distribution
from trine.metering.measures import DYNAMODB, GATEWAY, LAMBDA, UNITS, Measures, MetricName

PROMETHEUS, OPEN_METRICS = b"text/plain; version=0.0.4; charset=utf-8", b"application/openmetrics-text"
CONTENT_TYPES = {False: PROMETHEUS, True: OPEN_METRICS + b"; version=1.0.0; charset=utf-8"}
"""By whether it is OpenMetrics: the same samples, but a counter's family is named without `_total` (OpenMetrics 1.0,
"Counter"), bounds are written as floats ("Canonical Numbers") and the text ends with `# EOF`."""
BOUNDS_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900)
"""Of histograms; from half a millisecond to the longest that a function may run."""
_PREFIXES = {GATEWAY: "aws_apigateway", LAMBDA: "aws_lambda", DYNAMODB: "aws_dynamodb"}
_HELP = {
    "aws_apigateway_count_total": "Requests at the front door.",
    "aws_apigateway_4xx_error_total": "Requests answered with a client error.",
    "aws_apigateway_5xx_error_total": "Requests answered with a server error.",
    "aws_apigateway_latency_seconds": "Time from request to answer.",
    "aws_apigateway_integration_latency_seconds": "Time that the integration took.",
    "aws_lambda_invocations_total": "Invocations that ran.",
    "aws_lambda_errors_total": "Invocations that ended with a function error.",
    "aws_lambda_throttles_total": "Invocations refused by a concurrency limit.",
    "aws_lambda_duration_seconds": "Time that the handler took.",
    "aws_dynamodb_consumed_read_capacity_units_total": "Read units consumed.",
    "aws_dynamodb_consumed_write_capacity_units_total": "Write units consumed.",
    "aws_dynamodb_throttled_requests_total": "Requests refused for lack of units.",
    "aws_dynamodb_successful_request_latency_seconds": "Time that successful requests took.",
}
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


class Figure(NamedTuple):
    """A figure of the stack's own."""

    name: str
    kind: str
    """`counter` or `gauge`."""
    help: str
    value: float
    labels: Mapping[str, str] = {}


def exposition(measures: Measures, figures: Iterable[Figure], *, open_metrics: bool = False) -> bytes:
    """The whole scrape."""

    def head(family: str, kind: str, told: str) -> list[str]:
        name = family.removesuffix("_total") if open_metrics and kind == "counter" else family
        return [f"# HELP {name} {told}", f"# TYPE {name} {kind}"]

    families: dict[str, list[tuple[str, Distribution]]] = {}
    for name, values in measures.totals.items():
        if name.name != "ConcurrentExecutions":  # looked at now and then: no counter; environments say it better
            families.setdefault(metric_name(name), []).append((_labels(dict(name.dimensions)), values))
    lines: list[str] = []
    for family, series in sorted(families.items()):
        kind = "histogram" if family.endswith("_seconds") else "counter"
        lines += head(family, kind, _HELP.get(family, "As CloudWatch has it."))
        for labels, values in series:
            lines += (
                _histogram(family, labels, values, open_metrics)
                if kind == "histogram"
                else [_sample(family, labels, values.total)]
            )
    told: set[str] = set()
    for figure in figures:
        if figure.name not in told:
            told.add(figure.name)
            lines += head(figure.name, figure.kind, figure.help)
        lines.append(_sample(figure.name, _labels(figure.labels), figure.value))
    if open_metrics:
        lines.append("# EOF")
    return ("\n".join(lines) + "\n").encode()


def metric_name(name: MetricName) -> str:
    """`aws_lambda_duration_seconds` for `AWS/Lambda Duration`."""
    bare = name.name.replace("4XX", "4xx_").replace("5XX", "5xx_")
    bare = {"4xx": "4xx_error", "5xx": "5xx_error"}.get(bare, _WORD.sub("_", bare).lower().replace("__", "_"))
    if UNITS.get(name.name) == "Milliseconds":
        return f"{_PREFIXES[name.namespace]}_{bare}_seconds"
    return f"{_PREFIXES[name.namespace]}_{bare}{'_bytes' if name.name == 'DataProcessed' else ''}_total"


def _labels(given: Mapping[str, str]) -> str:
    return ",".join(f'{_WORD.sub("_", key).lower()}="{value.translate(_ESCAPES)}"' for key, value in given.items())


def _sample(name: str, labels: str, value: float) -> str:
    shown = f"{value:.17g}"
    return f"{name}{{{labels}}} {shown}" if labels else f"{name} {shown}"


def _histogram(family: str, labels: str, milliseconds: Distribution, open_metrics: bool) -> list[str]:
    comma = "," if labels else ""
    lines, seen = [], 0.0
    spread = list(milliseconds.spread())
    at = 0
    for bound in BOUNDS_SECONDS:
        while at < len(spread) and spread[at][0] <= bound * 1000:
            seen += spread[at][1]
            at += 1
        written = str(float(bound)) if open_metrics else f"{bound:g}"
        lines.append(f'{family}_bucket{{{labels}{comma}le="{written}"}} {seen:.17g}')
    lines.append(f'{family}_bucket{{{labels}{comma}le="+Inf"}} {milliseconds.count:.17g}')
    return [*lines, _sample(f"{family}_sum", labels, milliseconds.total / 1000),
            _sample(f"{family}_count", labels, milliseconds.count)]  # fmt: skip
