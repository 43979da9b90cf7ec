"""Dashboards: kept and given back as they were put; nothing here draws them.

Enters PutDashboard and its relatives, leaves documents of the catalogue. Source: API reference, PutDashboard.
"""

from __future__ import annotations

import re
from asyncio import Future
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from trine.aws.arn import Place
from trine.aws.catalogue import Catalogue
from trine.clock import Clock
from trine.cloudwatch import limits
from trine.cloudwatch.errors import DashboardInvalidInput, DashboardNotFound, InvalidParameterValue

KIND = "cloudwatch:dashboard"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")


class Dashboards:
    """The dashboards of one account."""

    def __init__(self, clock: Clock, place: Place, catalogue: Catalogue) -> None:
        self._clock, self._place, self._catalogue = clock, place, catalogue

    def arn(self, name: str) -> str:
        """The ARN of a dashboard; dashboards belong to no region."""
        return f"arn:aws:cloudwatch::{self._place.account_id}:dashboard/{name}"

    def put(self, name: str, body: str) -> Future[None]:
        """Keep a dashboard; resolves when durable. DashboardInvalidInput, InvalidParameterValue (its name)."""
        if _NAME.fullmatch(name) is None:
            raise InvalidParameterValue(
                "The value for field DashboardName contains invalid characters. It can only contain alphanumerics, "
                "dash (-) and underscore (_).\n"
            )
        if len(body.encode()) > limits.DASHBOARD_MAX_BYTES:
            raise DashboardInvalidInput(f"DashboardBody has at most {limits.DASHBOARD_MAX_BYTES} bytes in Trine.")
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise DashboardInvalidInput(f"The field DashboardBody must be a valid JSON object: {error}") from None
        if not isinstance(document, dict):
            raise DashboardInvalidInput("The field DashboardBody must be a valid JSON object.")
        known = self._catalogue.get(KIND, name) is not None
        if not known and sum(1 for _ in self._catalogue.list(KIND)) >= limits.DASHBOARDS_MAX_COUNT:
            raise DashboardInvalidInput(f"At most {limits.DASHBOARDS_MAX_COUNT} dashboards are kept.")
        return self._catalogue.put(KIND, name, {"body": body, "at": self._clock.now()})

    def get(self, name: str) -> Mapping[str, Any]:
        """GetDashboard's answer. DashboardNotFound."""
        found = self._catalogue.get(KIND, name)
        if found is None:
            raise DashboardNotFound(f"Dashboard {name[:255]} does not exist")
        return {"DashboardArn": self.arn(name), "DashboardName": name, "DashboardBody": found["body"]}

    def entries(self, prefix: str) -> list[dict[str, Any]]:
        """ListDashboards' entries, by name."""
        return [
            {"DashboardName": name, "DashboardArn": self.arn(name), "LastModified": document["at"],
             "Size": len(document["body"].encode())}
            for name, document in self._catalogue.list(KIND) if name.startswith(prefix)
        ]  # fmt: skip

    def delete(self, names: Sequence[str]) -> list[Future[None]]:
        """Forget dashboards. DashboardNotFound, with none forgotten, when one does not exist."""
        for name in names:
            self.get(name)
        return [self._catalogue.delete(KIND, name) for name in names]
