"""CloudWatch Logs Insights: queries over log groups, in its own language.

`token` and `parser` read a query into commands (`command`), whose expressions are closures made by `expression` with
the functions of `function` and the sums of `aggregate`; `record` discovers the fields of a log event, `value` compares
and shows them. `run` takes events through the commands, `queries` keeps what was asked and found.
"""
