"""Property paths that name a local file or folder, as `aws cloudformation package` knows them.

A package in Amazon S3 whose file lies beside the template, as `serverless package` leaves it, is that file.
Source: https://docs.aws.amazon.com/cli/latest/reference/cloudformation/package.html
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

LOCAL_PATHS: Mapping[str, tuple[str, ...]] = {
    "AWS::Lambda::Function": ("Code",),
    "AWS::Lambda::LayerVersion": ("Content",),
    "AWS::ApiGateway::RestApi": ("BodyS3Location",),
    "AWS::ApiGatewayV2::Api": ("BodyS3Location",),
    "AWS::StepFunctions::StateMachine": ("DefinitionS3Location",),
    "AWS::CloudFormation::Stack": ("TemplateURL",),
}


def local_files(kind: str, properties: Mapping[str, Any], directory: Path) -> dict[str, Path]:
    """Property → absolute path, for each property of `kind` that names something local. Nothing is opened."""
    found = {}
    for name in LOCAL_PATHS.get(kind, ()):
        value = properties.get(name)
        if isinstance(value, str) and not value.startswith(("s3://", "https://", "http://")):
            found[name] = Path(directory, value).absolute()
        elif isinstance(value, Mapping) and isinstance(key := value.get("S3Key"), str):
            beside = Path(directory, key.rpartition("/")[2]).absolute()
            if beside.is_file():
                found[name] = beside
    return found
