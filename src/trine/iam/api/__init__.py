"""The operations of the STS and IAM APIs, one file for each kind of thing: tokens, roles, users, groups, policies,
attachments (what roles, users and groups share), simulation. `operation` says what an operation is.
"""
