"""Links that open once, sessions that end."""

from __future__ import annotations

from trine.aws.ids import SeededIds
from trine.clock import ManualClock
from trine.console.sessions import LINKS_MAX, SESSION_SECONDS, SESSIONS_MAX, Sessions


def test_a_link_opens_one_session_and_is_void() -> None:
    sessions = Sessions(ManualClock(), SeededIds(1))
    token = sessions.new_link()
    opened = sessions.redeem(token)
    assert opened is not None
    session, key = opened
    assert sessions.is_open(session)
    assert sessions.is_key_of(session, key)
    assert not sessions.is_key_of(session, "")
    assert not sessions.is_key_of(session, session), "who has the cookie has not the key"
    assert not sessions.is_key_of(key, key)
    assert sessions.redeem(token) is None
    assert sessions.redeem("guess") is None
    assert not sessions.is_open(token), "a link's token is no session"
    sessions.end(session)
    assert not sessions.is_open(session)


def test_a_session_ends_after_its_time() -> None:
    clock = ManualClock()
    sessions = Sessions(clock, SeededIds(1))
    session, key = sessions.redeem(sessions.new_link()) or ("", "")
    clock.advance(SESSION_SECONDS - 1)
    assert sessions.is_open(session)
    clock.advance(1)
    assert not sessions.is_open(session)
    assert not sessions.is_key_of(session, key)


def test_both_are_bounded() -> None:
    sessions = Sessions(ManualClock(), SeededIds(1))
    links = [sessions.new_link() for _ in range(LINKS_MAX + 1)]
    assert sessions.redeem(links[0]) is None
    opened = [sessions.redeem(sessions.new_link()) for _ in range(SESSIONS_MAX + 1)]
    assert opened[0] is not None
    assert opened[-1] is not None
    assert not sessions.is_open(opened[0].session)
    assert sessions.is_open(opened[-1].session)
