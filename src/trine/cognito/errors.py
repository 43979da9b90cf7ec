"""Cognito's refusals by AWS's names. All are 400 with `__type`; the sentences are those AWS's clients show."""

from __future__ import annotations

from trine.aws.errors import AwsError


class CognitoError(AwsError):
    """An error of the user pools API; subclasses carry its code."""

    status = 400

    def __init_subclass__(cls) -> None:
        cls.code = f"{cls.__name__}Exception"


class InvalidParameter(CognitoError):
    """A parameter makes no sense, alone or together with the pool's settings."""


class ResourceNotFound(CognitoError):
    """No such pool, client or group."""


class NotAuthorized(CognitoError):
    """Wrong password, token or secret; or the account does not let this happen."""


class UserNotFound(CognitoError):
    """No such user."""

    def __init__(self, message: str = "User does not exist.") -> None:
        super().__init__(message)


class UserNotConfirmed(CognitoError):
    """The user has not confirmed the sign-up."""

    def __init__(self, message: str = "User is not confirmed.") -> None:
        super().__init__(message)


class PasswordResetRequired(CognitoError):
    """An administrator has reset the user's password."""

    def __init__(self) -> None:
        super().__init__("Password reset required for the user")


class UsernameExists(CognitoError):
    """The name is taken."""

    def __init__(self, message: str = "User already exists") -> None:
        super().__init__(message)


class AliasExists(CognitoError):
    """The verified address belongs to another user already."""


class InvalidPassword(CognitoError):
    """The password does not fit the pool's policy."""

    def __init__(self, what: str) -> None:
        super().__init__(f"Password did not conform with policy: {what}")


class CodeMismatch(CognitoError):
    """The code is not the one that was sent."""

    def __init__(self, message: str = "Invalid verification code provided, please try again.") -> None:
        super().__init__(message)


class ExpiredCode(CognitoError):
    """The code is too old, or there is none."""

    def __init__(self, message: str = "Invalid code provided, please request a code again.") -> None:
        super().__init__(message)


class EnableSoftwareTokenMFA(CognitoError):
    """The code shows no possession of the secret that is being set up."""


class SoftwareTokenMFANotFound(CognitoError):
    """The pool or the user has no authenticator."""


class LimitExceeded(CognitoError):
    """A quota is used up."""


class GroupExists(CognitoError):
    """The group is there already."""

    def __init__(self) -> None:
        super().__init__("A group with the name already exists.")


class UserLambdaValidation(CognitoError):
    """A trigger refused, or failed."""


class InvalidLambdaResponse(CognitoError):
    """A trigger answered what Cognito cannot use."""


class UnexpectedLambda(CognitoError):
    """A trigger could not be invoked."""


class UnsupportedUserState(CognitoError):
    """The user's state does not allow this."""
