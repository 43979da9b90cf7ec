"""The ids of connections."""

from __future__ import annotations

from trine.apigateway.websocket.connections import Connections
from trine.aws.ids import SeededIds


def test_an_id_is_no_option_of_a_command() -> None:
    connections = Connections(SeededIds(1))
    made = {connections.new_id() for _ in range(2_000)}
    assert len(made) == 2_000
    assert all(one[0].isalpha() and len(one) == 16 and one.endswith("=") for one in made)
    assert any(one[1] == "-" for one in made)
