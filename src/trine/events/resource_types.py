"""The resource types of this wing, in the order in which they are made. Loads nothing: `stack` asks at every start."""

from __future__ import annotations

BUS, RULE = "AWS::Events::EventBus", "AWS::Events::Rule"
SCHEDULE, GROUP = "AWS::Scheduler::Schedule", "AWS::Scheduler::ScheduleGroup"
TYPES = (BUS, RULE, GROUP, SCHEDULE)
NAME_PROPERTIES = {RULE: "Name", SCHEDULE: "Name", BUS: "Name", GROUP: "Name"}
