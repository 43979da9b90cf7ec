"""CloudWatch's door with real clients, in each protocol, and what it refuses."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.cloudwatch.conftest import client_speaking
from tests.pattern.conftest import http
from trine.aws.protocol_choice import ServiceModels
from trine.cloudwatch.endpoint import TARGET_PREFIX
from trine.cloudwatch.errors import DashboardNotFound, ResourceNotFound
from trine.http.message import Headers, Request
from trine.testing import RunningStack

PROTOCOLS = ("query", "json", "smithy-rpc-v2-cbor")


def _range(stack: RunningStack) -> dict[str, datetime.datetime]:
    now = datetime.datetime.fromtimestamp(stack.stack.wings.clock.now(), datetime.UTC)
    return {"StartTime": now - datetime.timedelta(hours=1), "EndTime": now + datetime.timedelta(minutes=1)}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_is_put_is_found_in_every_protocol(stack: RunningStack, protocol: str) -> None:
    client = client_speaking(stack, protocol)
    dimensions = [{"Name": "protocol", "Value": protocol}]
    data: list[dict[str, Any]] = [
        {"MetricName": "Put", "Dimensions": dimensions, "Unit": "Seconds", "Values": [1.0, 2.0], "Counts": [3.0, 1.0]},
        {"MetricName": "Put", "Dimensions": dimensions, "Unit": "Seconds",
         "StatisticValues": {"SampleCount": 2, "Sum": 10, "Minimum": 5, "Maximum": 5}},
    ]  # fmt: skip
    client.put_metric_data(Namespace="Protocols", MetricData=data)
    (metric,) = client.list_metrics(Namespace="Protocols", Dimensions=dimensions)["Metrics"]
    assert metric == {"Namespace": "Protocols", "MetricName": "Put", "Dimensions": dimensions}
    (point,) = client.get_metric_statistics(
        **metric, **_range(stack), Period=60, Statistics=["SampleCount", "Sum", "Maximum"], ExtendedStatistics=["p50"]
    )["Datapoints"]
    assert (point["SampleCount"], point["Sum"], point["Maximum"], point["Unit"]) == (6, 15, 5, "Seconds")
    assert point["ExtendedStatistics"]["p50"] == pytest.approx(1, rel=0.02)
    queries = [
        {"Id": "s", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}, "ReturnData": False},
        {"Id": "double", "Expression": "s * 2", "Label": "twice"},
    ]
    (result,) = client.get_metric_data(MetricDataQueries=queries, **_range(stack))["MetricDataResults"]
    assert (result["Id"], result["Label"], result["Values"], result["StatusCode"]) == (
        "double",
        "twice",
        [30],
        "Complete",
    )
    assert result["Timestamps"][0].timestamp() % 60 == 0


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_errors_keep_their_class_in_every_protocol(stack: RunningStack, protocol: str) -> None:
    client = client_speaking(stack, protocol)
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="AWS/"):
        client.put_metric_data(Namespace="AWS/Mine", MetricData=[{"MetricName": "m", "Value": 1}])
    with pytest.raises(client.exceptions.ResourceNotFound, match="none"):
        client.set_alarm_state(AlarmName="none", StateValue="OK", StateReason="because")
    with pytest.raises(ClientError, match="Dashboard none does not exist"):
        client.get_dashboard(DashboardName="none")
    with pytest.raises(ClientError, match="UnsupportedOperation"):
        client.put_anomaly_detector(Namespace="N", MetricName="m", Stat="Sum")


def test_a_statistic_set_hides_its_percentiles(stack: RunningStack) -> None:
    client = stack.client("cloudwatch")
    hidden = {"SampleCount": 4, "Sum": 40, "Minimum": 1, "Maximum": 20}
    data: list[Any] = [{"MetricName": "Set", "StatisticValues": hidden}, {"MetricName": "Set", "Value": 5.0}]
    client.put_metric_data(Namespace="Hidden", MetricData=data)
    asked = {"Namespace": "Hidden", "MetricName": "Set", **_range(stack), "Period": 60}
    both = client.get_metric_statistics(**asked, Statistics=["Sum"], ExtendedStatistics=["p50", "tm90"])
    assert [(point["Sum"], point["ExtendedStatistics"]) for point in both["Datapoints"]] == [(45, {})]
    assert client.get_metric_statistics(**asked, ExtendedStatistics=["p50"])["Datapoints"] == []
    metric = {"Namespace": "Hidden", "MetricName": "Set"}
    query = {"Id": "p", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "p50"}}
    (result,) = client.get_metric_data(MetricDataQueries=[query], **_range(stack))["MetricDataResults"]
    assert result["Values"] == []


def test_errors_that_share_an_older_code_keep_their_types() -> None:
    """SDKs for Go and Java choose the class by the type, not by the older code that alarms and dashboards share."""
    models = ServiceModels("cloudwatch", TARGET_PREFIX, frozenset({"SetAlarmState", "GetDashboard"}))
    headers = Headers([(b"x-amz-target", f"{TARGET_PREFIX}.SetAlarmState".encode())])
    model = models.of(Request("POST", b"/", headers, b"", ""))
    for error, name in (
        (ResourceNotFound("gone"), "ResourceNotFound"),
        (DashboardNotFound("gone"), "DashboardNotFoundError"),
    ):
        answer = model.render_error(error, "id")
        assert isinstance(answer.body, bytes)
        assert json.loads(answer.body)["__type"] == name
        assert (b"x-amzn-query-error", b"ResourceNotFound;Sender") in answer.headers


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_dashboards_are_kept_as_they_were_put(stack: RunningStack, protocol: str) -> None:
    client, name = client_speaking(stack, protocol), f"board-{protocol}"
    body = '{"widgets": [{"type": "text", "properties": {"markdown": "hello"}}]}'
    assert client.put_dashboard(DashboardName=name, DashboardBody=body)["DashboardValidationMessages"] == []
    assert client.get_dashboard(DashboardName=name)["DashboardBody"] == body
    (entry,) = client.list_dashboards(DashboardNamePrefix=name)["DashboardEntries"]
    assert (entry["DashboardName"], entry["Size"]) == (name, len(body))
    client.delete_dashboards(DashboardNames=[name])
    assert client.list_dashboards(DashboardNamePrefix=name)["DashboardEntries"] == []
    for wrong in ("no JSON", "[]"):
        with pytest.raises(client.exceptions.DashboardInvalidInputError):
            client.put_dashboard(DashboardName=name, DashboardBody=wrong)
    with pytest.raises(ClientError, match="The value for field DashboardName contains invalid characters"):
        client.put_dashboard(DashboardName="no name", DashboardBody=body)


def test_an_alarm_that_is_gone_has_no_tags(stack: RunningStack) -> None:
    client = stack.client("cloudwatch")
    gone = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:gone"
    assert client.list_tags_for_resource(ResourceARN=gone)["Tags"] == []


def test_a_long_body_comes_compressed(stack: RunningStack) -> None:
    client = stack.client("cloudwatch")
    data = [{"MetricName": f"Compressed{number}", "Value": number} for number in range(500)]
    client.put_metric_data(Namespace="Long", MetricData=data)
    pages = list(client.get_paginator("list_metrics").paginate(Namespace="Long"))
    assert sum(len(page["Metrics"]) for page in pages) == 500


def test_labels_say_what_was_found(stack: RunningStack) -> None:
    client = stack.client("cloudwatch")
    now = stack.stack.wings.clock.now()
    data: list[Any] = [
        {"MetricName": "Busy", "Dimensions": [{"Name": "host", "Value": host}], "Value": value, "Timestamp": now - age}
        for host, value, age in (("a", 1.5, 120), ("a", 4.0, 60), ("b", 9.0, 60))
    ]
    client.put_metric_data(Namespace="Labels", MetricData=data)

    def labels(label: str, **query: Any) -> list[str]:
        asked: Any = [{"Id": "q", "Label": label, **query}]
        results = client.get_metric_data(MetricDataQueries=asked, **_range(stack))["MetricDataResults"]
        return [result["Label"] for result in results]

    metric = {"Namespace": "Labels", "MetricName": "Busy", "Dimensions": [{"Name": "host", "Value": "a"}]}
    stat = {"MetricStat": {"Metric": metric, "Period": 60, "Stat": "Maximum"}}
    assert labels("${LABEL} ${MAX} ${MIN} ${AVG} ${LAST} ${SUM} ${DATAPOINT_COUNT}", **stat) == [
        "Busy 4 1.5 2.75 4 5.5 2"
    ]
    asked = "${PROP('Dim.host')} ${PROP('Stat')} ${PROP('Region')} ${PROP('Dim.none')} ${MAX_TIME} $MAX"
    assert labels(asked, **stat) == ["a Maximum us-east-1 ${PROP('Dim.none')} ${MAX_TIME} $MAX"]
    search = "SEARCH('{Labels,host} Busy', 'Sum', 60)"
    assert labels("of ${PROP('Dim.host')}", Expression=search) == ["of a", "of b"]
    absent = {"Metric": {**metric, "MetricName": "Never"}, "Period": 60, "Stat": "Sum"}
    assert labels("${LABEL}: ${MAX}", MetricStat=absent) == ["Never: --"]
    with pytest.raises(ClientError, match="Id is not matching the expected pattern"):
        client.get_metric_data(MetricDataQueries=[{"Id": "Q", **stat}], **_range(stack))  # type: ignore[typeddict-item]


def test_results_come_in_pages(stack: RunningStack) -> None:
    client = stack.client("cloudwatch")
    now = stack.stack.wings.clock.now()
    data = [{"MetricName": "Paged", "Value": 1, "Timestamp": now - 60 * minute} for minute in range(10)]
    client.put_metric_data(Namespace="Paged", MetricData=data)
    metric = {"Namespace": "Paged", "MetricName": "Paged"}
    query = [{"Id": "q", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}]
    pages = list(
        client.get_paginator("get_metric_data").paginate(
            MetricDataQueries=query, **_range(stack), PaginationConfig={"PageSize": 4}, ScanBy="TimestampAscending"
        )
    )
    times = [time for page in pages for result in page["MetricDataResults"] for time in result["Timestamps"]]
    assert len(pages) == 3
    assert times == sorted(set(times))
    assert len(times) == 10


@pytest.mark.parametrize(
    ("datum", "code"),
    [
        ({"MetricName": "m"}, "MissingParameter"),
        ({"MetricName": "m", "Value": 1, "Values": [1]}, "InvalidParameterCombination"),
        ({"MetricName": "m", "Value": float("nan")}, "InvalidParameterValue"),
        ({"MetricName": "m", "Value": 1e300}, "InvalidParameterValue"),
        ({"MetricName": "m", "Values": [1], "Counts": [1, 2]}, "InvalidParameterValue"),
        ({"MetricName": "m", "Value": 1, "Timestamp": 1}, "InvalidParameterValue"),
        ({"MetricName": "m", "Value": 1, "StorageResolution": 7}, "InvalidParameterValue"),
        ({"MetricName": "m", "Value": 1, "Unit": "Furlongs"}, "Validation"),
        ({"MetricName": "m", "Value": 1, "Dimensions": [{"Name": "a", "Value": "é"}]}, "InvalidParameterValue"),
        ({"MetricName": "m", "Value": 1, "Dimensions": [{"Name": "a", "Value": "1"}] * 2}, "InvalidParameterValue"),
    ],
    ids=str,
)
def test_bad_data_is_refused_in_awss_words(stack: RunningStack, datum: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as refused:
        stack.client("cloudwatch").put_metric_data(Namespace="Bad", MetricData=[datum])
    assert refused.value.response["Error"]["Code"].startswith(code)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize("body", [b"", b"\xff", b"\x9f", b"\xa1\x01", b"[]", b"{", b"Action=", b"\x81" * 5000])
@pytest.mark.parametrize("headers", [
    {"smithy-protocol": "rpc-v2-cbor"}, {"x-amz-target": "GraniteServiceVersion20100801.PutMetricData"}, {},
    {"content-encoding": "gzip"}, {"content-encoding": "br"},
])  # fmt: skip
def test_nonsense_is_never_a_500(stack: RunningStack, headers: dict[str, str], body: bytes) -> None:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    key = stack.stack.wings.access.owner_credentials()
    url = f"{stack.aws_url}/service/GraniteServiceVersion20100801/operation/PutMetricData"
    wish = AWSRequest(method="POST", url=url, data=body, headers=headers)
    SigV4Auth(Credentials(key.access_key_id, key.secret_access_key), "monitoring", "us-east-1").add_auth(wish)
    answer = http("POST", url, body or b"", dict(wish.headers.items()))
    assert 400 <= answer.status < 500


def test_iam_decides(stack: RunningStack) -> None:
    iam = stack.client("iam")
    iam.create_user(UserName="watcher")
    document = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "cloudwatch:PutMetricData", "Resource": "*",
         "Condition": {"StringEquals": {"cloudwatch:namespace": "Mine"}}}]}  # fmt: skip
    iam.put_user_policy(UserName="watcher", PolicyName="put", PolicyDocument=json.dumps(document))
    key = iam.create_access_key(UserName="watcher")["AccessKey"]
    import boto3

    client = boto3.client(
        "cloudwatch", endpoint_url=stack.aws_url, region_name="us-east-1",
        aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"],
    )  # fmt: skip
    client.put_metric_data(Namespace="Mine", MetricData=[{"MetricName": "m", "Value": 1}])
    with pytest.raises(ClientError, match="not authorized to perform: cloudwatch:PutMetricData"):
        client.put_metric_data(Namespace="Yours", MetricData=[{"MetricName": "m", "Value": 1}])
    with pytest.raises(ClientError, match="not authorized to perform: cloudwatch:ListMetrics"):
        client.list_metrics()


def test_the_aws_cli_reads_metrics_of_the_front_door(stack: RunningStack) -> None:
    assert http("POST", f"{stack.url}/order").status == 200
    key = stack.stack.wings.access.owner_credentials()
    queries = [{"Id": "c", "MetricStat": {"Period": 60, "Stat": "Sum", "Metric": {
        "Namespace": "AWS/ApiGateway", "MetricName": "Count",
        "Dimensions": [{"Name": "ApiId", "Value": stack.description["apis"][0]["id"]}]}}}]  # fmt: skip
    span = _range(stack)
    run = subprocess.run(
        [Path(sys.executable).with_name("aws"), "cloudwatch", "get-metric-data",
         "--metric-data-queries", json.dumps(queries), "--start-time", span["StartTime"].isoformat(),
         "--end-time", span["EndTime"].isoformat(), "--endpoint-url", stack.aws_url, "--output", "json"],
        capture_output=True, check=False, timeout=50,
        env={**os.environ, "AWS_ACCESS_KEY_ID": key.access_key_id, "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
             "AWS_DEFAULT_REGION": "us-east-1"},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    (result,) = json.loads(run.stdout)["MetricDataResults"]
    assert sum(result["Values"]) >= 1
