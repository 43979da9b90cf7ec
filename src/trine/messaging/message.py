"""A message: its body, its attributes, and what SQS notes about it; MD5 sums as SDKs check them.

Pure. Enters what a sender gave, leaves a value that is stored as JSON. Sources: SQS API reference,
`MessageAttributeValue`; developer guide, "Calculating the MD5 message digest for message attributes".
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import md5
from typing import Any

import orjson

from trine.messaging import limits
from trine.messaging.errors import InvalidMessageContents, InvalidParameter

Attribute = Mapping[str, Any]
"""`DataType` with `StringValue` (text) or `BinaryValue` (base64 text)."""
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NAME = re.compile(r"(?!aws\.|amazon\.)[\w-]+(\.[\w-]+)*", re.IGNORECASE)
"""AWS documents ASCII letters and takes others too."""
_TYPE = re.compile(r"(String|Number|Binary)(\..+)?")


@dataclass(frozen=True, slots=True)
class Message:
    """One message. Times in seconds since the epoch."""

    message_id: str
    body: str
    sent_at: float
    sender_id: str
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    trace_header: str | None = None
    group_id: str | None = None
    deduplication_id: str | None = None
    sequence_number: str | None = None
    dead_letter_source: str | None = None
    """The queue that it was moved from."""
    earlier_receives: int = 0
    """How often it was received there: `ApproximateReceiveCount` counts on in a dead-letter queue."""

    def encode(self) -> bytes:
        """The stored form."""
        return orjson.dumps(asdict(self))

    @classmethod
    def decode(cls, stored: bytes) -> Message:
        """The message of a stored form."""
        return cls(**orjson.loads(stored))


def checked_attributes(given: Mapping[str, Any]) -> dict[str, Attribute]:
    """Message attributes as they are stored. InvalidParameter, InvalidMessageContents."""
    if len(given) > limits.ATTRIBUTES_MAX:
        raise InvalidParameter(f"Number of message attributes [{len(given)}] exceeds the allowed maximum [10].")
    checked: dict[str, Attribute] = {}
    for name, value in given.items():
        if len(name) > 256 or not _NAME.fullmatch(name):
            raise InvalidParameter(f"The message attribute name '{name}' is invalid.")
        data_type = value.get("DataType") or ""
        if len(data_type) > 256 or not _TYPE.fullmatch(data_type):
            raise InvalidParameter(
                f"The message attribute '{name}' has an invalid message attribute type, the set of supported type "
                "prefixes is Binary, Number, and String."
            )
        if data_type.startswith("Binary"):
            raw = value.get("BinaryValue")
            if not raw:
                raise _empty(name, "Binary")
            checked[name] = {"DataType": data_type, "BinaryValue": base64.b64encode(raw).decode()}
            continue
        text = value.get("StringValue")
        if not text:
            raise _empty(name, data_type.partition(".")[0])
        if _FORBIDDEN.search(text):
            raise InvalidParameter(f"The value of message (user) attribute '{name}' has invalid characters.")
        if data_type.startswith("Number") and not _is_number(text):
            raise InvalidParameter(f"Can't cast the value of message (user) attribute '{name}' to a number.")
        checked[name] = {"DataType": data_type, "StringValue": text}
    return checked


def _empty(name: str, kind: str) -> InvalidParameter:
    return InvalidParameter(f"Message (user) attribute '{name}' must contain a non-empty value of type '{kind}'.")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return len(text) <= 256


def check_characters(text: str) -> None:
    """InvalidMessageContents when XML cannot carry the text."""
    if _FORBIDDEN.search(text):
        raise InvalidMessageContents(
            "Invalid characters were found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to "
            "#xFFFD | #x10000 to #x10FFFF"
        )


def size_of(body: str, attributes: Mapping[str, Attribute]) -> int:
    """Bytes that count against the limit: body, and names, types and values of attributes."""
    size = len(body.encode())
    for name, value in attributes.items():
        size += len(name.encode()) + len(str(value["DataType"])) + len(_value_bytes(value))
    return size


def body_md5(body: str) -> str:
    """`MD5OfBody`."""
    return md5(body.encode(), usedforsecurity=False).hexdigest()


def attributes_md5(attributes: Mapping[str, Attribute]) -> str:
    """`MD5OfMessageAttributes`."""
    digest = md5(usedforsecurity=False)
    for name in sorted(attributes):
        value = attributes[name]
        for part in (name.encode(), str(value["DataType"]).encode()):
            digest.update(len(part).to_bytes(4, "big") + part)
        raw = _value_bytes(value)
        digest.update((b"\x01" if "StringValue" in value else b"\x02") + len(raw).to_bytes(4, "big") + raw)
    return digest.hexdigest()


def _value_bytes(value: Attribute) -> bytes:
    if "StringValue" in value:
        return str(value["StringValue"]).encode()
    return base64.b64decode(value["BinaryValue"])
