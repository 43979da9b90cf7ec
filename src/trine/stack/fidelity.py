"""What the wings say of their resource types' properties, in one table: enforced, stored or ignored."""

from __future__ import annotations

from collections.abc import Mapping

from trine.aws.fidelity import Fidelity

FIDELITY_MODULES = (
    "trine.apigateway.fidelity",
    "trine.awslambda.fidelity",
    "trine.cognito.fidelity",
    "trine.cloudwatch.fidelity",
    "trine.dynamodb.fidelity",
    "trine.ec2.fidelity",
    "trine.events.fidelity",
    "trine.iam.fidelity",
    "trine.logs.template",
    "trine.messaging.fidelity",
)


def fidelity() -> dict[str, Mapping[str, Fidelity]]:
    """What each wing says of the properties of its resource types, in one table."""
    from importlib import import_module

    tables: dict[str, Mapping[str, Fidelity]] = {}
    for module in FIDELITY_MODULES:
        tables.update(import_module(module).FIDELITY)
    return tables


def remarks() -> dict[str, Mapping[str, str]]:
    """What wings remark on properties of their resource types, in one table."""
    from trine.awslambda.fidelity import REMARKS

    return dict(REMARKS)
