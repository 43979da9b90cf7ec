"""Whether functions that a shorter way passes by are still the ones it was written for.

Enters owners (classes or modules) with names of theirs, leaves a question that costs about 15 ns a name: somebody who
replaces one of them, to trace or to test, gets the original way from then on.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any


def watch(*parts: tuple[Any, str]) -> Callable[[], bool]:
    """Takes (owner, names apart by spaces); the answer tells whether all of them are what they are now. KeyError where
    an owner does not itself define a name."""
    looked_at = []
    for owner, names in parts:
        take = operator.itemgetter(*names.split())
        looked_at.append((owner.__dict__, take, take(owner.__dict__)))

    def is_unchanged() -> bool:
        try:
            for members, take, known in looked_at:
                if take(members) != known:
                    return False
        except KeyError:
            return False
        return True

    return is_unchanged
