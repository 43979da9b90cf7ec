"""The head of a streamed HTTP answer: JSON metadata, eight NUL bytes, then the body as it comes.

Functions that stream over HTTP write it (`awslambda.HttpResponseStream.from`); function URLs and REST APIs with
`responseTransferMode: STREAM` read it. Enters an `AnswerStream`, leaves the metadata and the first bytes of the body.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from trine.aws.answer_stream import AnswerStream

CONTENT_TYPE = "application/vnd.awslambda.http-integration-response"
"""The content type by which a runtime announces a prelude."""
DELIMITER = bytes(8)
PRELUDE_MAX_BYTES = 65_536
"""Metadata read at most. Trine's own bound; it holds far more headers than any door of AWS passes on."""


class PreludeMalformed(Exception):
    """The answer has no proper prelude; the text says what is wrong with it."""


class Prelude(NamedTuple):
    """`metadata` may have `statusCode`, `headers`, `multiValueHeaders`, `cookies`; `rest` belongs to the body."""

    metadata: dict[str, Any]
    rest: bytes


async def read_prelude(body: AnswerStream) -> Prelude:
    """Read up to the delimiter. Raises PreludeMalformed, also when the answer ends before it."""
    data = b""
    async for piece in body:
        searched = max(0, len(data) - len(DELIMITER))
        data += piece
        end = data.find(DELIMITER, searched)
        if end >= 0:
            return Prelude(_metadata(data[:end]), data[end + len(DELIMITER) :])
        if len(data) > PRELUDE_MAX_BYTES:
            raise PreludeMalformed(f"no delimiter in the first {PRELUDE_MAX_BYTES} bytes")
    raise PreludeMalformed("the answer ended before the delimiter")


def _metadata(text: bytes) -> dict[str, Any]:
    try:
        metadata = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise PreludeMalformed(f"the metadata is not JSON: {error}") from None
    if not isinstance(metadata, dict):
        raise PreludeMalformed(f"the metadata is a {type(metadata).__name__}, not an object")
    return metadata
