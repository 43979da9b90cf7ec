"""Mapping templates (VTL): template (parsed, rendered), parser, expression, nodes, values, methods, jsonpath, variables
(`$input`, `$util`, `$context`, `$stageVariables`)."""
