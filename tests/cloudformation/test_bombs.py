"""Templates that are small and would become large, or never end, when they are read: refused, and in bounded time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from trine.cloudformation import limits
from trine.cloudformation.discovery import find_template
from trine.cloudformation.faults import Fault, TemplateFaults

Faults = Callable[..., list[Fault]]
PARAMETER = "  P{at}: {{Type: AWS::SSM::Parameter, Properties: {{Type: String, Name: p{at}, Value: {value}}}}}\n"
TOO_LONG = f"the text grows to more than {limits.TEXT_CHARACTERS:,} characters"


@pytest.mark.parametrize(
    "value", ["!Join ['', [{ten}]]", "!Sub ['{tens}', {{T: {one}}}]"], ids=["joined", "substituted"]
)
def test_texts_of_texts_of_texts_end(faults: Faults, value: str) -> None:
    text = "Resources:\n" + PARAMETER.format(at=0, value="x" * 10)
    for number in range(1, 13):
        one = f"!GetAtt P{number - 1}.Value"
        made = value.format(ten=", ".join([one] * 10), tens="${T}" * 10, one=one)
        text += PARAMETER.format(at=number, value=made)
    assert [fault.message for fault in faults(text)] == [TOO_LONG]


def test_references_do_not_multiply_a_text(faults: Faults) -> None:
    text = "Resources:\n" + PARAMETER.format(at=0, value="x" * 4_000)
    text += PARAMETER.format(at=1, value=f"'{'{{resolve:ssm:p0}}' * 1_000}'")
    assert [fault.message for fault in faults(text)] == [TOO_LONG]


def test_an_allowed_pattern_that_backtracks_for_ever_is_told(faults: Faults) -> None:
    text = f"""
Parameters:
  P: {{Type: String, Default: "{"a" * 60}!", AllowedPattern: "(a|a)*"}}
Resources: {{Q: {{Type: AWS::SQS::Queue}}}}
"""
    (fault,) = faults(text)
    assert fault.message == "AllowedPattern of P: '(a|a)*' takes too long on this text"


def test_a_template_that_nests_itself_many_times_ends(tmp_path: Path, faults: Faults) -> None:
    nested = "{Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: %s}}"
    for number in range(1, limits.NESTED_STACKS_READ + 2):
        (tmp_path / f"n{number}.yaml").write_text("Resources: {Q: {Type: AWS::SQS::Queue}}")
    text = "Resources:\n" + "".join(
        f"  S{number}: {nested % f'n{number}.yaml'}\n" for number in range(1, limits.NESTED_STACKS_READ + 2)
    )
    (fault,) = faults(text)
    assert fault.message == "more than 100 nested stacks are read"


def test_a_configuration_nested_too_deeply_is_told(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text("Resources: {Q: {Type: AWS::SQS::Queue}}")
    (tmp_path / "samconfig.toml").write_text("a = " + "[" * 5_000)
    with pytest.raises(TemplateFaults, match="samconfig"):
        find_template(tmp_path)
