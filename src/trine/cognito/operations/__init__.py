"""The operations of the user pools API, by subject: pools, clients, groups; sign_up, sign_in; account (people about
themselves), administration (administrators about people). `operation` says what an operation is.
"""
