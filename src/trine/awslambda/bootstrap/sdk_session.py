"""The first client of a cold environment, sooner: a default session and TLS contexts made before the fork, signatures
of hooks told from their code, credentials taken from the environment before the chain of all their sources is built.

The session holds no credentials and no settings: it reads the function's environment when it is first asked for them,
as a new one does. Whoever has changed what sessions are made of, or points the SDK at files, gets a new one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from inspect import CO_VARARGS, CO_VARKEYWORDS, getfullargspec
from types import FunctionType, MethodType
from typing import Any

from .sdk_watch import watch

_FILES = ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_DATA_PATH")

_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_SOURCES = ("AWS_METADATA_SERVICE_TIMEOUT", "AWS_METADATA_SERVICE_NUM_ATTEMPTS", "AWS_EC2_METADATA_SERVICE_ENDPOINT",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "AWS_EC2_METADATA_V1_DISABLED")  # fmt: skip
"""Settings of other sources of credentials, which the original reads, and judges, before it asks any."""
_CONTEXTS = 4


def install_contexts() -> Callable[[], None]:
    """Make a few TLS contexts now and hand them out one by one (a client makes one though its endpoint be http, the
    chain of credentials two more); the answer undoes this."""
    import ssl

    import botocore.httpsession as httpsession

    module: Any = httpsession
    stock = module.create_urllib3_context
    ready = [] if os.environ.get("SSLKEYLOGFILE") else [stock() for _ in range(_CONTEXTS)]
    is_stock = watch((module, "SSLContext DEFAULT_CIPHERS"), (ssl, "SSLContext"))

    def create_urllib3_context(
        ssl_version: Any = None, cert_reqs: Any = None, options: Any = None, ciphers: Any = None
    ) -> Any:
        is_plain = ssl_version is None and cert_reqs is None and options is None and ciphers is None
        if is_plain and ready and not os.environ.get("SSLKEYLOGFILE") and is_stock():
            try:
                return ready.pop()
            except IndexError:  # another thread took the last
                pass
        return stock(ssl_version, cert_reqs, options, ciphers)

    module.create_urllib3_context = create_urllib3_context

    def remove() -> None:
        module.create_urllib3_context = stock

    return remove


def install_credentials() -> Callable[[], None]:
    """Ask the environment for credentials before the other sources are set up to be asked after it; the answer undoes
    this. A session whose environment has none, or that has a profile or sources of its own, does all of it."""
    import logging

    import botocore.credentials as credentials
    import botocore.session as session_module

    session: Any = session_module.Session
    stock = session.get_credentials
    chain = session._create_credential_resolver
    loud: Any = credentials.logger
    is_stock = watch(
        (credentials, "create_credential_resolver EnvProvider CredentialResolver"),
        (credentials.EnvProvider, "__init__ load _create_credentials_fetcher _build_mapping"),
        (credentials.CredentialResolver, "load_credentials"),
        (session, "_create_credential_resolver"),
    )

    def get_credentials(self: Any) -> Any:
        if (
            self._credentials is None
            and type(self) is session
            and all(map(os.environ.get, _KEYS))
            and not any(name in os.environ for name in (*_FILES, *_SOURCES))
            and self.instance_variables().get("profile") is None
            and not loud.isEnabledFor(logging.DEBUG)
            and is_stock()
        ):
            factory = self._components._deferred.get("credential_provider")
            if getattr(factory, "__func__", None) is chain and factory.__self__ is self:
                self._credentials = credentials.EnvProvider().load()
        return stock(self)

    session.get_credentials = get_credentials

    def remove() -> None:
        session.get_credentials = stock

    return remove


def install_hooks() -> Callable[[], None]:
    """Tell whether a hook takes keywords without `inspect` (a third of a session's making); the answer undoes this."""
    import botocore.hooks as hooks

    module: Any = hooks
    stock = module.accepts_kwargs

    def accepts_kwargs(function: Any) -> str | None:
        plain = function.__func__ if type(function) is MethodType else function
        if type(plain) is not FunctionType or "__signature__" in plain.__dict__:
            return getfullargspec(function)[2]
        code = plain.__code__
        if not code.co_flags & CO_VARKEYWORDS:
            return None
        at = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & CO_VARARGS)
        return code.co_varnames[at]

    module.accepts_kwargs = accepts_kwargs

    def remove() -> None:
        module.accepts_kwargs = stock

    return remove


def install_session() -> Callable[[], None]:
    """Make a default session now and hand it to the first who asks for one; the answer undoes this."""
    import boto3
    import boto3.session
    import botocore.handlers
    import botocore.session

    module: Any = boto3
    stock = module._get_default_session
    files = dict.fromkeys(_FILES[:2], os.devnull)
    before = {name: os.environ.get(name) for name in files}
    os.environ.update(files)
    try:
        made: Any = boto3.session.Session()
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    made._session._config = made._session._profile_map = None  # read again, where the function runs
    ready = [made]
    parts: list[tuple[Any, str, Any]] = [
        (owner, name, getattr(owner, name))
        for owner, name in (
            (boto3, "Session"),
            (boto3, "setup_default_session"),
            (boto3.session.Session, "__init__"),
            (botocore.session, "Session"),
            (botocore.session, "get_session"),
            (botocore.session.Session, "__init__"),
            (botocore.session.Session, "register"),
        )
    ]
    handlers = list(botocore.handlers.BUILTIN_HANDLERS)

    def _get_default_session() -> Any:
        if (
            ready
            and module.DEFAULT_SESSION is None
            and not any(name in os.environ for name in _FILES)
            and handlers == botocore.handlers.BUILTIN_HANDLERS
            and all(getattr(owner, name) is part for owner, name, part in parts)
        ):
            module.DEFAULT_SESSION = ready.pop()
        return stock()

    module._get_default_session = _get_default_session

    def remove() -> None:
        module._get_default_session = stock

    return remove
