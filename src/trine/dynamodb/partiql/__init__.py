"""PartiQL, pure: a statement's text in, a plan in the words of the table's operations out.

Rooms in order: `token` → `parser` (with `literal` and `condition`, makes `statement`) → `planner` (with `reading`,
`overlap` and `ordering`, makes `plan`). How an operation uses them:

    statement = parse(text)                  # cached by text; ValidationException before any table is known
    statement.kind                           # "SELECT" | "INSERT" | "UPDATE" | "DELETE" | "EXISTS"
    statement.table_name, .index_name        # what to authorize and to look up (index_name None: the table)
    statement.returning                      # None | "ALL OLD" | "ALL NEW" | "MODIFIED OLD" | "MODIFIED NEW"
    plan = make_plan(statement, parameters, table_definition)   # parameters: validated values or None

AWS validates parameters (`model.attribute.validate_value`) before it reads the statement: `check_parameters` does.
The plan is a SelectPlan (get, queries or scan), InsertPlan, UpdateStatementPlan, DeletePlan or ExistsPlan; their
docstrings say what is to be run and which error a false condition gives. Sentences of errors carry no prefix;
ExecuteTransaction puts "Validation failed in TransactStatements[n]: " in front.
"""

from trine.dynamodb.partiql.parser import parse
from trine.dynamodb.partiql.plan import (
    DeletePlan,
    ExistsPlan,
    InsertPlan,
    Plan,
    SelectPlan,
    UpdateStatementPlan,
)
from trine.dynamodb.partiql.planner import check_operands, check_parameters, make_plan
from trine.dynamodb.partiql.statement import Statement

__all__ = [
    "DeletePlan",
    "ExistsPlan",
    "InsertPlan",
    "Plan",
    "SelectPlan",
    "Statement",
    "UpdateStatementPlan",
    "check_operands",
    "check_parameters",
    "make_plan",
    "parse",
]
