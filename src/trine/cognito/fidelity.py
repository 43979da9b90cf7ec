"""What the wing of user pools does with each template property: enforced, stored or ignored. Read by the manifest.

A path covers all below it unless a longer one is listed; what is not listed is ignored.
"""

from __future__ import annotations

from trine.aws.fidelity import Fidelity

_E, _S = Fidelity.ENFORCED, Fidelity.STORED
_TRIGGERS = ("PreSignUp", "PostConfirmation", "PreAuthentication", "PostAuthentication", "PreTokenGeneration",
             "PreTokenGenerationConfig", "DefineAuthChallenge", "CreateAuthChallenge",
             "VerifyAuthChallengeResponse")  # fmt: skip

FIDELITY: dict[str, dict[str, Fidelity]] = {
    "AWS::Cognito::UserPool": {
        "UserPoolName": _E,
        "AliasAttributes": _E,
        "UsernameAttributes": _E,
        "UsernameConfiguration": _E,
        "AutoVerifiedAttributes": _E,
        "Schema": _E,
        "Policies.PasswordPolicy": _E,
        "Policies.PasswordPolicy.PasswordHistorySize": Fidelity.IGNORED,
        "Policies.SignInPolicy": Fidelity.IGNORED,
        "AdminCreateUserConfig": _E,
        "AdminCreateUserConfig.InviteMessageTemplate": _S,
        "DeletionProtection": _E,
        "MfaConfiguration": _E,
        "EnabledMfas": _E,
        "LambdaConfig": Fidelity.IGNORED,
        **{f"LambdaConfig.{trigger}": _E for trigger in _TRIGGERS},
        "UserPoolTags": _S,
        "AccountRecoverySetting": _S,
        "EmailConfiguration": _S,
        "SmsConfiguration": _S,
        "EmailVerificationMessage": _S,
        "EmailVerificationSubject": _S,
        "SmsVerificationMessage": _S,
        "VerificationMessageTemplate": _S,
    },
    "AWS::Cognito::UserPoolClient": {
        "ClientName": _E,
        "UserPoolId": _E,
        "GenerateSecret": _E,
        "ExplicitAuthFlows": _E,
        "AccessTokenValidity": _E,
        "IdTokenValidity": _E,
        "RefreshTokenValidity": _E,
        "TokenValidityUnits": _E,
        "PreventUserExistenceErrors": _E,
        "ReadAttributes": _E,
        "WriteAttributes": _E,
        "AuthSessionValidity": _E,
        "EnableTokenRevocation": _S,
        "CallbackURLs": _S,
        "LogoutURLs": _S,
        "AllowedOAuthFlows": _S,
        "AllowedOAuthFlowsUserPoolClient": _S,
        "AllowedOAuthScopes": _S,
        "SupportedIdentityProviders": _S,
    },
    "AWS::Cognito::UserPoolGroup": {
        "GroupName": _E,
        "UserPoolId": _E,
        "RoleArn": _E,
        "Precedence": _E,
        "Description": _S,
    },
    "AWS::Cognito::UserPoolUser": {
        "Username": _E,
        "UserPoolId": _E,
        "UserAttributes": _E,
        "MessageAction": _E,
    },
    "AWS::Cognito::UserPoolUserToGroupAttachment": {"UserPoolId": _E, "Username": _E, "GroupName": _E},
}
