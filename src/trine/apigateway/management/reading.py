"""What operations of both versions look up: an API, a stage, one among what is shown, custom domain names.

Enters the gateway and a name that a caller gave; leaves what has it. Raises NotFound with AWS's words.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from trine.apigateway.api import Api, Stage
from trine.apigateway.gateway import Gateway
from trine.apigateway.management.made_keys import NotFound
from trine.aws.arn import Place

Given = Mapping[str, Any]
"""An operation's input by the model's member names."""
Shown = dict[str, Any]
Operation = Callable[[Given], Shown | Awaitable[Shown]]


class Reading:
    """The APIs of one version: `rest` for version 1, HTTP APIs otherwise."""

    def __init__(self, gateway: Gateway, place: Place, *, rest: bool) -> None:
        self._gateway, self._place, self._rest = gateway, place, rest

    def apis(self) -> list[Api]:
        """All of this version."""
        return [api for api in self._gateway.apis if api.is_rest is self._rest]

    def api(self, api_id: str) -> Api:
        """The one with this id."""
        for api in self.apis():
            if api.id == api_id:
                return api
        raise NotFound(f"Invalid API identifier specified {self._place.account_id}:{api_id}")

    def stage(self, api_id: str, name: str) -> Stage:
        """One stage of an API."""
        for stage in self.api(api_id).stages:
            if stage.name == name:
                return stage
        raise NotFound("Invalid stage identifier specified")

    def domains(self) -> list[str]:
        """The custom domain names that lead to these APIs."""
        return list(dict.fromkeys(mapping.domain for api in self.apis() for mapping in api.domains))


def one_of(shown: Iterable[Shown], member: str, wanted: str, otherwise: str) -> Shown:
    """The one whose `member` is `wanted`. NotFound with the words `otherwise`."""
    for one in shown:
        if one[member] == wanted:
            return one
    raise NotFound(otherwise)
