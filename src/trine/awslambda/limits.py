"""Ceilings of Lambda, each with its unit and source ("Quotas" is the Lambda developer guide's page of that name)."""

from __future__ import annotations

TIMEOUT_DEFAULT_SECONDS = 3
TIMEOUT_MIN_SECONDS = 1
TIMEOUT_MAX_SECONDS = 900
"""Quotas, and botocore's model of CreateFunction (`Timeout`, min 1)."""
MEMORY_DEFAULT_MB = 128
MEMORY_MIN_MB = 128
MEMORY_MAX_MB = 10_240
"""Quotas: 128 to 10,240 MB in steps of 1 MB."""
TMP_DEFAULT_MB = 512
TMP_MAX_MB = 10_240
"""Quotas: `/tmp` 512 to 10,240 MB."""
ENVIRONMENT_VARIABLES_MAX_BYTES = 4_096
"""Quotas: 4 KB for all environment variables of a function, measured as their JSON."""
LAYERS_MAX = 5
"""Quotas."""
CODE_UNZIPPED_MAX_BYTES = 262_144_000
"""Quotas: 250 MB unzipped, layers included."""
CODE_ZIPPED_MAX_BYTES = 52_428_800
"""Quotas: 50 MB zipped for a direct upload."""
CODE_STORAGE_MAX_BYTES = 80_530_636_800
"""Quotas: 75 GB of functions and layers in a region; told by GetAccountSettings, not enforced."""
INLINE_CODE_MAX_BYTES = 4_194_304
"""CloudFormation reference, AWS::Lambda::Function Code, `ZipFile`: 4 MB."""
CODE_FILES_MAX = 100_000
"""Files in one package. Trine's own bound against zip bombs of empty files."""
NAME_MAX_CHARACTERS = 64
"""CreateFunction: a function's name."""
HANDLER_MAX_CHARACTERS = 128
"""botocore's model of CreateFunction (`Handler`)."""
DESCRIPTION_MAX_CHARACTERS = 256
"""botocore's model of CreateFunction (`Description`)."""

EVENT_MAX_BYTES = 6_291_456
"""Quotas: 6 MB request payload, synchronous. Refused with RequestTooLargeException above it."""
EVENT_ASYNC_MAX_BYTES = 1_048_576
"""Quotas: 1 MB request payload, asynchronous."""
RESPONSE_MAX_BYTES = 6_291_556
"""The figure in AWS's own sentence: "maximum allowed payload size (6291556 bytes)"."""
RESPONSE_STREAM_MAX_BYTES = 209_715_200
"""Quotas: streamed response payload 200 MB."""
ASYNC_RETRIES_MAX = 2
"""API reference, PutFunctionEventInvokeConfig, `MaximumRetryAttempts`: 0 to 2, 2 by default."""
ASYNC_RETRY_SECONDS = (60, 120)
"""Developer guide, "Asynchronous invocation": one minute before the second attempt, two before the third."""
ASYNC_AGE_MIN_SECONDS = 60
ASYNC_AGE_MAX_SECONDS = 21_600
"""API reference, `MaximumEventAgeInSeconds`: 60 s to 6 hours, the latter by default."""
ASYNC_BACKOFF_MAX_SECONDS = 300
"""Developer guide, "Asynchronous invocation": throttled events are retried from 1 second up to 5 minutes apart."""
ASYNC_EVENTS_MAX = 50_000
"""Unfinished asynchronous events. Trine's own bound; then the API answers 429."""
ASYNC_IN_FLIGHT_MAX = 100
"""Asynchronous events that run at once, so that they leave concurrency to callers that wait. Trine's own bound."""
MESSAGE_MAX_BYTES = 262_144
"""SQS quotas: message size (the longer-standing 256 KB); a longer record is cut and marked."""
CLIENT_CONTEXT_MAX_BYTES = 3_583
"""API reference, Invoke, `X-Amz-Client-Context`: 3,583 bytes of base64."""
LOG_TAIL_BYTES = 4_096
"""API reference, Invoke, `LogType=Tail`: the last 4 KB of the log."""
RESOURCE_POLICY_MAX_BYTES = 20_480
"""Quotas: resource-based policy 20 KB."""

