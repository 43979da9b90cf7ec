"""What an operation of the STS or IAM API is: the resource it is authorized on, and the deed.

Enters checked input by the model's member names, leaves output the same way. Also here: pages of lists, as all of
IAM's List operations cut them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote

from trine.aws.pages import page as cut
from trine.iam.access import Access
from trine.iam.caller import Caller
from trine.iam.errors import ValidationError

Input = Mapping[str, Any]
Output = Mapping[str, Any]

PAGE_DEFAULT = 100
"""IAM API reference, `MaxItems`: 100 by default."""


class Turn(NamedTuple):
    """One call under way: who asks, with what, of which account."""

    access: Access
    caller: Caller | None
    """None only for operations that carry no signature."""
    input: Input

    @property
    def signer(self) -> Caller:
        """The caller of an operation that is signed."""
        assert self.caller is not None
        return self.caller


@dataclass(frozen=True, slots=True)
class ApiOperation:
    """`run` answers; `resource` gives the ARN for the permission check, None: no permission is needed."""

    run: Callable[[Turn], Output | Awaitable[Output]]
    resource: Callable[[Turn], str] | None = None
    signed: bool = True
    context: Callable[[Turn], Mapping[str, Sequence[str]]] | None = None
    """Condition keys of the operation, such as `iam:PolicyARN`."""


def everything(turn: Turn) -> str:
    """Operations that are authorized on `*`."""
    return "*"


def named(kind: str, member: str) -> Callable[[Turn], str]:
    """The ARN of the identity that `member` names; without path when it does not exist yet."""

    def resource(turn: Turn) -> str:
        name = turn.input.get(member)
        if name is None:
            return turn.signer.principal.arn
        found = turn.access.directory.find(kind, name)  # type: ignore[arg-type]
        path = turn.input.get("Path", "/")
        return found.arn if found is not None else turn.access.place.arn("iam", f"{kind}{path}{name}", regional=False)

    return resource


def page(items: Sequence[Any], wanted: Input, member: str) -> dict[str, Any]:
    """The part of `items` that `Marker` and `MaxItems` ask for, under `member`, with `IsTruncated` and `Marker`."""
    try:
        found, following = cut(items, wanted.get("Marker"), int(wanted.get("MaxItems", PAGE_DEFAULT)))
    except ValueError:
        raise ValidationError("Invalid Marker.") from None
    answer: dict[str, Any] = {member: found, "IsTruncated": following is not None}
    return answer if following is None else {**answer, "Marker": following}


def encoded(document: str) -> str:
    """A policy document as IAM returns it: percent-encoded (RFC 3986)."""
    return quote(document, safe="-_.~")


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags in the API's form."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
