"""Amazon Cognito user pools, as far as the pattern needs them: people who sign up, sign in and carry tokens.

The rooms along a request's way: endpoint (the corridor) → operations/* → directory (pools, clients, users, groups in
memory and in the catalogue), with attributes, passwords, srp, codes, tokens and triggers as what they are named after;
vault seals what must be read back. Domains, hosted pages, MFA and federation are not built; the manifest says so.
"""
