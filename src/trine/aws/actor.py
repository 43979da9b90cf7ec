"""Who acts when a service does something for a resource: a function's poller, a rule, a schedule.

A value that wings pass to each other: whoever owns the resource that is acted on asks `iam` whether the actor may.
"""

from __future__ import annotations

from msgspec import Struct


class Actor(Struct, frozen=True):
    """A service at work, with a role's rights or, without one, with what resource policies give the service."""

    service: str
    """Its principal: `lambda.amazonaws.com`, `events.amazonaws.com`."""
    source_arn: str
    """The resource it acts for; `aws:SourceArn` in conditions."""
    role_arn: str | None = None
    session_name: str = "session"
    """The name of the role session, as refusals show it."""
