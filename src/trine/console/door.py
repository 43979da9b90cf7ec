"""The door below `/_trine/`: for commands and scrapers by signature or key, for people by a one-time link and a cookie.

Enters a request, leaves a view's document, a file of the console, or an error in AWS's shape. The order: host → login
or file → who asks (signature, key and secret, or session) → may they → the view.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable
from typing import Any
from urllib.parse import parse_qsl, unquote

from trine.aws.errors import AwsError
from trine.console.assets import asset, respond
from trine.console.browser import (
    LOOPBACK_NAMES,
    SECURITY_HEADERS,
    is_from_elsewhere,
    is_own_host,
    key_of,
    looks_ahead,
    session_of,
    set_cookie,
)
from trine.console.log_stream import LogStream
from trine.console.query import ACCEPT, BODY, NoSuchView
from trine.console.scrape import basic_caller
from trine.console.sessions import Sessions
from trine.console.views import CHANGES, TAKES_BODY, Views
from trine.http.message import Request, Response
from trine.iam.caller import Caller
from trine.stack.description import url_host
from trine.stack.stack import Stack

_log = logging.getLogger("trine.console")
PREFIX = b"/_trine/"
_NO_STORE = (b"Cache-Control", b"no-store")


class Forbidden(AwsError):
    """A browser asked in a way that a page of the console never would."""

    code = "AccessDeniedException"
    status = 403


class ConsoleDoor:
    """Answers below `/_trine/`."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.sessions = Sessions(stack.wings.clock, stack.wings.ids)
        self.views = Views(stack, self.sessions)
        self._names = LOOPBACK_NAMES | {url_host(stack.settings.host).lower()}

    def handle(self, request: Request) -> Response | Awaitable[Response]:
        """One document, file or error; never raises."""
        try:
            shown = self._show(request)
        except Exception as fault:
            return _failed(fault, request)
        return self._later(shown, request) if isinstance(shown, Awaitable) else _shown(shown)

    async def _later(self, showing: Awaitable[Any], request: Request) -> Response:
        try:
            return _shown(await showing)
        except Exception as fault:
            return _failed(fault, request)

    def _show(self, request: Request) -> Any:
        path = request.path.removeprefix(PREFIX).decode("latin-1")
        view, _, name = path.partition("/")
        if view in ("", "login", "assets"):
            return self._page(request, view, name)
        posted = request.method == "POST" and (view in TAKES_BODY or view in CHANGES)
        known = view in self.views.by_name or view == "logout"
        if not known or not (posted or (request.method == "GET" and view not in CHANGES)):
            raise NoSuchView(f"there is no view {view!r}; there are: {', '.join(self.views.by_name)}")
        if view == "logout":
            return self._log_out(request)
        action, show = self.views.by_name[view]
        caller = self._caller(request, view)
        self._stack.wings.access.authorize(caller, action, self._stack.arn)
        given = parse_qsl(request.query.decode("latin-1"), keep_blank_values=True)
        query = {name: value for name, value in given if not name.startswith("\0")}
        query[ACCEPT] = (request.headers.get(b"accept") or b"").decode("latin-1")
        if posted:
            query[BODY] = request.body.decode("utf-8", "replace")
        return show(unquote(name), query)

    # -- who asks ------------------------------------------------------------------------------------------------

    def _caller(self, request: Request, view: str) -> Caller:
        access = self._stack.wings.access
        if view == "metrics" and (scraper := basic_caller(request, access)) is not None:
            return scraper
        if request.headers.get(b"authorization") is None and session_of(request) is not None:
            return self._person(request)
        return access.authenticate(request, "trine")

    def _person(self, request: Request) -> Caller:
        """The owner, behind a session that a one-time link opened."""
        self._check_host(request)
        session = session_of(request) or ""
        if not self.sessions.is_open(session):
            raise Forbidden("the session has ended; `trine console` prints a new link")
        if is_from_elsewhere(request) or not self.sessions.is_key_of(session, key_of(request)):
            raise Forbidden(
                "only a page that the console's link opened may ask this; `trine console` prints a new link"
            )
        key = self._stack.wings.access.owner_credentials()
        caller = self._stack.wings.access.caller_with_secret(key.access_key_id, lambda known: True)
        assert caller is not None, "the owner's key is active"
        return caller

    def _check_host(self, request: Request) -> None:
        if not is_own_host(request, self._names):
            raise Forbidden("this server is not reached by that name")

    # -- pages ---------------------------------------------------------------------------------------------------

    def _page(self, request: Request, view: str, name: str) -> Response:
        self._check_host(request)
        if request.method not in ("GET", "HEAD"):
            raise NoSuchView("pages are only read")
        if view == "login":
            return self._log_in(request)
        if view == "assets" and (found := asset(name)) is not None and name.rpartition(".")[2] != "html":
            return respond(found, request)
        if view == "" and not name:
            page = "index.html" if self.sessions.is_open(session_of(request) or "") else "closed.html"
            found = asset(page)
            assert found is not None, "the package holds its pages"
            return respond(found, request)
        raise NoSuchView("there is no such page")

    def _log_in(self, request: Request) -> Response:
        if looks_ahead(request):  # nobody has followed the link yet: it must not be used up
            return Response(503, [_NO_STORE, *SECURITY_HEADERS])
        token = dict(parse_qsl(request.query.decode("latin-1"))).get("token", "")
        opened = self.sessions.redeem(token)
        if opened is None:  # a used link leads to the same page, which then says what to do
            return Response(303, [(b"Location", b"/_trine/"), _NO_STORE, *SECURITY_HEADERS])
        # Behind the # it reaches the page and no server: neither a log nor a Referer holds it.
        location = f"/_trine/#key={opened.key}".encode()
        cookie = (b"Set-Cookie", set_cookie(opened.session))
        return Response(303, [(b"Location", location), cookie, _NO_STORE, *SECURITY_HEADERS])

    def _log_out(self, request: Request) -> Any:
        self._person(request)
        self.sessions.end(session_of(request) or "")
        return {}


def _shown(shown: Any) -> Response:
    if isinstance(shown, Response):
        return shown
    if isinstance(shown, LogStream):
        return Response(200, [(b"Content-Type", b"application/x-ndjson")], shown.lines())
    return _answer(200, shown)


def _failed(fault: Exception, request: Request) -> Response:
    if isinstance(fault, AwsError):
        return _answer(fault.status, {"__type": fault.code, "message": fault.message})
    _log.error("the console failed at %r", request.path, exc_info=fault)
    return _answer(500, {"__type": "InternalFailure", "message": "the console failed; the server's log says how"})


def _answer(status: int, document: Any) -> Response:
    body = json.dumps(document, default=str, allow_nan=False).encode()  # browsers read no Infinity
    return Response(status, [(b"Content-Type", b"application/json"), _NO_STORE, *SECURITY_HEADERS], body)
