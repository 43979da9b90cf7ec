"""The Lambda API's operations on resource policies of functions: AddPermission, RemovePermission, GetPolicy.

A function, each of its versions and each of its aliases has a policy of its own. Enters an operation's checked input,
leaves its output. Raises AwsError.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

from trine.awslambda.errors import InvalidParameterValue, PreconditionFailed, ResourceConflict, ResourceNotFound
from trine.awslambda.function import LATEST
from trine.awslambda.permission import resource_of, statement_of
from trine.awslambda.registry import Entry
from trine.awslambda.service import Service

Given = Mapping[str, Any]


class PolicyOperations:
    """Operations on resource policies."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def operations(self) -> dict[str, Callable[[Given], Awaitable[dict[str, Any]]]]:
        """The operations by name."""
        return {
            "AddPermission": self._add_permission,
            "RemovePermission": self._remove_permission,
            "GetPolicy": self._get_policy,
        }

    async def _add_permission(self, given: Given) -> dict[str, Any]:
        entry, arn = self._find(given)
        if arn.endswith(LATEST):
            raise InvalidParameterValue("We currently do not support adding policies for $LATEST.")
        self._check_revision(entry, arn, given)
        sid = given["StatementId"]
        if self._with_sid(entry, arn, sid):
            raise ResourceConflict(
                f"The statement id ({sid}) provided already exists. Please provide a new statement id, or remove the "
                "existing statement."
            )
        await self._service.deployment.set_permissions(entry.function.name, [*entry.permissions, dict(given)])
        return {"Statement": json.dumps(statement_of(given, entry.function.arn, self._service.place, sid))}

    async def _remove_permission(self, given: Given) -> dict[str, Any]:
        entry, arn = self._find(given)
        removed = self._with_sid(entry, arn, given["StatementId"])
        if not removed:
            raise ResourceNotFound(f"Statement {given['StatementId']} is not found in resource policy.")
        self._check_revision(entry, arn, given)
        kept = [permission for permission in entry.permissions if permission not in removed]
        await self._service.deployment.set_permissions(entry.function.name, kept)
        return {}

    async def _get_policy(self, given: Given) -> dict[str, Any]:
        text = self._text(*self._find(given))
        if text is None:
            raise ResourceNotFound("The resource you requested does not exist.")
        return {"Policy": text, "RevisionId": revision_of(text)}

    def _find(self, given: Given) -> tuple[Entry, str]:
        entry, qualifier = self._service.registry.find(given["FunctionName"], given.get("Qualifier"))
        return entry, entry.arn(qualifier)

    def _with_sid(self, entry: Entry, arn: str, sid: str) -> list[Mapping[str, Any]]:
        place = self._service.place
        return [
            permission
            for number, permission in enumerate(entry.permissions, 1)
            if resource_of(permission, entry.function.arn, place) == arn
            and str(permission.get("StatementId") or f"permission-{number}") == sid
        ]

    def _text(self, entry: Entry, arn: str) -> str | None:
        found = entry.policies.get(arn)
        return None if found is None else found[0]

    def _check_revision(self, entry: Entry, arn: str, given: Given) -> None:
        wanted = given.get("RevisionId")
        text = self._text(entry, arn)
        if wanted is not None and (text is None or revision_of(text) != wanted):
            raise PreconditionFailed(
                "The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API to retrieve "
                "the latest Revision Id"
            )


def revision_of(text: str) -> str:
    """The revision id of a policy: it changes when the text does."""
    return str(UUID(bytes=hashlib.sha256(text.encode()).digest()[:16], version=4))
