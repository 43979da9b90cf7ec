"""What a running stack offers, as plain JSON values: printed at start, by `--json`, and shown in the console.

Enters the built stack, leaves one document: APIs with their URLs and routes, functions, tables, outputs, manifest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from trine.apigateway.api import Api, ApiKind, Stage
from trine.aws.arn import Place
from trine.awslambda.urls.config import UrlConfig, address, local_address
from trine.cloudformation.manifest import ManifestRow
from trine.cloudformation.resources import Resource
from trine.cloudformation.template import Template

LOCAL_DOMAIN = "execute-api.localhost"


def describe_apis(apis: Sequence[Api], host: str, front_port: int) -> list[dict[str, Any]]:
    """Each API with its kind, addresses and routes; the first one that has a stage also answers at the root."""
    root = f"http://{url_host(host)}:{front_port}"
    first = next((api for api in apis if api.stages and api.kind is not ApiKind.WEBSOCKET), None)
    return [
        {
            "id": api.id,
            "logicalId": api.logical_id,
            "name": api.name,
            "kind": api.kind.value,
            "url": f"{root}/" if api is first else _path_url(root, api, _default_stage(api)),
            "stages": [
                {
                    "name": stage.name,
                    "url": f"{_scheme(api)}://{api.id}.{LOCAL_DOMAIN}:{front_port}{_stage_path(api, stage)}",
                    "pathUrl": _path_url(root, api, stage),
                }
                for stage in api.stages
            ],
            "routes": [
                {
                    "method": route.method,
                    "path": route.path,
                    "function": _function_name(route.integration.function),
                    "integration": route.integration.type.value,
                    "authorization": route.authorization.value,
                    "apiKeyRequired": route.api_key_required,
                }
                for route in api.routes
            ],
        }
        for api in apis
    ]


def describe_functions(resources: Iterable[Resource]) -> list[dict[str, Any]]:
    """Each function with what people look for first."""
    return [
        {
            "logicalId": resource.source_id or resource.logical_id,
            "name": resource.name,
            "arn": resource.attributes.get("Arn"),
            "runtime": resource.properties.get("Runtime", ""),
            "handler": resource.properties.get("Handler", ""),
            "memoryMb": int(resource.properties.get("MemorySize", 128)),
            "timeoutSeconds": int(resource.properties.get("Timeout", 3)),
            "role": resource.properties.get("Role", ""),
        }
        for resource in resources
    ]


def describe_urls(urls: Iterable[UrlConfig], place: Place, host: str, front_port: int) -> list[dict[str, Any]]:
    """Each function URL: AWS's address, the one that answers here, and one for clients that cannot resolve it."""
    return [
        {
            "id": url.id,
            "function": url.function,
            "qualifier": url.qualifier,
            "awsUrl": address(url.id, place.region),
            "url": local_address(url.id, place.region, front_port),
            "pathUrl": f"http://{url_host(host)}:{front_port}/_urls/{url.id}/",
            "authorization": url.auth,
            "invokeMode": "RESPONSE_STREAM" if url.streams else "BUFFERED",
        }
        for url in urls
    ]


def describe_tables(resources: Iterable[Resource]) -> list[dict[str, Any]]:
    """Each table with its keys and indexes in AWS's words."""
    return [
        {
            "logicalId": resource.logical_id,
            "name": resource.name,
            "arn": resource.attributes.get("Arn"),
            "keys": _keys(resource.properties),
            "indexes": {
                str(index.get("IndexName")): _keys(index)
                for name in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")
                for index in resource.properties.get(name) or ()
            },
            "billing": resource.properties.get("BillingMode", "PROVISIONED"),
        }
        for resource in resources
    ]


def local_addresses(
    apis: Iterable[Mapping[str, Any]], urls: Iterable[Mapping[str, Any]], place: Place
) -> dict[str, str]:
    """AWS's address of every stage and function URL → the one that answers here; longer ones first."""
    local = {url["awsUrl"].rstrip("/"): url["url"].rstrip("/") for url in urls}
    for api in apis:
        for stage in api["stages"]:
            path = "" if stage["name"] == "$default" else f"/{stage['name']}"
            aws_url = f"https://{api['id']}.execute-api.{place.region}.amazonaws.com{path}"
            local[aws_url] = stage["pathUrl"].rstrip("/")
    return dict(sorted(local.items(), key=lambda pair: -len(pair[0])))


def describe_outputs(template: Template, local: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """The template's outputs, evaluated; `localUrl` is where one that names an API or a function URL answers here."""
    found: list[dict[str, Any]] = []
    for output in template.outputs.values():
        described = {"name": output.name, "value": output.value, "description": output.description}
        if (here := output.reached_here(local or {})) is not None:
            described["localUrl"] = here
        found.append(described)
    return found


def describe_row(row: ManifestRow) -> dict[str, Any]:
    """One row of the manifest."""
    return {
        "logicalId": row.logical_id,
        "type": row.type,
        "property": row.path,
        "fidelity": row.fidelity.value,
        "line": row.line,
        "remark": row.remark,
    }


def url_host(host: str) -> str:
    """The host as URLs spell it: brackets around IPv6, loopback for the unspecified address."""
    if host in ("", "0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _keys(properties: Mapping[str, Any]) -> list[str]:
    return [f"{key.get('AttributeName')} ({key.get('KeyType')})" for key in properties.get("KeySchema") or ()]


def _default_stage(api: Api) -> Stage:
    return next((stage for stage in api.stages if stage.is_default), api.stages[0] if api.stages else Stage("$default"))


def _scheme(api: Api) -> str:
    return "ws" if api.kind is ApiKind.WEBSOCKET else "http"


def _end(api: Api) -> str:
    return "" if api.kind is ApiKind.WEBSOCKET else "/"  # nothing lies below the stage of a WebSocket API


def _stage_path(api: Api, stage: Stage) -> str:
    return "/" if stage.is_default else f"/{quote(stage.name)}{_end(api)}"


def _path_url(root: str, api: Api, stage: Stage) -> str:
    root = root.replace("http", _scheme(api), 1)
    return f"{root}/_apis/{api.id}/{quote(stage.name, safe='$')}{_end(api)}"


def _function_name(function: str | None) -> str | None:
    return function.rpartition(":function:")[2] if function is not None else None
