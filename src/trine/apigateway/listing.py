"""The table of routes, for people: what the CLI prints when a stack is ready.

Enters the `Directory` of all stages; leaves one `RouteListing` per route and stage.
"""

from __future__ import annotations

from typing import NamedTuple

from trine.apigateway.stage import APIS_PREFIX, Directory


class RouteListing(NamedTuple):
    """One line of the table."""

    api_id: str
    api_name: str
    kind: str
    """`REST` or `HTTP`."""
    stage: str
    method: str
    path: str
    url_path: str
    """Path at `/_apis/…`, where every route can be reached whatever the Host header."""
    target: str
    """Function ARN, URI, or why nothing is behind it."""
    authorization: str
    is_default: bool
    """True when the route also answers without any prefix."""


def list_routes(directory: Directory) -> list[RouteListing]:
    """Every route of every stage, in template order."""
    default = directory.default
    listing: list[RouteListing] = []
    for deployed in directory.stages:
        api = deployed.api
        for route in deployed.routes:
            path = route.route.path
            below = "" if path == "$default" else path
            integration = route.integration
            listing.append(
                RouteListing(
                    api_id=api.id,
                    api_name=api.name,
                    kind=api.kind.value,
                    stage=deployed.stage.name,
                    method=route.route.method,
                    path=path,
                    url_path=f"{APIS_PREFIX}{api.id}{deployed.prefix}{below}",
                    target=route.function or integration.problem or integration.uri or integration.type.value,
                    authorization=route.route.authorization.value,
                    is_default=deployed is default,
                )
            )
    return listing
