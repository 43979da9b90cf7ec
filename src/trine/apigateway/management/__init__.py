"""The operations of API Gateway's own API, one file for each kind of thing: REST APIs (version 1), HTTP APIs (version
2), usage plans with their keys (version 1). `reading` is what they share.
"""
