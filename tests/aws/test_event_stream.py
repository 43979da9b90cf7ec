"""The binary event stream, read back by botocore's own parser."""

from __future__ import annotations

from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from trine.aws.event_stream import event


@given(st.lists(st.tuples(st.sampled_from(["PayloadChunk", "InvokeComplete"]), st.binary(max_size=500))), st.data())
def test_botocore_reads_it(events: list[tuple[str, bytes]], data: st.DataObject) -> None:
    encoded = b"".join(event(name, payload, "application/json") for name, payload in events)
    cut = data.draw(st.integers(0, len(encoded)))
    buffer = EventStreamBuffer()
    buffer.add_data(encoded[:cut])
    read = list(buffer)
    buffer.add_data(encoded[cut:])
    read += list(buffer)
    assert [(message.headers[":event-type"], message.payload) for message in read] == events
    assert all(message.headers[":message-type"] == "event" for message in read)
