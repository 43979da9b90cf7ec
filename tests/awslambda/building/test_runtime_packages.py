"""The SDK that Node.js runtimes bring on AWS: which packages are asked for, and where they are found from."""

from __future__ import annotations

import zipfile
from pathlib import Path

from trine.awslambda.building.runtime_packages import missing_packages, named_packages, packages_recipe

DYNAMODB, LIB = "@aws-sdk/client-dynamodb", "@aws-sdk/lib-dynamodb"
NODE = {"Runtime": "nodejs20.x"}


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return folder


def test_what_code_names(tmp_path: Path) -> None:
    write(
        tmp_path,
        app__mjs=f"import {{ X }} from '{DYNAMODB}';\nconst y = await import(`{LIB}`);\n",
        other__js='require("@smithy/types/dist"); // @aws-sdk/not-quoted\n',
        notes__txt="'@aws-sdk/client-s3'",
    )
    (tmp_path / "node_modules" / "x").mkdir(parents=True)
    write(tmp_path / "node_modules" / "x", index__js="require('@aws-sdk/client-sqs')")
    assert named_packages(tmp_path) == {DYNAMODB, LIB, "@smithy/types"}
    assert named_packages(None, f"require('{LIB}')") == {LIB}
    assert named_packages(None) == frozenset()


def test_what_a_bundle_names_without_importing_it(tmp_path: Path) -> None:
    """Of minified code: symbols, messages and lists of packages are no imports, a renamed `require` is."""
    write(
        tmp_path,
        app__mjs='h(n,"s",Symbol.for("@smithy/nor"));throw new Error("@aws-sdk/core/x - no");j={"@smithy/core":"^3"};'
        f'var a=Q("{LIB}");import*as b from"{DYNAMODB}";export*from"@aws-sdk/types";import"@smithy/a";'
        '__require("@smithy/b")',
    )
    assert named_packages(tmp_path) == {LIB, DYNAMODB, "@aws-sdk/types", "@smithy/a", "@smithy/b"}


def test_what_names_try_to_be(tmp_path: Path) -> None:
    """A name goes to npm as an argument: what is no name of the SDK never gets there."""
    write(
        tmp_path,
        app__js="require('@aws-sdk/../x'); require('@aws-sdk/x@1'); require('@aws-sdk/--prefix=x'); '@other/a'",
    )
    assert named_packages(tmp_path) == frozenset()


def test_what_is_brought_is_not_missing(tmp_path: Path) -> None:
    write(tmp_path, app__js=f"require('{DYNAMODB}'); require('{LIB}')")
    assert missing_packages(tmp_path, NODE) == {DYNAMODB, LIB}
    assert missing_packages(tmp_path, {"Runtime": "python3.13"}) == frozenset()
    write(tmp_path, package__json=f'{{"dependencies": {{"{LIB}": "3"}}, "devDependencies": {{"{DYNAMODB}": "3"}}}}')
    assert missing_packages(tmp_path, NODE) == {DYNAMODB}
    (tmp_path / "node_modules" / DYNAMODB).mkdir(parents=True)
    assert missing_packages(tmp_path, NODE) == {LIB}  # with a node_modules the list is not installed


def test_old_runtimes_bring_version_2(tmp_path: Path) -> None:
    write(tmp_path, app__js="const d = require('aws-sdk/clients/dynamodb'); const x = require('aws-sdk-mock');")
    for runtime in ("nodejs", "nodejs4.3", "nodejs8.10", "nodejs12.x", "nodejs16.x"):
        assert missing_packages(tmp_path, {"Runtime": runtime}) == {"aws-sdk"}
    for runtime in ("nodejs18.x", "nodejs20.x", "nodejs22.x", "nodejs24.x"):
        assert missing_packages(tmp_path, {"Runtime": runtime}) == frozenset()


def test_inline_code_and_packages(tmp_path: Path) -> None:
    assert missing_packages(None, {**NODE, "Code": {"ZipFile": f"require('{LIB}')"}}) == {LIB}
    package = tmp_path / "code.zip"
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("app.js", f"require('{LIB}'); require('{DYNAMODB}')")
        archive.writestr(f"node_modules/{LIB}/index.js", "")
    assert missing_packages(package, NODE) == {DYNAMODB}
    package.write_bytes(b"PK broken")
    assert missing_packages(package, NODE) == frozenset()


def test_the_recipe_is_known_by_its_names(tmp_path: Path) -> None:
    one, two = (packages_recipe(frozenset(names), tmp_path) for names in ([LIB, DYNAMODB], [DYNAMODB, LIB]))
    assert one == two
    assert one.what == f"{DYNAMODB}, {LIB}"
    assert packages_recipe(frozenset([LIB]), tmp_path).key != one.key
