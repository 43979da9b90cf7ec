"""Assets of the CDK: the folder beside the template that stands for what `cdk deploy` would upload. Child process only.

Source: https://docs.aws.amazon.com/cdk/v2/guide/assets.html ("aws:asset:path", "aws:asset:property")
"""

from __future__ import annotations

from typing import Any


def put_assets(template: dict[str, Any]) -> None:
    """Where Metadata names an asset, put its path in the place of the Amazon S3 location, as the SAM CLI does."""
    for resource in template["Resources"].values():
        metadata, properties = resource.get("Metadata"), resource.get("Properties")
        if not isinstance(metadata, dict) or not isinstance(properties, dict):
            continue
        path, name = metadata.get("aws:asset:path"), metadata.get("aws:asset:property")
        if isinstance(path, str) and isinstance(name, str):
            # "Code" of functions, "Content" of layers, "TemplateURL" of nested stacks, "Body" of APIs.
            properties["BodyS3Location" if name == "Body" else name] = path
