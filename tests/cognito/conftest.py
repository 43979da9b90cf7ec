"""One stack with a user pool, two APIs that it guards and a function that is its trigger; real clients call it."""

from __future__ import annotations

import itertools
import json
import re
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from trine.clock import ManualClock
from trine.testing import RunningStack, running

APPLICATION = Path(__file__).parent / "application"
PASSWORD = "Secret!12"
_numbers = itertools.count()


class People:
    """The pool of the running stack, as tests use it."""

    def __init__(self, stack: RunningStack) -> None:
        self.stack = stack
        self.api: Any = stack.client("cognito-idp")
        self.outputs: dict[str, str] = {one["name"]: one["value"] for one in stack.description["outputs"]}
        self.pool, self.web = self.outputs["Pool"], self.outputs["Web"]

    def error(self, operation: str, **given: Any) -> tuple[str, str]:
        """The code and message of a call that must fail."""
        with pytest.raises(self.api.exceptions.ClientError) as refused:
            getattr(self.api, operation)(**given)
        told = refused.value.response["Error"]
        return told["Code"], told["Message"]

    def messages(self) -> list[str]:
        """What was sent to people."""
        store = self.stack.stack.wings.functions.machinery.log_store
        return self.stack.call(lambda: [event.message for event in store.group(f"/aws/cognito/{self.pool}").events()])

    def code_for(self, email: str) -> str:
        """The last code that was sent to `email`."""
        sent = [line for line in self.messages() if f"to {email} " in line]
        found = re.search(r"code (\d{6})$", sent[-1])
        assert found is not None
        return found[1]

    def someone(self, password: str = PASSWORD, **attributes: str) -> str:
        """The address of a new, confirmed person."""
        email = f"someone{next(_numbers)}@example.com"
        given = [{"Name": name.replace("__", ":"), "Value": value} for name, value in attributes.items()]
        self.api.sign_up(ClientId=self.web, Username=email, Password=password, UserAttributes=given)
        self.api.confirm_sign_up(ClientId=self.web, Username=email, ConfirmationCode=self.code_for(email))
        return email

    def sign_in(self, email: str, password: str = PASSWORD) -> dict[str, Any]:
        """The tokens of a person."""
        answer = self.api.initiate_auth(
            ClientId=self.web, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": email, "PASSWORD": password}
        )
        result: dict[str, Any] = answer["AuthenticationResult"]
        return result

    def get(self, api: str, token: str | None) -> tuple[int, Mapping[str, Any]]:
        """`GET /me` of the API of that logical id."""
        found = next(one for one in self.stack.description["apis"] if one["logicalId"] == api)
        headers = {} if token is None else {"Authorization": token}
        request = urllib.request.Request(found["stages"][0]["pathUrl"] + "me", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read())
        except HTTPError as error:
            return error.code, json.loads(error.read())


@pytest.fixture(scope="module")
def people() -> Iterator[People]:
    """A pool whose clock runs: for tests that leave the time alone."""
    with running(APPLICATION) as stack:
        yield People(stack)


@pytest.fixture
def later() -> Iterator[People]:
    """A pool of one test's own, whose clock the test moves. Signed calls come first: their signatures age."""
    with running(APPLICATION, clock=ManualClock(time.time())) as stack:
        yield People(stack)
