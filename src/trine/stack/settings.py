"""What the person who starts a stack may choose; everything else comes from the template.

Enters from the command line or a test, frozen; every wing gets the part it needs from `build`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, field

from trine.aws.arn import DEFAULT_ACCOUNT_ID, DEFAULT_REGION, Place

if TYPE_CHECKING:
    from trine.dynamodb.consistency.lag import Lag

FRONT_PORT = 3000
AWS_PORT = 4566
DYNAMODB_PORT = 8000
NEIGHBOURS_MAX = 20
"""Each is a door in every network of a function's own."""
DEBUG_PORT = 5678
"""debugpy's own default."""


def user_cache() -> Path:
    """The user's folder for what can be made again: `$XDG_CACHE_HOME/trine`, else `~/.cache/trine`."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(given) if os.path.isabs(given) else Path.home() / ".cache") / "trine"


class Settings(Struct, frozen=True):
    """How one stack runs. A port of 0 takes a free one."""

    template: Path
    state_directory: Path
    stack_name: str = "trine"
    parameters: Mapping[str, str] = field(default_factory=dict)
    host: str = "127.0.0.1"
    front_port: int = FRONT_PORT
    aws_port: int = AWS_PORT
    dynamodb_port: int = DYNAMODB_PORT
    vpc_neighbours: tuple[tuple[str, int], ...] = ()
    """(IPv4 address, port) of what stands for servers in the functions' VPC: a database on this machine."""
    memory: bool = False
    """Keep the tables in memory only; the state directory then holds nothing but caches, logs and the run file."""
    enforcement: Literal["enforce", "soft"] = "enforce"
    """`soft` reports what AWS would refuse, on the trace and in the log, and lets it pass."""
    replica_lag_seconds: float | Lag = 0.0
    """By how much eventually consistent reads trail: fixed, or drawn anew for each."""
    item_collection_max_bytes: int = 10 * 1024**3
    """What the items of one partition key may have in a table with local indexes: AWS's 10 GB, less in tests."""
    throttling: bool = True
    """False: tables count capacity units and refuse nothing."""
    cpu_limits: bool = False
    """Functions get the share of a CPU that AWS gives their memory and no more, even while the CPU is idle."""
    place: Place = field(default_factory=lambda: Place(DEFAULT_ACCOUNT_ID, DEFAULT_REGION))
    api_rate_per_second: float = 10_000
    """Requests per second that all APIs of the account take together; AWS's default."""
    api_burst: int = 5_000
    vpc_links: Mapping[str, str] = field(default_factory=dict)
    """Logical id, name or id of a VPC link → the URL it leads to."""
    vpc_endpoint: str = ""
    """Logical id or id of the VPC endpoint that requests to private APIs come through; empty: there is none."""
    shared_limits: Path | None = None
    """A folder whose token buckets and quotas all processes of the machine share that name it; None: nobody shares."""
    observe: Literal["all", "traces", "nothing"] = "all"
    """`all`: traces, usage, measures. `traces`: nothing is counted. `nothing`: nothing is explained either."""
    receipt_header: bool = False
    """Each answer of the front door carries what it cost in `X-Trine-Receipt`."""
    otlp_endpoint: str | None = None
    """Where traces go by OTLP over HTTP, such as `http://127.0.0.1:4318/v1/traces`; needs the extra `otel`."""
    prices: Path | None = None
    """A price list of the user's own, in place of the one that ships."""
    record_keys: bool = False
    """Remember which partition keys each role used, so that `trine policy` can propose `dynamodb:LeadingKeys`."""
    cache_directory: Path = field(default_factory=lambda: user_cache())
    """Where what is installed for functions lies, shared by all stacks of a user."""
    install: bool = True
    """Install what functions' own lists of packages ask for; False uses only what the cache has."""
    debug_function: str | None = None
    """The logical id or name of the function that waits for a debugger."""
    debug_port: int = DEBUG_PORT
    environment_overrides: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """`--env-vars`: logical id or `Parameters` → variable → value, as SAM CLI reads it."""
