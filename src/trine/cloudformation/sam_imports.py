"""aws-sam-translator imported without what its expansion of a local template never calls. Child process only.

The translator imports boto3, botocore, jsonschema and pydantic at its top (0.45 s and 50 MB on a small machine) for the
Serverless Application Repository, feature toggles from AppConfig, a schema check of its own policy data, and three
resource types. Stand-ins with those names make the import three times as quick. A stand-in raises `NeedsWhole` when it
is used after all; the child then starts again with the real modules. The result is the same, only the wait differs.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

WHOLE_TYPES = frozenset(
    {
        "AWS::Serverless::CapacityProvider",
        "AWS::Serverless::GraphQLApi",
        "AWS::Serverless::MicrovmImage",
        "AWS::Serverless::NetworkConnector",
        "AWS::Serverless::WebFunction",
    }
)
"""Resource types that the translator checks with pydantic models."""

_SCHEMAS = "samtranslator.internal.schema_source"


class NeedsWhole(BaseException):
    """A stand-in was used: expand again with the real modules. No Exception, so that nobody swallows it."""


class _Placeholder(type):
    """Classes of which only the name matters (annotations, except clauses, base classes)."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _placeholder(name)


def _placeholder(name: str) -> type:
    def refuse(*_: Any, **__: Any) -> Any:
        raise NeedsWhole(name)

    return _Placeholder(name, (Exception,), {"__init__": refuse})


class _StandIn(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        made = _placeholder(name)
        setattr(self, name, made)
        return made


class Session:
    """boto3's Session as far as the translator asks it: the region. `region` is set once by `install`."""

    region_name = ""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.region_name = Session.region_name

    def __getattr__(self, name: str) -> Any:
        raise NeedsWhole(name)


def _module(name: str, **members: Any) -> None:
    module = _StandIn(name)
    module.__path__ = []
    for key, value in members.items():
        setattr(module, key, value)
    sys.modules[name] = module
    parent, _, child = name.rpartition(".")
    if parent in sys.modules:
        setattr(sys.modules[parent], child, module)


def _accept(*_: Any, **__: Any) -> None:
    """The schema check of the policy templates that the translator ships: its own tests make it."""


def install(region: str) -> None:
    """Put the stand-ins in place; call before the first import of samtranslator."""
    Session.region_name = region
    _module("boto3", Session=Session, DEFAULT_SESSION=None)
    _module("boto3.session", Session=Session)
    for name in ("botocore", "botocore.client", "botocore.config", "botocore.exceptions"):
        _module(name)
    _module("jsonschema", validate=_accept)
    _module("jsonschema.exceptions")
    _module("pydantic")
    _module("pydantic.v1")
    _module("pydantic.error_wrappers")
    for name in ("capacity_provider", "function", "graphqlapi", "microvmimage", "networkconnector"):
        _module(f"{_SCHEMAS}.aws_serverless_{name}")
    _module(
        f"{_SCHEMAS}.common",
        PermissionsType=list[str],
        SamIntrinsicable=_Subscript(),
        PassThroughProp=_placeholder("PassThroughProp"),
    )


class _Subscript:
    """Stands for a generic alias: `SamIntrinsicable[str]` in annotations."""

    def __getitem__(self, _: Any) -> Any:
        return Any


def restore_real_modules() -> None:
    """Forget the stand-ins and everything that was imported over them."""
    roots = {"boto3", "botocore", "jsonschema", "pydantic", "samtranslator"}
    for name in [name for name in sys.modules if name.partition(".")[0] in roots]:
        del sys.modules[name]
