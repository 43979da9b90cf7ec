"""Advice: what AWS would deploy and one would regret. Static rules over a resolved template, pure functions.

Each rule is a function from a `Template` to faults of level "warning": the message says why, the hint what to do. A
comment `# trine: quiet rule-id` on the line quiets it there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from trine.cloudformation.faults import Fault, advice_at
from trine.cloudformation.resources import Resource
from trine.cloudformation.rights_advice import full_access, may_call, texts, wide_policies
from trine.cloudformation.template import Template

_REST_SECONDS, _HTTP_SECONDS = 29, 30  # integration timeouts of REST and WebSocket APIs, of HTTP APIs
_STREAM_SECONDS = 900  # a REST API that streams waits so long

_APIS = ("AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api")
_METHODS = {"get", "put", "post", "delete", "patch", "head", "options", "x-amazon-apigateway-any-method"}

_SECRET_NAME = re.compile(
    r"(?i)(secret|password|passwd|private_?key|api_?key|access_?key|auth_?token)(?!.*(arn|name|id)$)"
)
_ACCESS_KEY = re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b")
_QUIET = re.compile(r"(?:#|//)\s*trine:\s*quiet\s+([\w/,\s-]+)")


def advise(template: Template) -> list[Fault]:
    """Every piece of advice on `template`, also what a comment quiets."""
    return sorted({advice for rule in RULES for advice in rule(template)})


def quieted(found: Iterable[Fault]) -> Iterator[Fault]:
    """`found` without what a comment on its line quiets; each once."""
    texts: dict[str, list[str]] = {}
    for advice in dict.fromkeys(found):
        if advice.file not in texts:
            try:
                texts[advice.file] = Path(advice.file).read_text("utf-8", "replace").splitlines()
            except OSError:
                texts[advice.file] = []
        if not _is_quiet(advice, texts[advice.file]):
            yield advice


def _is_quiet(advice: Fault, text: Sequence[str]) -> bool:
    comment = _QUIET.search(text[advice.line - 1]) if 0 < advice.line <= len(text) else None
    return comment is not None and advice.rule in re.split(r"[,\s]+", comment.group(1).strip())


# Functions ---------------------------------------------------------------------------------------------------------


def _secrets(template: Template) -> Iterator[Fault]:
    for function in template.of_type("AWS::Lambda::Function"):
        environment = function.properties.get("Environment")
        variables = environment.get("Variables") if isinstance(environment, Mapping) else None
        for name, value in variables.items() if isinstance(variables, Mapping) else ():
            written = f"Environment.Variables.{name}" not in function.looked_up
            literal = written and isinstance(value, str) and value and not value.startswith("arn:")
            if literal and (_SECRET_NAME.search(str(name)) or _ACCESS_KEY.search(value)):
                why = f"the environment variable {name} of {function.source_id} seems to hold a secret"
                location = function.location_of(f"Environment.Variables.{name}")
                instead = "keep it in Secrets Manager or Parameter Store; for AWS itself the execution role suffices"
                yield advice_at(location, "lambda/secret-in-environment", why, instead)


def _slow_behind_the_gateway(template: Template) -> Iterator[Fault]:
    waits = {api.physical_id: _wait_seconds(api) for api in template.of_type(*_APIS)}
    functions = {name: each for each in template.of_type("AWS::Lambda::Function") for name in _names(each)}
    for permission in template.of_type("AWS::Lambda::Permission"):
        function = functions.get(str(permission.properties.get("FunctionName")))
        api = str(permission.properties.get("SourceArn")).rpartition(":")[2].partition("/")[0]
        if function is None or api not in waits:
            continue
        limit = int(max(waits[api], _patience_seconds(template, function)))
        timeout = function.properties.get("Timeout", 3)
        if isinstance(timeout, int) and timeout > limit:
            why = f"{function.source_id} may run {timeout} s, but its API gives up after {limit} s with an error"
            instead = f"set Timeout to less than {limit}, or answer at once and work asynchronously"
            yield advice_at(function.location_of("Timeout"), "lambda/timeout-above-gateway", why, instead)


def _wait_seconds(api: Resource) -> int:
    """How long an API waits for a function unless an integration says otherwise."""
    is_http = api.type == "AWS::ApiGatewayV2::Api" and api.properties.get("ProtocolType") != "WEBSOCKET"
    return _HTTP_SECONDS if is_http else _REST_SECONDS


def _patience_seconds(template: Template, function: Resource) -> float:
    """The longest that an integration of the function waits where it says so: streamed answers, raised timeouts."""
    integrations = [method.properties.get("Integration") for method in template.of_type("AWS::ApiGateway::Method")]
    for api in template.of_type("AWS::ApiGateway::RestApi"):
        body = api.properties.get("Body")
        paths = body.get("paths") if isinstance(body, Mapping) else None
        for methods in paths.values() if isinstance(paths, Mapping) else ():
            for operation in methods.values() if isinstance(methods, Mapping) else ():
                if isinstance(operation, Mapping):
                    integrations.append(operation.get("x-amazon-apigateway-integration"))
    waits = [0.0]
    for found in integrations:
        integration = {name.lower(): value for name, value in found.items()} if isinstance(found, Mapping) else {}
        if any(name in str(integration.get("uri")) for name in _names(function)):
            streams = integration.get("responsetransfermode") == "STREAM"
            milliseconds = integration.get("timeoutinmillis")
            waits.append(_STREAM_SECONDS if streams else milliseconds / 1000 if isinstance(milliseconds, int) else 0)
    return max(waits)


def _no_dead_letters(template: Template) -> Iterator[Fault]:
    for mapping in template.of_type("AWS::Lambda::EventSourceMapping"):
        source = str(mapping.properties.get("EventSourceArn"))
        if ":dynamodb:" in source or ":kinesis:" in source:
            destination = mapping.properties.get("DestinationConfig")
            if not isinstance(destination, Mapping) or "OnFailure" not in destination:
                why = f"records of {mapping.logical_id} that fail are retried until they expire, and then lost"
                instead = "give DestinationConfig: OnFailure, and MaximumRetryAttempts"
                yield advice_at(mapping.location, "lambda/no-failure-destination", why, instead)
    caught = {str(each.properties.get("FunctionName")) for each in template.of_type("AWS::Lambda::EventInvokeConfig")}
    functions = {name: each for each in template.of_type("AWS::Lambda::Function") for name in _names(each)}
    for permission in template.of_type("AWS::Lambda::Permission"):
        function = functions.get(str(permission.properties.get("FunctionName")))
        service = str(permission.properties.get("Principal")).partition(".")[0]
        if function is None or service not in ("sns", "s3", "events", "iot"):
            continue
        if "DeadLetterConfig" not in function.properties and not _names(function) & caught:
            why = f"{function.source_id} is invoked asynchronously ({service}): events that fail three times are lost"
            instead = "give it a DeadLetterQueue, or EventInvokeConfig with an OnFailure destination"
            yield advice_at(function.location, "lambda/no-dead-letter-queue", why, instead)


def _no_way_to_the_table(template: Template) -> Iterator[Fault]:
    own_subnets = {subnet.physical_id for subnet in template.of_type("AWS::EC2::Subnet")}
    endpoints = [str(each.properties.get("ServiceName")) for each in template.of_type("AWS::EC2::VPCEndpoint")]
    if any(name.endswith(".dynamodb") for name in endpoints) or template.of_type("AWS::EC2::NatGateway"):
        return
    for function in template.of_type("AWS::Lambda::Function"):
        network = function.properties.get("VpcConfig")
        subnets = texts(network.get("SubnetIds")) if isinstance(network, Mapping) else []
        if own_subnets.intersection(subnets) and may_call(template, function, "dynamodb"):
            why = f"{function.source_id} stands in a VPC without a way to DynamoDB: its calls will time out"
            instead = "add an AWS::EC2::VPCEndpoint of type Gateway for com.amazonaws.<region>.dynamodb"
            yield advice_at(function.location_of("VpcConfig"), "lambda/vpc-without-endpoint", why, instead)


def _names(function: Resource) -> set[str]:
    return {function.physical_id, str(function.attributes.get("Arn"))}


# Doors and tables --------------------------------------------------------------------------------------------------


def _public_routes(template: Template) -> Iterator[Fault]:
    for api in template.of_type(*_APIS):
        body = api.properties.get("Body")
        paths = body.get("paths") if isinstance(body, Mapping) else None
        everywhere = body.get("security") if isinstance(body, Mapping) else None
        open_routes = [
            f"{'ANY' if method.startswith('x-') else method.upper()} {path}"
            for path, methods in (paths.items() if isinstance(paths, Mapping) else ())
            for method, operation in (methods.items() if isinstance(methods, Mapping) else ())
            if method in _METHODS - {"options"} and isinstance(operation, Mapping)
            if not operation.get("security", everywhere)
        ]
        if open_routes:
            why = f"{api.source_id} lets everybody call {', '.join(open_routes)}"
            instead = "give the API an authorizer (Auth: DefaultAuthorizer), or quiet this rule where it is meant so"
            yield advice_at(api.location, "apigateway/public-route", why, instead)


def _fixed_capacity(template: Template) -> Iterator[Fault]:
    scaled = {
        str(each.properties.get("ResourceId"))
        for each in template.of_type("AWS::ApplicationAutoScaling::ScalableTarget")
    }
    for table in template.of_type("AWS::DynamoDB::Table"):
        if (
            table.properties.get("BillingMode", "PROVISIONED") == "PROVISIONED"
            and f"table/{table.physical_id}" not in scaled
        ):
            why = f"{table.source_id} has a fixed capacity: a spike is throttled, and idle hours are paid"
            instead = "use BillingMode: PAY_PER_REQUEST, or give it auto scaling"
            yield advice_at(table.location_of("ProvisionedThroughput"), "dynamodb/fixed-capacity", why, instead)


RULES: tuple[Callable[[Template], Iterator[Fault]], ...] = (
    wide_policies,
    full_access,
    _secrets,
    _slow_behind_the_gateway,
    _no_dead_letters,
    _no_way_to_the_table,
    _public_routes,
    _fixed_capacity,
)
