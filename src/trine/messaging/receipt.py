"""Receipt handles: what a receiver shows to delete a message, or to hide it longer.

Enters an entry of a queue, leaves a text; enters a text, leaves the entry that it means, or ReceiptHandleIsInvalid.
"""

from __future__ import annotations

import base64
import binascii

from trine.messaging.errors import ReceiptHandleIsInvalid
from trine.messaging.queue import Entry, Queue


def handle_of(queue: Queue, entry: Entry) -> str:
    """The handle of an entry's latest receive."""
    return base64.b64encode(f"{queue.number}:{entry.sequence}:{entry.message_id}:{entry.receipts}".encode()).decode()


def entry_of(queue: Queue, handle: str) -> tuple[Entry | None, int]:
    """(the entry that a handle of this queue means, None when it is gone; the number of the receive it comes from)."""
    try:
        number, sequence, message_id, receipt = base64.b64decode(handle, validate=True).decode().split(":")
        if int(number) != queue.number:
            raise ValueError
        entry = queue.get(int(sequence))
        return (entry if entry is not None and entry.message_id == message_id else None), int(receipt)
    except (ValueError, binascii.Error):
        raise ReceiptHandleIsInvalid(
            f'The input receipt handle "{handle[:256]}" is not a valid receipt handle.'
        ) from None
