"""The first client of a cold environment, sooner: a default session made before the fork, and signatures of hooks told
from their code.

The session holds no credentials and no settings: it reads the function's environment when it is first asked for them,
as a new one does. Whoever has changed what sessions are made of, or points the SDK at files, gets a new one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from inspect import CO_VARARGS, CO_VARKEYWORDS, getfullargspec
from types import FunctionType, MethodType
from typing import Any

_FILES = ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_DATA_PATH")


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
