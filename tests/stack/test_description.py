"""What a stack says of itself: AWS's addresses in outputs come with those that answer here."""

from __future__ import annotations

import urllib.request
from pathlib import Path

from trine.aws.arn import Place
from trine.stack.description import local_addresses
from trine.testing import running

EXAMPLE = Path(__file__).parents[2] / "examples" / "profiles"


def test_longer_addresses_come_first() -> None:
    apis = [{"id": "a1", "stages": [{"name": "$default", "pathUrl": "http://x/_apis/a1/$default/"},
                                    {"name": "dev", "pathUrl": "http://x/_apis/a1/dev/"}]}]  # fmt: skip
    urls = [{"awsUrl": "https://u1.lambda-url.us-east-1.on.aws/", "url": "http://u1.localhost/"}]
    assert list(local_addresses(apis, urls, Place()).items()) == [
        ("https://a1.execute-api.us-east-1.amazonaws.com/dev", "http://x/_apis/a1/dev"),
        ("https://a1.execute-api.us-east-1.amazonaws.com", "http://x/_apis/a1/$default"),
        ("https://u1.lambda-url.us-east-1.on.aws", "http://u1.localhost"),
    ]


def test_an_outputs_address_answers_here() -> None:
    with running(EXAMPLE) as stack:
        outputs = {output["name"]: output for output in stack.description["outputs"]}
        with urllib.request.urlopen(
            outputs["ProfilesApiUrl"]["localUrl"] + "?email=nobody@example.com", timeout=20
        ) as answer:
            assert answer.read() == b'{"users":[]}'
        assert "localUrl" not in outputs["TableName"]
