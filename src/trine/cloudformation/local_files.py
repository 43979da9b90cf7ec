"""Property paths that name a local file or folder, as `aws cloudformation package` knows them.

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
    return found
