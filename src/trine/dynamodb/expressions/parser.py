"""Recursive descent over tokens: expression text in, syntax tree out, or AWS's syntax error.

One Python frame per level of nesting and a bound on the levels: no text makes the interpreter run out of stack.
Operators are counted here (AWS allows 300; parentheses and functions do not count). What is wrong in meaning (unknown
functions, reserved words, operands) is left to `checks`, since AWS reports it after syntax.
"""

from __future__ import annotations

from trine.dynamodb.errors import ValidationException
from trine.dynamodb.expressions.ast import (
    Action,
    AddAction,
    And,
    Arithmetic,
    Between,
    Comparison,
    Condition,
    ConditionTree,
    DeleteAction,
    Function,
    In,
    Not,
    Operand,
    Or,
    Path,
    RemoveAction,
    SetAction,
    SetOperand,
    UpdateTree,
    Value,
)
from trine.dynamodb.expressions.token import END, NAME, NUMBER, VALUE, WORD, Token, syntax_error, tokens
from trine.dynamodb.limits import DOCUMENT_MAX_LEVELS, EXPRESSION_MAX_NESTING, EXPRESSION_MAX_OPERATORS, LIST_INDEX_MAX

_COMPARATORS = frozenset(("=", "<>", "<", "<=", ">", ">="))
_CONDITION_KEYWORDS = frozenset(("AND", "OR", "NOT", "BETWEEN", "IN"))
_SECTIONS = frozenset(("SET", "REMOVE", "ADD", "DELETE"))
_NO_KEYWORDS: frozenset[str] = frozenset()


def parse_condition(text: str, parameter: str) -> ConditionTree:
    """A ConditionExpression, FilterExpression or KeyConditionExpression."""
    parser = _Parser(text, parameter, _CONDITION_KEYWORDS)
    node, _ = parser.expression(0)
    parser.finish()
    assert not isinstance(node, Path | Value)
    return ConditionTree(node, parser.redundant_parentheses)


def parse_update(text: str, parameter: str = "UpdateExpression") -> UpdateTree:
    """An UpdateExpression."""
    parser = _Parser(text, parameter, _SECTIONS)
    tree = parser.update()
    parser.finish()
    return tree


def parse_projection(text: str, parameter: str = "ProjectionExpression") -> tuple[Path, ...]:
    """A ProjectionExpression: its paths."""
    parser = _Parser(text, parameter, _NO_KEYWORDS)
    paths = [parser.path()]
    while parser.accept(","):
        paths.append(parser.path())
    parser.finish()
    return tuple(paths)


