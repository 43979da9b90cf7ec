"""How faithfully a template property is kept: the three words of the manifest.

Each wing states its own, as data: `FIDELITY: dict[resource type, dict[property path, Fidelity]]` in its
`fidelity.py`. A path is dotted (`ProvisionedThroughput.ReadCapacityUnits`); a path covers all below it unless a longer
one is listed. What is not listed is ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Fidelity(StrEnum):
    """What Trine does with a property."""

    ENFORCED = "enforced"
    """It has the effect it has on AWS."""
    STORED = "stored"
    """Kept and shown again by Describe calls, without effect."""
    IGNORED = "ignored"
    """Read and dropped."""


FidelityTable = Mapping[str, Mapping[str, Fidelity]]
RemarkTable = Mapping[str, Mapping[str, str]]
"""Resource type → property path → why it is not enforced, for people; `REMARKS` of a wing's `fidelity.py`."""
