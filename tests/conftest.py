"""What all tests share: property tests are judged by what they find, never by how long a busy machine took."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile("trine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
if "CI" not in os.environ:  # there Hypothesis has a profile of its own: no deadline either, the same examples each time
    settings.load_profile("trine")
