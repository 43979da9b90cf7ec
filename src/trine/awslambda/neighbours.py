"""What the function wing is handed of other wings: streams and queues to read, and whoever takes messages.

`stack` makes it; each member is made when it is first asked for, so that a stack without queues never pays for them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from trine.aws.queues import Messenger, QueueReader
from trine.aws.streams import StreamReader


class Neighbours:
    """Protocols of `trine.aws`, offered by others; None where nobody does."""

    def __init__(
        self,
        streams: Callable[[], StreamReader] | None = None,
        queues: Callable[[], QueueReader] | None = None,
        messenger: Callable[[], Messenger] | None = None,
    ) -> None:
        self._streams, self._queues, self._messenger = streams, queues, messenger

    @cached_property
    def streams(self) -> StreamReader | None:
        """Streams of tables."""
        return None if self._streams is None else self._streams()

    @cached_property
    def queues(self) -> QueueReader | None:
        """Queues."""
        return None if self._queues is None else self._queues()

    @cached_property
    def messenger(self) -> Messenger | None:
        """Queues, topics and event buses that messages are sent to."""
        return None if self._messenger is None else self._messenger()
