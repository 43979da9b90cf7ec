"""boto3, loaded once in the zygote so that every fork has it: modules, service models, and a loader that forks share.

What is shared is read-only data of botocore (its parsed JSON models). No client, session or credential is ever made
with a function's own values here.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from . import connections

WARM_SERVICES = ("dynamodb",)
"""Services whose models are parsed before forking; others are parsed on first use, as everywhere."""


_PACKAGES = frozenset({"boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six"})


def preload() -> Callable[[], None] | None:
    """Import boto3 and warm its loader; None where boto3 is not installed, or was lent by a newer Python and does not
    load in this one. The answer warms `boto3.resource`."""
    try:
        import boto3
        import botocore.handlers
        import botocore.loaders
        import botocore.session
    except ModuleNotFoundError:
        return None
    except Exception as error:
        for name in [name for name in sys.modules if name.partition(".")[0] in _PACKAGES]:
            del sys.modules[name]
        version = ".".join(map(str, sys.version_info[:2]))
        sys.stderr.write(f"the SDK that is here does not load in Python {version}, which gets its own ({error})\n")
        return None
    connections.install()
    stock = botocore.loaders.create_loader
    shared = stock(None)

    def create_loader(search_path_string: str | None = None) -> Any:
        # A function that brings its own models (AWS_DATA_PATH) gets a loader of its own.
        if search_path_string or os.environ.get("AWS_DATA_PATH"):
            return stock(search_path_string)
        return shared

    botocore.loaders.create_loader = create_loader
    botocore.session.create_loader = create_loader
    session: Any = boto3.session.Session(
        aws_access_key_id="warm",
        aws_secret_access_key="warm",  # noqa: S106 -- never used to sign
        region_name="us-east-1",
    )
    for service in WARM_SERVICES:
        session.client(service)
    return lambda: _warm_resources(session)


def _warm_resources(session: Any) -> None:
    session.resource("dynamodb")
