"""The operations of the Lambda API by what they are about; `endpoint` authenticates, authorizes and dispatches.

functions    create, read, change, delete, list; account settings
versions     versions and aliases
invoke       Invoke, InvokeAsync, InvokeWithResponseStream
policy       permissions of functions
urls         function URLs
events       how asynchronous events are treated
layers       layer versions and their permissions
tags         tags of functions
sources      event source mappings
paging       Marker and MaxItems
"""
