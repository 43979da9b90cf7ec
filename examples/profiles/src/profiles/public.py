"""GET /profiles/{id} of the public HTTP API: what everybody may see of a profile."""

from __future__ import annotations

from profiles.get import read
from profiles.proxy import Answer, Event, answer, operation, path_parameter


@operation
def handler(event: Event) -> Answer:
    """Read eventually consistently: half the price, and the public page may lag a little."""
    profile = read(path_parameter(event, "id"), consistent=False)
    public = {"id": profile.id, "name": profile.name, "created_at": profile.created_at}
    return answer(200, public, {"cache-control": "public, max-age=10"})
