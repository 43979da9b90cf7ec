"""For test suites: `running` starts a template's stack in this process, on free ports, with a clock that tests move."""

from trine.testing.running import RunningStack, running

__all__ = ["RunningStack", "running"]
