"""Which regions a service answers for."""

from __future__ import annotations

import pytest

from trine.aws.arn import Place
from trine.aws.regions import region_meant, regions_of

HOME = Place("123456789012", "eu-west-1")


@pytest.mark.parametrize(
    ("service", "region", "meant"),
    [
        ("lambda", "eu-west-1", "eu-west-1"),
        ("lambda", "us-east-1", None),
        ("lambda", "localhost", None),
        ("iam", "us-east-1", "us-east-1"),
        ("iam", "eu-north-1", None),
        ("sts", "ap-south-1", "ap-south-1"),
        ("dynamodb", "ap-south-1", "ap-south-1"),
        ("dynamodb", "local", "eu-west-1"),
        ("dynamodb", "localhost", "eu-west-1"),
        ("dynamodb", "mars-north-1", None),
        ("dynamodb", "aws-global", None),
        ("dynamodb", "cn-north-1", None),
        ("dynamodb", "", None),
    ],
)
def test_the_region_that_is_meant(service: str, region: str, meant: str | None) -> None:
    assert region_meant(service, region, HOME) == meant


def test_a_stack_may_stand_where_no_region_of_aws_is() -> None:
    assert region_meant("dynamodb", "garden", Place(region="garden")) == "garden"


def test_partitions_have_regions_of_their_own() -> None:
    assert {"us-east-1", "eu-central-1", "sa-east-1"} <= regions_of("aws")
    assert "cn-north-1" in regions_of("aws-cn")
    assert not regions_of("aws") & regions_of("aws-cn")
    assert regions_of("no-partition") == frozenset()