INIT_SECONDS = 10
"""Developer guide, "Execution environment lifecycle": the INIT phase is limited to 10 seconds."""
SNAPSHOT_INIT_SECONDS = 130
"""Developer guide, "Lambda SnapStart": the init may take 130 seconds, or the function's timeout if that is longer."""
RESTORE_SECONDS = 10
"""Developer guide, "Implement code before or after snapshots": restoring and its hooks may take ten seconds."""
SNAPSHOT_SLOTS = 64
"""Environments restored from one snapshot at the same time; further ones run their own init. Trine's own bound."""
SNAPSHOTS_MAX = 64
"""Snapshots of a service. Each is a process that waits. Trine's own bound."""
DEBUG_SECONDS = 86_400
"""Timeout of a function that is being debugged. Trine's own figure."""


def init_seconds(phase: str, timeout_seconds: float, *, is_debugged: bool = False) -> float:
    """How long the init of an environment may take: `init`, `invoke` (again, within an invocation), `snapshot` or
    `restore`; `timeout_seconds` is the function's."""
    if is_debugged or phase == "invoke":
        return timeout_seconds
    if phase == "snapshot":
        return max(SNAPSHOT_INIT_SECONDS, timeout_seconds)
    return RESTORE_SECONDS if phase == "restore" else INIT_SECONDS


CONCURRENCY_ACCOUNT = 1_000
"""Quotas: concurrent executions of an account and region."""
CONCURRENCY_UNRESERVED_MIN = 100
"""Developer guide, "Reserved concurrency": 100 units stay unreserved. Kept for the API; templates may reserve all."""
REQUESTS_PER_UNIT_AND_SECOND = 10
"""Developer guide, "Understanding Lambda function scaling": requests per second for each unit of concurrency."""
SCALING_ENVIRONMENTS = 1_000
SCALING_SECONDS = 10
"""Developer guide, "Concurrency scaling rate": 1,000 more environments each 10 seconds, for each function, refilled
continuously."""
PROVISIONED_RETRY_MAX_SECONDS = 60
"""Longest pause before an environment of provisioned concurrency whose init failed is started again. Trine's own."""
DESCRIPTORS_MAX = 1_024
"""Quotas: file descriptors of an environment."""
MEMORY_OF_ONE_CPU_MB = 1_769
"""Developer guide, "Configure Lambda function memory": at this size a function has the equivalent of one vCPU."""
PROCESSES_MAX = 1_024
"""Quotas: processes and threads of an environment."""

CREDENTIALS_SECONDS = 3_600
"""Lifetime of an environment's credentials; a role's MaxSessionDuration is at least that. AWS publishes no figure."""
CREDENTIALS_MARGIN_SECONDS = 300
"""An environment whose credentials end sooner than its timeout plus this is replaced instead of used again."""
IDLE_SECONDS = 300
"""An environment unused for this long is ended. AWS publishes no figure; some minutes is what users observe."""
SHUTDOWN_SECONDS = 2
"""Developer guide, "Shutdown phase": 2 seconds with external extensions; Trine's bound for ending a process."""
STARTS_AT_ONCE_MAX = 12
"""Environments of one function that start at the same time; more would only share the cores. Trine's own bound."""
GROWTH_PATIENCE_SECONDS = 0.002
"""How long a call waits for a quick function's busy environments before it gets another one. Trine's own figure: below
the cost of a start."""
QUEUE_PATIENCE_SECONDS = 0.025
"""The same while the busy environments of a quick function do come free one after the other."""
QUICK_SECONDS = 0.0007
"""A function whose best invocations are shorter than this is quick. Trine's own figure."""

RUNTIME_HEAD_MAX_BYTES = 1_114_112
"""Request head a runtime may send: the X-Ray cause header alone may be 1 MB."""
RUNTIME_BODY_MAX_BYTES = 8_388_608
"""Body a runtime may send; above RESPONSE_MAX_BYTES it is read only to be answered with 413."""

LOG_LINE_MAX_BYTES = 262_144
"""CloudWatch Logs quotas: an event's size (256 KB until 2025); longer lines are cut into several events."""
LOG_INVOCATION_MAX_BYTES = 4_194_304
"""Output of one invocation that is kept; the rest is counted and dropped. Trine's own bound against floods."""
