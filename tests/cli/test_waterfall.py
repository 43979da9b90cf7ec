"""The waterfall in the terminal: rooms in order, what a refusal says, nothing that could move the cursor."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trine.cli import waterfall
from trine.clock import ManualClock
from trine.trace import TraceBook


def _refused_request() -> dict[str, object]:
    clock = ManualClock()
    book = TraceBook(clock)
    door = book.open("apigateway", "door-1")
    door.title = "POST /users"
    clock.advance(0.001)
    door.step("apigateway.router", {"route": "POST /users"})
    table = book.open("dynamodb", "table-1", door)
    table.title = "dynamodb:PutItem Profiles"
    clock.advance(0.002)
    table.refuse("iam.policy", "no statement allows dynamodb:PutItem", action="dynamodb:PutItem", statement=None)
    book.close(table, 400)
    clock.advance(0.003)
    door.step("awslambda.invoke")
    book.close(door, 502)
    return door.as_document()


def test_it_shows_rooms_in_order_and_what_refused() -> None:
    text = "\n".join(waterfall.render(_refused_request()))
    assert "POST /users → 502 in 6.00 ms" in text
    assert text.index("apigateway.router") < text.index("dynamodb:PutItem Profiles → 400") < text.index("iam.policy")
    assert "Refused by iam.policy (dynamodb:PutItem Profiles):" in text
    assert "  no statement allows dynamodb:PutItem" in text
    assert "  action: dynamodb:PutItem" in text


def test_lines_of_a_message_stay_readable() -> None:
    assert waterfall.printable("Cannot find module 'x'\nRequire stack:\r\n- app.js\n") == (
        "Cannot find module 'x' ⏎ Require stack: ⏎ - app.js"
    )


@given(st.text())
def test_nothing_it_prints_can_move_the_cursor(text: str) -> None:
    shown = waterfall.printable(text)
    assert len(shown) <= waterfall.DETAIL_MAX + 1
    assert not any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in shown)
    assert "\u202e" not in shown
