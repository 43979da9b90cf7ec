"""EventBridge: event buses with rules, and EventBridge Scheduler, by the injected clock.

In order: the doors (`events_endpoint`, `scheduler_endpoint`) with their operations, `rules` and `schedules` (what
there is), `schedule_expression` and `cron` (when), `event`, `target`, `transformer` (what a target gets), `delivery`
(how it gets there).
"""
