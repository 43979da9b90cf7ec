"""Policies replaced in a template's text: what is not meant stays as it was, letter for letter."""

from __future__ import annotations

import yaml
from hypothesis import given
from hypothesis import strategies as st

from trine.cloudformation.policy_edit import with_policies

ENTRIES = [["- Statement:", "    - Effect: Allow", "      Action: dynamodb:GetItem", "      Resource: x"]]


def edited(text: str, keep: set[int] = frozenset(), entries: list[list[str]] = ENTRIES) -> str | None:  # type: ignore[assignment]
    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if line.strip().startswith("F:"))
    after = with_policies(lines, start, entries, lambda number: number in keep)
    return None if after is None else "\n".join(after)


TEXT = """\
Resources:
  F: # the function
    Type: AWS::Serverless::Function
    Properties:
      Policies:
        # said by hand
        - One: {A: b}
        - Two:
            C: d # here

      Handler: a.b # stays
  G: {Type: X}"""


def test_entries_are_replaced_and_those_that_stay_keep_their_text() -> None:
    assert (
        edited(TEXT, {1})
        == """\
Resources:
  F: # the function
    Type: AWS::Serverless::Function
    Properties:
      Policies:
        - Two:
            C: d # here
        - Statement:
            - Effect: Allow
              Action: dynamodb:GetItem
              Resource: x

      Handler: a.b # stays
  G: {Type: X}"""
    )


def test_a_function_without_policies_gets_them_and_one_without_needs_loses_them() -> None:
    without = TEXT[: TEXT.index("      Policies")] + TEXT[TEXT.index("      Handler") :]
    written = edited(without)
    assert written is not None
    assert yaml.safe_load(written)["Resources"]["F"]["Properties"]["Policies"] == [
        {"Statement": [{"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": "x"}]}
    ]
    assert "Policies" not in (edited(TEXT, entries=[]) or "")
    assert edited(without, entries=[]) == without


def test_items_may_stand_at_the_keys_own_indent() -> None:
    text = "R:\n  F:\n    Properties:\n      Policies:\n      - One: {A: b}\n      - Two: {}\n      Handler: a.b"
    assert edited(text, {0}) == (
        "R:\n  F:\n    Properties:\n      Policies:\n      - One: {A: b}\n      - Statement:\n"
        "          - Effect: Allow\n            Action: dynamodb:GetItem\n            Resource: x\n      Handler: a.b"
    )


def test_what_is_not_in_block_style_is_left_to_a_person() -> None:
    assert edited("R:\n  F:\n    Properties:\n      Policies: [One, Two]\n      Handler: a.b") is None
    assert edited("R:\n  F:\n    Properties:\n      Policies: '{}'") is None
    assert edited("R:\n  F: {Type: X, Properties: {Policies: []}}") is None


@given(
    st.lists(st.sampled_from(["- A: {B: c}", "- D:\n            E: f", "- Name"]), min_size=1),
    st.sets(st.integers(0, 5)),
)
def test_the_rest_of_the_file_never_changes(items: list[str], keep: set[int]) -> None:
    text = "\n".join(["R:", "  F:", "    Properties:", "      Before: 1", "      Policies:",
                      *(f"        {item}" for item in items), "      After: 2", "  H: 3"])  # fmt: skip
    written = edited(text, keep)
    assert written is not None
    read = yaml.safe_load(written)
    assert (read["R"]["F"]["Properties"]["Before"], read["R"]["F"]["Properties"]["After"], read["R"]["H"]) == (1, 2, 3)
    assert len(read["R"]["F"]["Properties"]["Policies"]) == len(keep & set(range(len(items)))) + 1


def test_a_single_entry_that_is_no_list_is_replaced_by_one() -> None:
    def written(policies: str) -> str:
        return f"Resources:\n  F:\n    Type: X\n    Properties:\n{policies}      Handler: a.b\n  G: {{Type: X}}"

    mapping = written("      Policies:\n        DynamoDBCrudPolicy:\n          TableName: t\n")
    name = written("      Policies: AmazonDynamoDBFullAccess # too much\n")
    listed = written("      Policies:\n" + "".join(f"        {line}\n" for line in ENTRIES[0]))
    assert edited(mapping) == edited(name) == listed
    assert edited(mapping, {0}) is None, "what stays would have to become a list"
    assert edited(written("      Policies: [A, B]\n")) is None
    assert edited(written("      Policies: !Ref Name\n")) is None
    assert edited(written("      Policies:\n        A: {b: c}\n        D: {e: f}\n")) is None
