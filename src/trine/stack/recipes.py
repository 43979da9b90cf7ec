"""What the functions and layers of a template ask for: the packages of their lists, of their runtimes, of their Python.

Enters a resource, leaves recipes; what cannot be read is told by whoever makes the function or layer.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from trine.awslambda.building.dependencies import Recipe, recipe_for, sdk_recipe
from trine.awslambda.building.runtime_packages import missing_packages
from trine.awslambda.runtimes.python import version_of
from trine.awslambda.runtimes.pythons import find, takes_sdk
from trine.cloudformation.resources import Resource
from trine.cloudformation.template import Template

FUNCTION, LAYER = "AWS::Lambda::Function", "AWS::Lambda::LayerVersion"


def name_of(resource: Resource) -> str:
    """What people call it: its logical id in their template."""
    return resource.source_id or resource.logical_id


def wanted_recipes(template: Template) -> Iterator[tuple[Recipe, str]]:
    """What functions and layers ask for by lists of their own, with whose it is."""
    for resource in template.of_type(FUNCTION):
        name = name_of(resource)
        for recipe in (own_recipe(resource), python_sdk(resource)):
            if recipe is not None:
                yield recipe, name
    for resource in template.of_type(LAYER):
        recipe = layer_recipe(resource)
        if recipe is not None:
            yield recipe, name_of(resource)


def layer_recipe(resource: Resource) -> Recipe | None:
    """What a layer that is built asks for by its list; None when that is nothing."""
    if "BuildMethod" not in resource.metadata or not is_source(resource, "Content"):
        return None
    from trine.awslambda.building.layer import layer_folder

    method = str(resource.metadata["BuildMethod"])
    if layer_folder(method) is None:
        return None
    try:
        return recipe_for(resource.local_files["Content"], method, python_of(method))
    except OSError:
        return None  # what cannot be read is told when the layer is laid out


def own_recipe(resource: Resource) -> Recipe | None:
    """What a function asks for by its list; None when that is nothing."""
    code = resource.local_files.get("Code")
    runtime = str(resource.properties.get("Runtime", ""))
    if code is None:
        return None
    try:
        return recipe_for(code, runtime, python_of(runtime))
    except OSError:
        return None  # what cannot be read is told when the function is made


def missing_sdk(resource: Resource, built: Path | None) -> frozenset[str]:
    """The packages of AWS's SDK that a function names and does not bring; `built` is its code, where it was built."""
    try:
        return missing_packages(built or resource.local_files.get("Code"), resource.properties)
    except OSError:
        return frozenset()  # what cannot be read is told when the function is made


def python_sdk(resource: Resource) -> Recipe | None:
    """What brings boto3 to a function whose Python is installed and too old for the one that all others are lent."""
    runtime = str(resource.properties.get("Runtime", ""))
    version = version_of(runtime)
    python = None if version is None else find(version)
    return None if version is None or python is None or takes_sdk(version) else sdk_recipe(python, Path(python))


def python_of(runtime: str) -> str:
    """The interpreter for a runtime: the one of its version where that is installed, else the one that runs Trine."""
    version = version_of(runtime)
    return (None if version is None else find(version)) or sys.executable


def variables_of(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """A function's environment variables."""
    variables: Mapping[str, Any] = (properties.get("Environment") or {}).get("Variables") or {}
    return variables


def is_source(resource: Resource, name: str) -> bool:
    """Whether a property names a folder that `sam build` has not made."""
    folder = resource.local_files.get(name)
    return folder is not None and folder.is_dir() and ".aws-sam" not in folder.parts
