"""What is made before a function needs its first client, as the stock SDK has it: credentials, TLS contexts, rules."""

from __future__ import annotations

import contextlib
import os
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.credentials
import botocore.httpsession
import botocore.session
import pytest

from trine.awslambda.bootstrap import sdk_endpoint, sdk_session

KEYS = {"AWS_ACCESS_KEY_ID": "ASIA1", "AWS_SECRET_ACCESS_KEY": "secret"}
ENVIRONMENTS: dict[str, dict[str, str]] = {
    "keys": KEYS,
    "keys and token": {**KEYS, "AWS_SESSION_TOKEN": "token", "AWS_ACCOUNT_ID": "123456789012"},
    "keys that expire": {**KEYS, "AWS_CREDENTIAL_EXPIRATION": "2999-01-01T00:00:00Z"},
    "half a key": {"AWS_ACCESS_KEY_ID": "ASIA1"},
    "an empty key": {**KEYS, "AWS_SECRET_ACCESS_KEY": ""},
    "nothing": {},
    "a profile": {**KEYS, "AWS_PROFILE": "mine"},
    "a profile that is not there": {**KEYS, "AWS_PROFILE": "other"},
    "a profile alone": {"AWS_PROFILE": "mine"},
    "a bad setting of another source": {**KEYS, "AWS_METADATA_SERVICE_TIMEOUT": "soon"},
}
FILE = "[mine]\naws_access_key_id = AKIAFILE\naws_secret_access_key = filed\n"


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment without any setting of AWS's but a file of credentials."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "credentials").write_text(FILE)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return monkeypatch


@contextlib.contextmanager
def short() -> Iterator[None]:
    """Credentials found the short way."""
    remove = sdk_session.install_credentials()
    try:
        yield
    finally:
        remove()


def found(session: Any) -> Any:
    """The credentials of a session, the sources that it would ask, and its refusal where it has one."""
    try:
        credentials = session.get_credentials()
        frozen = credentials and credentials.get_frozen_credentials()
        sources = [type(each).__name__ for each in session.get_component("credential_provider").providers]
    except Exception as error:
        return type(error).__name__, str(error)
    assert session.get_credentials() is credentials
    return type(credentials).__name__, frozen, getattr(credentials, "method", None), sources


@pytest.mark.parametrize("name", ENVIRONMENTS)
@pytest.mark.parametrize("profile", [None, "mine", "nobody"])
def test_credentials_are_the_stock_ones(bare: pytest.MonkeyPatch, name: str, profile: str | None) -> None:
    for variable, value in ENVIRONMENTS[name].items():
        bare.setenv(variable, value)
    stock = found(botocore.session.Session(profile=profile))
    with short():
        assert found(botocore.session.Session(profile=profile)) == stock


def test_the_chain_of_sources_is_built_when_it_is_needed_only(bare: pytest.MonkeyPatch) -> None:
    for variable, value in KEYS.items():
        bare.setenv(variable, value)
    with short():
        session: Any = botocore.session.Session()
        assert session.get_credentials().access_key == "ASIA1"
        assert "credential_provider" in session._components._deferred


def test_sources_of_ones_own_are_asked(bare: pytest.MonkeyPatch) -> None:
    class Mine(botocore.credentials.CredentialProvider):
        METHOD = "mine"

        def load(self) -> Any:
            return botocore.credentials.Credentials("MINE", "mine")

    class Session(botocore.session.Session):
        def _create_credential_resolver(self) -> Any:
            return botocore.credentials.CredentialResolver([Mine()])

    for variable, value in KEYS.items():
        bare.setenv(variable, value)
    with short():
        session: Any = botocore.session.Session()
        session.register_component("credential_provider", botocore.credentials.CredentialResolver([Mine()]))
        assert session.get_credentials().access_key == "MINE"
        assert Session().get_credentials().access_key == "MINE"
        session = botocore.session.Session()
        session.get_component("credential_provider").insert_before("env", Mine())
        assert session.get_credentials().access_key == "MINE"
        bare.setattr(botocore.credentials.EnvProvider, "load", lambda self: Mine().load())
        assert botocore.session.Session().get_credentials().access_key == "MINE"


def described(context: ssl.SSLContext) -> Any:
    """All that is set in a TLS context."""
    ciphers = [cipher["name"] for cipher in context.get_ciphers()]
    return (context.options, context.verify_mode, context.check_hostname, context.protocol, context.verify_flags,
            context.post_handshake_auth, context.keylog_filename, ciphers)  # fmt: skip


def test_tls_contexts_are_the_stock_ones_each_given_once(bare: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bare.delenv("SSLKEYLOGFILE", raising=False)
    module: Any = botocore.httpsession
    stock, unlike = module.create_urllib3_context(), module.create_urllib3_context(cert_reqs=ssl.CERT_NONE)
    remove = sdk_session.install_contexts()
    try:
        bare.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
        assert module.create_urllib3_context().keylog_filename == str(tmp_path / "keys")
        bare.delenv("SSLKEYLOGFILE")
        assert described(module.create_urllib3_context(cert_reqs=ssl.CERT_NONE)) == described(unlike)
        made = [module.create_urllib3_context() for _ in range(sdk_session._CONTEXTS + 2)]
    finally:
        remove()
    assert [described(context) for context in made] == [described(stock)] * len(made)
    assert len(set(map(id, made))) == len(made)


def test_clients_share_rules_but_not_with_rules_of_ones_own(bare: pytest.MonkeyPatch) -> None:
    def rules(session: Any) -> Any:
        client = session.create_client("dynamodb", region_name="eu-west-1", aws_access_key_id="a",
                                       aws_secret_access_key="b")  # fmt: skip
        assert client.meta.endpoint_url == "https://dynamodb.eu-west-1.amazonaws.com"
        return client._ruleset_resolver._provider.ruleset

    remove = sdk_endpoint.install_rules()
    try:
        one, other = botocore.session.Session(), botocore.session.Session()
        assert rules(one) is rules(one)
        assert rules(other) is not rules(one)  # it has read the documents anew
    finally:
        remove()
