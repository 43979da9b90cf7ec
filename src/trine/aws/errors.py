"""An AWS error as a value: the name, the sentence and the status that go over the wire.

Wings raise their own named subclasses; endpoints turn any `AwsError` into their protocol's shape, in one place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class AwsError(Exception):
    """An error with AWS's type and message.

    `code` is the short name (`ResourceNotFoundException`), `message` AWS's sentence, `status` the HTTP status, and
    `members` the further members of the error's shape (such as `CancellationReasons` or `Item`).
    """

    code = "InternalServerError"
    status = 500

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status: int | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code
        if status is not None:
            self.status = status
        self.members: Mapping[str, Any] = members or {}
