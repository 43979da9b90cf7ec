"""The scrape, read by Prometheus's own parser."""

from __future__ import annotations

from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families

from trine.metering.exposition import BOUNDS_SECONDS, Figure, exposition
from trine.metering.measures import DYNAMODB, GATEWAY, LAMBDA, Measures, MetricName

HOSTILE = 'a"b\\c\nd{}=,# é‮'


def test_prometheus_reads_it() -> None:
    measures = Measures()
    route = (("ApiName", HOSTILE), ("Method", "GET"), ("Resource", "/u"), ("Stage", "Prod"))
    measures.add(MetricName(GATEWAY, "Count", route), 1.0, 3)
    measures.add(MetricName(GATEWAY, "4XXError", route), 1.0)
    for milliseconds in (0.4, 3.0, 70.0, 2_000_000.0):
        measures.add(MetricName(LAMBDA, "Duration", (("FunctionName", "f"),)), milliseconds)
    measures.add(MetricName(DYNAMODB, "UserErrors", ()), 1.0)
    measures.add(MetricName(GATEWAY, "DataProcessed", (("ApiId", "i"), ("Route", "GET /"), ("Stage", "s"))), 1500.0)
    figures = [
        Figure("trine_x", "gauge", "An x.", 1.5, {"a": HOSTILE}),
        Figure("trine_x", "gauge", "An x.", 2, {"a": "b"}),
    ]
    assert len(list(measures.turn())) == 11
    families = {
        family.name: family for family in text_string_to_metric_families(exposition(measures, figures).decode())
    }
    (count,) = families["aws_apigateway_count"].samples
    assert count.value == 3, "by route only"
    assert count.labels == {"api_name": HOSTILE, "method": "GET", "resource": "/u", "stage": "Prod"}
    assert families["aws_apigateway_4xx_error"].type == "counter"
    assert families["aws_dynamodb_user_errors"].samples[0].labels == {}
    assert families["aws_apigateway_data_processed_bytes"].samples[0].value == 1500
    duration = families["aws_lambda_duration_seconds"]
    buckets = {sample.labels["le"]: sample.value for sample in duration.samples if sample.name.endswith("_bucket")}
    assert (buckets["0.0005"], buckets["0.005"], buckets["0.1"], buckets["900"], buckets["+Inf"]) == (1, 2, 3, 3, 4)
    assert len(buckets) == len(BOUNDS_SECONDS) + 1
    assert [sample.value for sample in duration.samples if sample.name.endswith("_count")] == [4]
    assert [sample.labels["a"] for sample in families["trine_x"].samples] == [HOSTILE, "b"]


def test_openmetrics_holds_the_same() -> None:
    measures = Measures()
    measures.add(MetricName(GATEWAY, "Count", (("ApiName", HOSTILE), ("Resource", "/u"), ("Stage", "Prod"))), 1.0, 3)
    for milliseconds in (0.4, 3.0, 2_000_000.0):
        measures.add(MetricName(LAMBDA, "Duration", (("FunctionName", "f"),)), milliseconds)
    figures = [Figure("trine_x", "gauge", "An x.", 1.5, {"a": HOSTILE}), Figure("trine_y_total", "counter", "A y.", 2)]
    plain = text_string_to_metric_families(exposition(measures, figures).decode())
    strict = open_metrics(exposition(measures, figures, open_metrics=True).decode())
    assert {
        (sample.name, *(value for name, value in sorted(sample.labels.items()) if name != "le"), sample.value)
        for family in strict
        for sample in family.samples
    } == {
        (sample.name, *(value for name, value in sorted(sample.labels.items()) if name != "le"), sample.value)
        for family in plain
        for sample in family.samples
    }


def test_nothing_measured_is_a_scrape_too() -> None:
    assert list(open_metrics(exposition(Measures(), [], open_metrics=True).decode())) == []
    assert list(text_string_to_metric_families(exposition(Measures(), []).decode())) == []
