"""Which regions a service answers for in one server.

A service's signing name and a region enter, the region that is meant leaves, or None. The table, STS and IAM answer for
more than the region the stack stands in; everything else stands there alone.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from trine.aws.arn import Place

_GLOBAL = frozenset({"iam", "sts"})
"""us-east-1 always serves these (AWS General Reference, service endpoints)."""
_IN_EVERY_REGION = frozenset({"dynamodb", "sts"})
OWN_NAMES = frozenset({"local", "localhost"})
"""What NoSQL Workbench and others that expect DynamoDB Local sign for: the region that the server stands in."""


def region_meant(service: str, region: str, home: Place) -> str | None:
    """The region in which `service` answers what is signed for `region` by a server that stands in `home`; None where
    it is no region of AWS, or one in which that service has nothing here.
    """
    if region == home.region:
        return home.region
    if service in _GLOBAL and region == "us-east-1":
        return region
    if service in _IN_EVERY_REGION:
        if region in OWN_NAMES:
            return home.region
        if region in regions_of(home.partition):
            return region
    return None


@cache
def regions_of(partition: str) -> frozenset[str]:
    """The regions of an AWS partition (`aws`, `aws-cn`, …), as botocore knows them."""
    import botocore  # read only where a second region is asked for

    text = (Path(botocore.__file__).parent / "data" / "partitions.json").read_bytes()
    for known in json.loads(text)["partitions"]:
        if known["id"] == partition:
            return frozenset(region for region in known["regions"] if not region.endswith("-global"))
    return frozenset()
