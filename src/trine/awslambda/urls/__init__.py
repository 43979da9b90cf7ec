"""Function URLs: an HTTP address for one function or alias, in the order in which a request passes.

config     what is set for a URL, and all URLs by id and by function
permit     NONE and AWS_IAM against the function's resource policy
cors       preflight and headers
event      Request → payload 2.0
answer     the function's answer → Response
door       the corridor
"""
