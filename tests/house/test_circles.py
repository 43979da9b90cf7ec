"""No circles: whoever imports a room knows nothing of those who import it.

import-linter holds the walls between wings to that; this holds the rooms within them.
"""

from __future__ import annotations

import grimp


def test_no_room_imports_itself_over_others() -> None:
    graph = grimp.build_graph("trine", exclude_type_checking_imports=True, cache_dir=None)
    left = {room: set(graph.find_modules_directly_imported_by(room)) for room in graph.modules}
    assert len(left) > 500
    # Take away, again and again, the rooms that import nothing more: what stays at last goes round in circles.
    while ready := {room for room, imports in left.items() if not imports}:
        left = {room: imports - ready for room, imports in left.items() if room not in ready}
    assert not left, f"rooms that import each other in a circle: {sorted(left)}"
