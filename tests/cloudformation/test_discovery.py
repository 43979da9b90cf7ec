"""Which template is meant, and what samconfig.toml says of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from trine.cloudformation.discovery import find_template, parse_overrides
from trine.cloudformation.faults import TemplateFaults


@pytest.mark.parametrize("name", ["template.yaml", "template.yml", "template.json"])
def test_a_folder_gives_its_template(tmp_path: Path, name: str) -> None:
    project = tmp_path / "my_app"
    project.mkdir()
    (project / name).write_text("x")
    found = find_template(project)
    assert found.path == project / name
    assert found.stack_name == "my-app"
    assert not found.built_by_sam


def test_a_file_is_itself(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("x")
    assert find_template(tmp_path / "other.yaml").path == tmp_path / "other.yaml"


def test_a_build_of_sam_wins_while_it_is_newer(tmp_path: Path) -> None:
    source, built = tmp_path / "template.yaml", tmp_path / ".aws-sam" / "build" / "template.yaml"
    built.parent.mkdir(parents=True)
    source.write_text("x")
    built.write_text("x")
    os.utime(source, (100, 100))
    os.utime(built, (200, 200))
    found = find_template(tmp_path)
    assert (found.path, found.built_by_sam, found.project_directory) == (built, True, tmp_path)
    os.utime(source, (300, 300))
    assert find_template(tmp_path).path == source


def test_the_cdk_s_output(tmp_path: Path) -> None:
    (tmp_path / "cdk.out").mkdir()
    (tmp_path / "cdk.out" / "ShopStack.template.json").write_text("{}")
    found = find_template(tmp_path)
    assert (found.path.name, found.stack_name) == ("ShopStack.template.json", "ShopStack")
    (tmp_path / "cdk.out" / "Other.template.json").write_text("{}")
    with pytest.raises(TemplateFaults, match=r"several stacks: cdk.out/Other.template.json, cdk.out/ShopStack"):
        find_template(tmp_path)


def test_what_the_serverless_framework_packages(tmp_path: Path) -> None:
    (tmp_path / "serverless.yml").write_text("service: shop")
    with pytest.raises(TemplateFaults) as refused:
        find_template(tmp_path)
    assert "serverless package" in refused.value.faults[0].hint
    packaged = tmp_path / ".serverless" / "cloudformation-template-update-stack.json"
    packaged.parent.mkdir()
    packaged.write_text("{}")
    found = find_template(tmp_path)
    assert (found.path, found.project_directory) == (packaged, tmp_path)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(TemplateFaults, match="no template in this folder"):
        find_template(tmp_path)
    with pytest.raises(TemplateFaults, match="no such file"):
        find_template(tmp_path / "nowhere")


def test_samconfig(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text("x")
    (tmp_path / "samconfig.toml").write_text("""
version = 0.1
[default.global.parameters]
stack_name = "shop"
region = "eu-west-1"
[default.deploy.parameters]
parameter_overrides = "Stage=\\"dev\\" Name='two words' Empty=\\"\\""
[prod.deploy.parameters]
stack_name = "shop-prod"
parameter_overrides = ["Stage=prod", "Other=1"]
""")
    found = find_template(tmp_path)
    assert (found.stack_name, found.region) == ("shop", "eu-west-1")
    assert found.parameter_overrides == {"Stage": "dev", "Name": "two words", "Empty": ""}
    prod = find_template(tmp_path, "prod")
    assert (prod.stack_name, prod.region) == ("shop-prod", None)
    assert prod.parameter_overrides == {"Stage": "prod", "Other": "1"}


@pytest.mark.parametrize("text", ["[default", 'a = "\udcff"'])
def test_a_broken_samconfig_is_a_fault(tmp_path: Path, text: str) -> None:
    (tmp_path / "template.yaml").write_text("x")
    (tmp_path / "samconfig.toml").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(TemplateFaults, match=r"samconfig.toml"):
        find_template(tmp_path)


def test_a_stack_name_must_be_one(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text("x")
    (tmp_path / "samconfig.toml").write_text('[default.global.parameters]\nstack_name = "no way"')
    with pytest.raises(TemplateFaults, match="no stack name"):
        find_template(tmp_path)


def test_overrides_that_are_none() -> None:
    for given in ("Stage", "A=1 stray", ["A=1", "="]):
        with pytest.raises(TemplateFaults, match="is not NAME=VALUE"):
            parse_overrides(given)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("A=1 B=2", {"A": "1", "B": "2"}),
        ("A=\"x y\" B='z'", {"A": "x y", "B": "z"}),
        ("ParameterKey=A,ParameterValue=1 ParameterKey=B,ParameterValue=2", {"A": "1", "B": "2"}),
        (["A=1", "B=a=b"], {"A": "1", "B": "a=b"}),
        ({"A": 1}, {"A": "1"}),
        ('A="say \\"hi\\""', {"A": 'say "hi"'}),
        ("", {}),
    ],
)
def test_overrides(given: object, expected: dict[str, str]) -> None:
    assert parse_overrides(given) == expected
