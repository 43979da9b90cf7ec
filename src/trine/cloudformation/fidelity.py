"""What this wing itself does with template properties: nested stacks whose template is a local file."""

from __future__ import annotations

from trine.aws.fidelity import Fidelity

FIDELITY: dict[str, dict[str, Fidelity]] = {
    "AWS::CloudFormation::Stack": {"TemplateURL": Fidelity.ENFORCED, "Parameters": Fidelity.ENFORCED},
}
