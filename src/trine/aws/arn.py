"""Amazon Resource Names: built and taken apart, with the account and region of this stack."""

from __future__ import annotations

from msgspec import Struct

DEFAULT_ACCOUNT_ID = "123456789012"
DEFAULT_REGION = "us-east-1"


class Arn(Struct, frozen=True):
    """`arn:partition:service:region:account:resource`; the resource keeps its own colons and slashes."""

    partition: str
    service: str
    region: str
    account_id: str
    resource: str

    @classmethod
    def parse(cls, text: str) -> Arn:
        """Take `text` apart. ValueError when it is no ARN."""
        parts = text.split(":", 5)
        if len(parts) != 6 or parts[0] != "arn" or not parts[2]:
            raise ValueError(f"not an ARN: {text!r}")
        return cls(parts[1], parts[2], parts[3], parts[4], parts[5])

    def __str__(self) -> str:
        return f"arn:{self.partition}:{self.service}:{self.region}:{self.account_id}:{self.resource}"


class Place(Struct, frozen=True):
    """The account and region a stack stands in; every ARN of the stack is made here."""

    account_id: str = DEFAULT_ACCOUNT_ID
    region: str = DEFAULT_REGION
    partition: str = "aws"

    def arn(self, service: str, resource: str, *, regional: bool = True) -> str:
        """The ARN of `resource`; IAM's and others' without region by `regional=False`."""
        region = self.region if regional else ""
        return f"arn:{self.partition}:{service}:{region}:{self.account_id}:{resource}"

    def table(self, name: str) -> str:
        """The ARN of a DynamoDB table."""
        return self.arn("dynamodb", f"table/{name}")

    def function(self, name: str) -> str:
        """The unqualified ARN of a Lambda function."""
        return self.arn("lambda", f"function:{name}")

    def role(self, path_and_name: str) -> str:
        """The ARN of an IAM role; `path_and_name` without the leading slash."""
        return self.arn("iam", f"role/{path_and_name}", regional=False)

    def execute_api(self, api_id: str, suffix: str = "*") -> str:
        """The `execute-api` ARN of an API; `suffix` is `stage/METHOD/path`."""
        return self.arn("execute-api", f"{api_id}/{suffix}")
