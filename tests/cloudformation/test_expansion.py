"""The cache: a hit changes nothing, costs little and loads neither PyYAML nor the translator."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from trine.cloudformation import expansion
from trine.cloudformation.expansion import expand_template
from trine.cloudformation.template import load_template

TEMPLATES = Path(__file__).parent / "templates"
TEXT = "Resources: {A: {Type: AWS::SNS::Topic, Properties: {DisplayName: one}}}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "template.yaml"
    path.write_text(TEXT)
    return path


def test_a_hit_gives_what_the_miss_gave(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    miss = load_template(TEMPLATES / "http.yaml", cache_directory=cache)
    hit = load_template(TEMPLATES / "http.yaml", cache_directory=cache)
    assert (miss.from_cache, hit.from_cache) == (False, True)
    assert list(miss.resources) == list(hit.resources)
    for name, resource in miss.resources.items():
        assert resource.properties == hit.resources[name].properties
        assert resource.location == hit.resources[name].location
        assert resource.location_of("Timeout") == hit.resources[name].location_of("Timeout")


def test_a_hit_loads_neither_yaml_nor_the_translator(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    load_template(TEMPLATES / "rest.yaml", cache_directory=cache)
    program = (
        "import sys; from pathlib import Path; from trine.cloudformation.template import load_template;"
        f"assert load_template({str(TEMPLATES / 'rest.yaml')!r}, cache_directory=Path({str(cache)!r})).from_cache;"
        "print([name for name in ('yaml', 'samtranslator', 'cfnlint', 'boto3', 'subprocess') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.strip() == "[]"


def test_text_parameters_and_region_each_make_their_own_entry(file: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert not expand_template(file, {}, "us-east-1", cache).from_cache
    assert expand_template(file, {}, "us-east-1", cache).from_cache
    assert not expand_template(file, {"A": "b"}, "us-east-1", cache).from_cache
    assert not expand_template(file, {}, "eu-west-1", cache).from_cache
    file.write_text(TEXT.replace("one", "two"))
    assert not expand_template(file, {}, "us-east-1", cache).from_cache


def test_an_included_file_that_changed_is_read_again(tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(TEMPLATES, project)
    template, cache = project / "definition.yaml", tmp_path / "cache"
    assert not expand_template(template, {}, "us-east-1", cache).from_cache
    assert expand_template(template, {}, "us-east-1", cache).from_cache
    (project / "included.yaml").write_text((project / "included.yaml").read_text().replace("/ping", "/pong"))
    again = expand_template(template, {}, "us-east-1", cache)
    assert not again.from_cache
    assert "/pong" in again.template["Resources"]["Included"]["Properties"]["Body"]["paths"]


def test_faults_are_not_kept_and_damage_is_repaired(file: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    file.write_text("Resources: 5")
    assert expand_template(file, {}, "us-east-1", cache).faults
    assert not list(tmp_path.glob("cache/*"))
    file.write_text(TEXT)
    expand_template(file, {}, "us-east-1", cache)
    (entry,) = cache.iterdir()
    entry.write_bytes(entry.read_bytes()[:-20])
    assert not expand_template(file, {}, "us-east-1", cache).from_cache
    assert json.loads(entry.read_bytes())["faults"] == []
    assert entry.stat().st_mode & 0o077 == 0, "parameters may be secrets: the file is its owner's"


def test_the_oldest_entries_go(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expansion, "CACHE_ENTRIES", 2)
    for number in range(4):
        expand_template(file, {"N": str(number)}, "us-east-1", tmp_path / "cache")
    assert len(list(tmp_path.glob("cache/*"))) == 2


def test_modules_in_the_user_s_folder_are_not_imported(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("yaml.py", "samtranslator.py", "json.py"):
        (file.parent / name).write_text("raise SystemExit('a file of the user was imported')")
    monkeypatch.chdir(file.parent)
    assert expand_template(file, {}, "us-east-1", None).faults == []


def test_a_folder_is_no_template(tmp_path: Path) -> None:
    (fault,) = expand_template(tmp_path, {}, "us-east-1", None).faults
    assert "not a regular file" in fault.message


def test_a_cache_that_cannot_be_written_is_no_fault(file: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file stands where the folder should")
    assert expand_template(file, {}, "us-east-1", tmp_path / "cache").faults == []


def test_a_reader_that_takes_too_long_is_stopped(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expansion, "EXPANSION_TIMEOUT_SECONDS", 0.001)
    (fault,) = expand_template(file, {}, "us-east-1", None).faults
    assert "took longer" in fault.message


def test_resource_types_that_need_the_whole_translator(tmp_path: Path) -> None:
    """The stand-ins of sam_imports are taken away for types that the translator checks with pydantic."""
    path = tmp_path / "template.yaml"
    path.write_text("""
Transform: AWS::Serverless-2016-10-31
Resources:
  Graph:
    Type: AWS::Serverless::GraphQLApi
    Properties: {SchemaInline: "type Query { a: String }", Auth: {Type: API_KEY}, XrayEnabled: false}
""")
    found = expand_template(path, {}, "us-east-1", None)
    assert found.faults == []
    assert found.template["Resources"]["Graph"]["Type"] == "AWS::AppSync::GraphQLApi"
