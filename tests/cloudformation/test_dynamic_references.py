"""Values from Parameter Store and Secrets Manager: the template's own, those of a file, and those nobody gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from trine.cloudformation.advice import advise
from trine.cloudformation.dynamic_references import read_values, values_file
from trine.cloudformation.faults import TemplateFaults
from trine.cloudformation.template import Template

Load = Callable[..., Template]
GIVEN = """
[resolve.ssm]
"/shop/table" = "orders"
"/shop/limit" = "5"
"/shop/limit:3" = "7"

[resolve.secretsmanager]
"prod/db" = { username = "ada", port = 5432 }
"token" = "text"
"""


def variables(load: Load, *values: str) -> list[str]:
    """What an environment of these values becomes."""
    lines = "".join(f"          V{index}: {value}\n" for index, value in enumerate(values))
    read = load(f"""
Resources:
  Late:
    Type: AWS::Lambda::Function
    Properties:
      Code: {{ZipFile: "def handler(event, context): pass"}}
      Handler: index.handler
      Role: arn:aws:iam::123456789012:role/r
      Runtime: python3.12
      Environment:
        Variables:
{lines}  Written: {{Type: AWS::SSM::Parameter, Properties: {{Name: /own/written, Type: String, Value: written}}}}
  Named: {{Type: AWS::SSM::Parameter, Properties: {{Type: String, Value: !Sub "of ${{AWS::StackName}}"}}}}
  Secret: {{Type: AWS::SecretsManager::Secret, Properties: {{SecretString: '{{"key": "own secret"}}'}}}}
""")
    return list(read.resources["Late"].properties["Environment"]["Variables"].values())


def test_what_the_file_gives_is_put_in(load: Load, tmp_path: Path) -> None:
    (tmp_path / "trine.toml").write_text(GIVEN)
    assert variables(
        load,
        '"{{resolve:ssm:/shop/table}}-{{resolve:ssm:/shop/limit:1}}-{{resolve:ssm:/shop/limit:3}}"',
        '"{{resolve:secretsmanager:prod/db:SecretString:username}}"',
        '"{{resolve:secretsmanager:prod/db:SecretString:port:AWSCURRENT}}"',
        '"{{resolve:secretsmanager:prod/db}}"',
        '"{{resolve:secretsmanager:token:SecretString}}"',
        '"{{resolve:secretsmanager:arn:aws:secretsmanager:us-east-1:123456789012:secret:token-a1b2c3}}"',
    ) == ["orders-5-7", "ada", "5432", '{"username":"ada","port":5432}', "text", "text"]


def test_what_the_template_makes_is_put_in(load: Load) -> None:
    assert variables(
        load,
        '"{{resolve:ssm:/own/written:1}}"',
        '!Sub "{{resolve:ssm:${Named}}}"',
        '!Sub "{{resolve:secretsmanager:${Secret}:SecretString:key}}"',
    ) == ["written", "of app", "own secret"]


def test_the_file_goes_before_the_template(load: Load, tmp_path: Path) -> None:
    (tmp_path / "trine.toml").write_text('[resolve.ssm]\n"/own/written" = "here"\n')
    assert variables(load, '"{{resolve:ssm:/own/written}}"') == ["here"]


def test_a_secret_that_is_looked_up_is_none_that_was_written_out(load: Load, tmp_path: Path) -> None:
    (tmp_path / "trine.toml").write_text(GIVEN)
    text = """
Resources:
  F:
    Type: AWS::Lambda::Function
    Properties:
      Code: {ZipFile: "def handler(event, context): pass"}
      Handler: index.handler
      Role: arn:aws:iam::123456789012:role/r
      Runtime: python3.12
      Environment: {Variables: {DB_PASSWORD: VALUE}}
"""
    found = [
        [fault.rule for fault in advise(load(text.replace("VALUE", value)))]
        for value in ('"{{resolve:secretsmanager:token}}"', '"hunter2"')
    ]
    assert ["lambda/secret-in-environment" in rules for rules in found] == [False, True]


def test_what_nobody_gives_stays(load: Load) -> None:
    references = ['"{{resolve:ssm:/other}}"', '"{{resolve:ssm-secure:/own/written}}"', '"{{resolve:secretsmanager:x}}"']
    assert variables(load, *references) == [one.strip('"') for one in references]


def test_a_secret_without_the_key_is_a_fault(load: Load, tmp_path: Path) -> None:
    (tmp_path / "trine.toml").write_text(GIVEN)
    for secret in ("prod/db", "token"):
        with pytest.raises(TemplateFaults, match="has no key 'nobody'") as found:
            variables(load, f'"{{{{resolve:secretsmanager:{secret}:SecretString:nobody}}}}"')
        assert [fault.line for fault in found.value.faults] == [12]


def test_parameters_of_the_store_are_looked_up_by_their_value(load: Load, tmp_path: Path) -> None:
    (tmp_path / "trine.toml").write_text('[resolve.ssm]\n"/a" = "first,second"\n')
    read = load("""
Parameters:
  List: {Type: "AWS::SSM::Parameter::Value<List<String>>", Default: /a}
  Other: {Type: "AWS::SSM::Parameter::Value<String>", Default: /b}
  Plain: {Type: String, Default: /a}
Resources: {Queue: {Type: AWS::SQS::Queue}}
""")
    assert [one.value for one in read.parameters.values()] == [["first", "second"], "/b", "/a"]
    assert tmp_path / "trine.toml" in read.files


@pytest.mark.parametrize(
    "text",
    [
        "[resolve", "[other]\n", "resolve = 1", "[resolve.s3]\n", "[resolve]\nssm = 1", "[resolve.ssm]\nname = 5",
        "[resolve.ssm]\nname = {key = 'text'}", "[resolve.secretsmanager]\nname = ['text']", "a = " + "[" * 5_000,
        "#" * 1_100_000,
    ],
)  # fmt: skip
def test_a_file_that_says_something_else_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "trine.toml").write_text(text)
    with pytest.raises(TemplateFaults, match=r"trine\.toml"):
        read_values(tmp_path / "trine.toml")


def test_a_built_template_has_the_file_of_its_project(tmp_path: Path) -> None:
    built = tmp_path / ".aws-sam" / "build" / "template.yaml"
    assert values_file(built) is None
    (tmp_path / "trine.toml").write_text(GIVEN)
    assert values_file(built) == tmp_path / "trine.toml"
    assert values_file(tmp_path / "template.yaml") == tmp_path / "trine.toml"
