"""Layers: found under /opt by Python and Node.js, later ones over earlier ones, custom runtimes among them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from trine.awslambda.errors import InvalidParameterValue


def layer(lab: Any, folder: Path, name: str, files: dict[str, str]) -> str:
    """A layer of text files; its ARN."""
    content = folder / name
    for path, text in files.items():
        (content / path).parent.mkdir(parents=True, exist_ok=True)
        (content / path).write_text(text)
    arn: str = lab.service.deployment.put_layer({"LayerName": name}, content)
    return arn


def test_python_finds_layers_and_later_ones_win(lab: Any, tmp_path: Path) -> None:
    first = layer(lab, tmp_path, "first", {"python/shared.py": "WHO = 'first'\n", "python/only.py": "X = 1\n"})
    second = layer(lab, tmp_path, "second", {"python/shared.py": "WHO = 'second'\n", "data.txt": "text"})
    assert first == "arn:aws:lambda:us-east-1:123456789012:layer:first:1"
    code = tmp_path / "code"
    code.mkdir()
    (code / "app.py").write_text(
        "import only, os, shared\n"
        "def handler(event, context):\n"
        "    opt = os.path.dirname(os.path.dirname(shared.__file__))\n"
        "    return [shared.WHO, only.X, open(opt + '/data.txt').read()]\n"
    )
    assert lab.call("app.handler", code=code, name="with-layers", Layers=[first, second]) == ["second", 1, "text"]


def test_a_layer_with_its_own_boto3_wins(lab: Any, tmp_path: Path) -> None:
    arn = layer(lab, tmp_path, "sdk", {"python/boto3/__init__.py": "__version__ = 'from a layer'\n"})
    assert lab.call("app.boto_version", name="layer-boto3", Layers=[arn]) == "from a layer"


def test_node_and_custom_runtimes_find_layers(lab: Any, tmp_path: Path) -> None:
    script = "#!/bin/sh\nexec true\n"
    arn = layer(
        lab, tmp_path, "mixed", {"nodejs/node_modules/dep/index.js": "module.exports = 5;\n", "bootstrap": script}
    )
    (tmp_path / "mixed" / "bootstrap").chmod(0o755)
    code = tmp_path / "code"
    code.mkdir()
    (code / "app.js").write_text("exports.handler = async () => require('dep');\n")
    if shutil.which("node"):
        assert lab.call("app.handler", code=code, name="n-layer", Runtime="nodejs20.x", Layers=[arn]) == 5
    error = lab.error("any", code=code, name="custom-layer", Runtime="provided.al2023", Layers=[arn])
    assert error["errorType"] == "Runtime.ExitError"


def test_a_layer_of_somebody_else_is_told(lab: Any) -> None:
    foreign = "arn:aws:lambda:us-east-1:017000801446:layer:Powertools:7"
    assert lab.call("app.hello", name="foreign", Layers=[foreign]) == {"hello": "world"}
    assert any(foreign in note for note in lab.service.deployment.notes())


def test_a_layer_needs_a_name(lab: Any, tmp_path: Path) -> None:
    with pytest.raises(InvalidParameterValue):
        lab.service.deployment.put_layer({}, tmp_path)
