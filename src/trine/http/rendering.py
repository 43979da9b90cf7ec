"""A `Response` becomes the bytes of the wire. Pure: the date comes in as a line that is rendered already.

What a handler must not say is refused here with `ResponseInvalid`: a line break inside a header (response splitting),
a name that is no token, and the names that frame messages, which belong to the server.
"""

from __future__ import annotations

import re
from http import HTTPStatus

from trine.http.errors import ResponseInvalid
from trine.http.message import Response

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"
CLOSE_LINE = b"connection: close\r\n"
KEEP_ALIVE_LINE = b"connection: keep-alive\r\n"
CHUNKED_LINE = b"transfer-encoding: chunked\r\n"

KNOWN_NAMES_MAX = 4_096
"""Header names whose check is remembered; functions could send new ones for ever."""

KNOWN_LENGTHS_MAX = 2_048
"""Bodies below this length have their content-length rendered once."""

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
_SERVERS_OWN = frozenset((b"content-length", b"transfer-encoding", b"connection", b"keep-alive", b"upgrade", b"date"))
_BODILESS = frozenset((*range(100, 200), 204, 304))
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class _Names(dict[bytes, bytes]):
    """Name → `name: `, checked once."""

    def __missing__(self, name: bytes) -> bytes:
        if not _TOKEN(name):
            raise ResponseInvalid(f"header name {name!r} is not a token")
        if name.lower() in _SERVERS_OWN:
            raise ResponseInvalid(f"header {name!r} is written by the server, not by handlers")
        rendered = name + b": "
        if len(self) < KNOWN_NAMES_MAX:
            self[name] = rendered
        return rendered


class _StatusLines(dict[int, bytes]):
    """Status → status line; statuses without a phrase of their own get an empty one."""

    def __missing__(self, status: int) -> bytes:
        if not 100 <= status <= 999:
            raise ResponseInvalid(f"status {status} is not a number of three digits")
        try:
            phrase = HTTPStatus(status).phrase
        except ValueError:
            phrase = ""
        line = self[status] = f"HTTP/1.1 {status} {phrase}\r\n".encode("ascii")
        return line


class _Ends(dict[int, bytes]):
    """Length of a body → content-length and the end of the head; for the lengths that most answers have."""

    def __missing__(self, length: int) -> bytes:
        end = b"content-length: %d\r\n\r\n" % length
        if length < KNOWN_LENGTHS_MAX:
            self[length] = end
        return end


_NAMES = _Names()
_ENDS = _Ends()
_STATUS_LINES = _StatusLines()


def header_lines(headers: list[tuple[bytes, bytes]]) -> bytes:
    """The header lines of `headers`, each ending in CR LF. Raises ResponseInvalid."""
    names = _NAMES
    lines = b""
    for name, value in headers:
        if 10 in value or 13 in value or 0 in value:
            raise ResponseInvalid(f"the value of header {name!r} holds a line break or NUL")
        lines += names[name] + value + b"\r\n"
    return lines


def render(response: Response, server_lines: bytes) -> bytes:
    """The whole answer. `server_lines`: date and, where needed, connection, rendered. Raises ResponseInvalid."""
    if response.status in _BODILESS:
        return render_without_body(response, server_lines)
    return render_after(_STATUS_LINES[response.status] + server_lines, response)


def render_after(start: bytes, response: Response) -> bytes:
    """The whole answer behind `start`, which is the status line and the server's lines. The hot path."""
    headers = response.headers
    body = response.body
    assert type(body) is bytes
    end = _ENDS[len(body)]
    if headers:
        return b"".join((start, response.head, header_lines(headers), end, body))
    return b"".join((start, response.head, end, body))


def starts(server_lines: bytes) -> dict[int, bytes]:
    """Status → status line and server's lines, rendered for a while, for the statuses that carry a body."""
    return {
        status.value: _STATUS_LINES[status.value] + server_lines for status in HTTPStatus if may_have_body(status.value)
    }


def render_without_body(response: Response, server_lines: bytes) -> bytes:
    """The answer to HEAD: what GET would say of its body, without the body. Raises ResponseInvalid."""
    head = render_head(response, server_lines)
    if response.status in _BODILESS:
        return head + b"\r\n"
    if isinstance(response.body, bytes):
        return b"%bcontent-length: %d\r\n\r\n" % (head, len(response.body))
    return head + CHUNKED_LINE + b"\r\n"


def render_head(response: Response, server_lines: bytes) -> bytes:
    """Status line and header lines, without the empty line that ends a head. Raises ResponseInvalid."""
    return _STATUS_LINES[response.status] + server_lines + response.head + header_lines(response.headers)


def may_have_body(status: int) -> bool:
    """Whether an answer of `status` carries a body at all (RFC 9110, 6.4.1)."""
    return status not in _BODILESS


def chunk(data: bytes) -> bytes:
    """One chunk of a streamed body; `data` must not be empty (an empty chunk ends the body)."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def date_line(epoch_seconds: int) -> bytes:
    """The date header (IMF-fixdate, RFC 9110 5.6.7), independent of the process's locale."""
    days, rest = divmod(epoch_seconds, 86_400)
    year, month, day = _civil(days)
    text = (
        f"date: {_DAYS[(days + 3) % 7]}, {day:02} {_MONTHS[month - 1]} {year:04} "
        f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02} GMT\r\n"
    )
    return text.encode("ascii")


def _civil(days: int) -> tuple[int, int, int]:
    """Days since 1970-01-01 → year, month, day of the Gregorian calendar."""
    import datetime

    date = datetime.date.fromordinal(days + 719_163)
    return date.year, date.month, date.day