class _Parser:
    def __init__(self, text: str, parameter: str, keywords: frozenset[str]) -> None:
        self.text = text
        self.parameter = parameter
        self.keywords = keywords
        self.tokens = tokens(text, parameter)
        self.index = 0
        self.token: Token = self.tokens[0]
        self.redundant_parentheses = False
        self.operators = 0

    # Words

    def advance(self) -> Token:
        token = self.token
        self.index += 1
        self.token = self.tokens[self.index]
        return token

    def accept(self, kind: str) -> bool:
        if self.token.kind != kind:
            return False
        self.advance()
        return True

    def accept_keyword(self, keyword: str) -> bool:
        if self.token.keyword != keyword:
            return False
        self.advance()
        return True

    def expect(self, kind: str) -> Token:
        if self.token.kind != kind:
            raise self.unexpected()
        return self.advance()

    def finish(self) -> None:
        if self.token.kind != END:
            raise self.unexpected()
        if self.operators > EXPRESSION_MAX_OPERATORS:
            raise self.too_many_operators()

    def unexpected(self) -> ValidationException:
        return syntax_error(self.text, self.tokens, self.index, self.parameter)

    def too_many_operators(self) -> ValidationException:
        return ValidationException(
            f"Invalid {self.parameter}: The expression contains too many operators; "
            f"operator count: {EXPRESSION_MAX_OPERATORS + 1}"
        )

    def too_deep(self) -> ValidationException:
        if self.operators > EXPRESSION_MAX_OPERATORS // 2:
            return self.too_many_operators()
        return ValidationException(f"Invalid {self.parameter}: The expression has redundant parentheses;")

    # Operands

    def path(self) -> Path:
        token = self.token
        if (token.kind != WORD or token.keyword in self.keywords) and token.kind != NAME:
            raise self.unexpected()
        self.advance()
        return self.path_from(token.text)

    def path_from(self, *start: str | int) -> Path:
        if self.token.kind != "." and self.token.kind != "[":
            return Path(start)
        elements = list(start)
        while True:
            if self.accept("."):
                token = self.token
                if token.kind != WORD and token.kind != NAME:
                    raise self.unexpected()
                elements.append(self.advance().text)
            elif self.accept("["):
                elements.append(self.list_index())
                self.expect("]")
            else:
                break
        if len(elements) > DOCUMENT_MAX_LEVELS:
            raise ValidationException(
                f"Invalid {self.parameter}: The document path has too many nesting levels; "
                f"nesting levels: {len(elements)}"
            )
        return Path(tuple(elements))

    def list_index(self) -> int:
        text = self.expect(NUMBER).text
        if len(text) > 10 or int(text) > LIST_INDEX_MAX:
            raise ValidationException(
                f"Invalid {self.parameter}: List index is not within the allowable range; index: [{text}]"
            )
        return int(text)

    def operand(self, depth: int) -> Operand:
        token = self.token
        if token.kind == VALUE:
            return Value(self.advance().text)
        if token.kind == WORD and self.tokens[self.index + 1].kind == "(" and token.keyword not in self.keywords:
            return self.function(depth)
        return self.path()

    def function(self, depth: int) -> Function:
        name = self.advance().text
        if depth > EXPRESSION_MAX_NESTING // 2:
            # No function may be nested like this; AWS names the innermost, which we do not go and look for.
            raise ValidationException(f"Invalid {self.parameter}: Invalid function name; function: {name}")
        self.expect("(")
        arguments = [self.operand_in_parentheses(depth + 1)]
        while self.accept(","):
            arguments.append(self.operand_in_parentheses(depth + 1))
        self.expect(")")
        return Function(name, tuple(arguments))

    def operand_in_parentheses(self, depth: int) -> Operand:
        """An operand, possibly in parentheses; `(a.b).c` continues the path."""
        opened = 0
        while self.accept("("):
            opened += 1
        node = self.operand(depth)
        directly = False
        while opened:
            self.expect(")")
            opened -= 1
            if directly:
                self.redundant_parentheses = True
            directly = True
            if isinstance(node, Path) and self.keywords is _CONDITION_KEYWORDS:
                longer = self.path_from(*node.elements)
                directly = len(longer.elements) == len(node.elements)
                node = longer
        return node

    # Conditions

    def expression(self, depth: int) -> tuple[Condition | Operand, bool]:
        """Up to the end or a closing parenthesis; also whether it is nothing but one parenthesised expression."""
        if depth > EXPRESSION_MAX_NESTING:
            raise self.too_deep()
        alternatives: list[Condition] = []
        terms: list[Condition] = []
        while True:
            negations = 0
            while self.accept_keyword("NOT"):
                negations += 1
            grouped = False
            node: Condition | Operand
            if self.accept("("):
                node, only_group = self.expression(depth + 1)
                self.expect(")")
                if only_group:
                    self.redundant_parentheses = True
                grouped = True
                if isinstance(node, Path) and self.token.kind in (".", "["):
                    node, grouped = self.path_from(*node.elements), False
            else:
                node = self.operand(depth)
            if isinstance(node, Path | Value | Function):
                node, compared = self.comparison(node, depth)
                grouped = grouped and not compared
            self.operators += negations
            if isinstance(node, Path | Value):
                # A bare operand is only good as the inside of parentheses: (a) = :v.
                if depth and self.token.kind == ")" and not (negations or terms or alternatives):
                    return node, grouped
                raise self.unexpected()
            for _ in range(min(negations, EXPRESSION_MAX_OPERATORS + 1)):
                node = Not(node)
            terms.append(node)
            if self.accept_keyword("AND"):
                self.operators += 1
                continue
            if self.accept_keyword("OR"):
                self.operators += 1
                alternatives.append(_joined(terms))
                terms = []
                continue
            if self.operators > EXPRESSION_MAX_OPERATORS and depth == 0 and self.token.kind == END:
                raise self.too_many_operators()
            break
        if not alternatives:
            if len(terms) == 1:
                return terms[0], grouped and not negations
            return And(tuple(terms)), False
        return Or((*alternatives, _joined(terms))), False

    def comparison(self, left: Operand, depth: int) -> tuple[Condition | Operand, bool]:
        """What follows an operand: a comparator, BETWEEN, IN or nothing; also whether anything followed."""
        kind = self.token.kind
        if kind in _COMPARATORS:
            self.advance()
            self.operators += 1
            return Comparison(kind, left, self.operand_in_parentheses(depth)), True
        if self.accept_keyword("BETWEEN"):
            self.operators += 1
            low = self.operand_in_parentheses(depth)
            if not self.accept_keyword("AND"):
                raise self.unexpected()
            return Between(left, low, self.operand_in_parentheses(depth)), True
        if self.accept_keyword("IN"):
            self.operators += 1
            self.expect("(")
            choices = [self.operand_in_parentheses(depth)]
            while self.accept(","):
                choices.append(self.operand_in_parentheses(depth))
            self.expect(")")
            return In(left, tuple(choices)), True
        return left, False

    # Updates

    def update(self) -> UpdateTree:
        seen: set[str] = set()
        repeated: str | None = None
        actions: list[Action] = []
        while True:
            section = self.token.keyword
            if section not in _SECTIONS:
                if actions and self.token.kind == END:
                    return UpdateTree(tuple(actions), repeated, self.redundant_parentheses)
                raise self.unexpected()
            self.advance()
            if section in seen and repeated is None:
                repeated = section
            seen.add(section)
            actions.append(self.action(section))
            while self.accept(","):
                actions.append(self.action(section))

    def action(self, section: str) -> Action:
        path = self.path()
        if section == "REMOVE":
            return RemoveAction(path)
        if section == "SET":
            self.expect("=")
            self.operators += 1
            return SetAction(path, self.set_value())
        value = Value(self.expect(VALUE).text)
        self.operators += 1
        return AddAction(path, value) if section == "ADD" else DeleteAction(path, value)

    def set_value(self) -> SetOperand:
        """`operand`, `operand ± operand`, or either in one pair of parentheses."""
        start, token = self.index, self.token
        if token.kind == "(":
            self.advance()
            left = self.operand_in_parentheses(0)
            if self.token.kind in ("+", "-"):
                value = self.arithmetic(left)
                self.expect(")")
                return value
            self.index, self.token = start, token
        left = self.operand_in_parentheses(0)
        return self.arithmetic(left) if self.token.kind in ("+", "-") else left

    def arithmetic(self, left: Operand) -> Arithmetic:
        operator = self.advance().kind
        self.operators += 1
        return Arithmetic(operator, left, self.operand_in_parentheses(0))


def _joined(terms: list[Condition]) -> Condition:
    return terms[0] if len(terms) == 1 else And(tuple(terms))
