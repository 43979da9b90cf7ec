"""The resource types of this wing, in the order in which they are made. Loads nothing: `stack` asks at every start."""

from __future__ import annotations

TYPES = (
    "AWS::Cognito::UserPool",
    "AWS::Cognito::UserPoolClient",
    "AWS::Cognito::UserPoolGroup",
    "AWS::Cognito::UserPoolUser",
    "AWS::Cognito::UserPoolUserToGroupAttachment",
)
