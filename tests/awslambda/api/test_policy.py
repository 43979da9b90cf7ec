"""Resource policies with boto3: one for the function and one for each version and alias."""

from __future__ import annotations

import json

from tests.awslambda.api.conftest import Api


def test_permissions(api: Api) -> None:
    api.lab.put("app.hello", "permitted")
    added = api.add_permission(
        FunctionName="permitted",
        StatementId="events",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn="arn:aws:events:us-east-1:123456789012:rule/r",
    )
    assert json.loads(added["Statement"])["Sid"] == "events"
    policy = json.loads(api.get_policy(FunctionName="permitted")["Policy"])
    assert policy["Statement"][0]["Condition"]["ArnLike"]["AWS:SourceArn"].endswith("rule/r")
    again = {"StatementId": "events", "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com"}
    assert api.refused("add_permission", FunctionName="permitted", **again) == "ResourceConflictException"
    api.remove_permission(FunctionName="permitted", StatementId="events")
    assert api.refused("get_policy", FunctionName="permitted") == "ResourceNotFoundException"
    assert api.refused("remove_permission", FunctionName="permitted", StatementId="x") == "ResourceNotFoundException"


def test_each_alias_has_a_policy_of_its_own(api: Api) -> None:
    api.lab.put("app.hello", "aliased-policy")
    api.publish_version(FunctionName="aliased-policy")
    api.create_alias(FunctionName="aliased-policy", Name="live", FunctionVersion="1")
    grant = {"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com"}
    statement = json.loads(api.add_permission(FunctionName="aliased-policy", Qualifier="live", **grant)["Statement"])
    assert statement["Resource"].endswith(":function:aliased-policy:live")
    assert api.refused("get_policy", FunctionName="aliased-policy") == "ResourceNotFoundException"
    api.add_permission(FunctionName="aliased-policy:1", **grant)  # the same id, another policy
    shown = api.get_policy(FunctionName="aliased-policy", Qualifier="live")
    assert len(json.loads(shown["Policy"])["Statement"]) == 1
    more = {**grant, "StatementId": "t", "FunctionName": "aliased-policy", "Qualifier": "live"}
    assert api.refused("add_permission", **more, RevisionId="stale") == "PreconditionFailedException"
    api.add_permission(**more, RevisionId=shown["RevisionId"])
    stale = {"FunctionName": "aliased-policy", "Qualifier": "live", "StatementId": "t"}
    assert api.refused("remove_permission", **stale, RevisionId=shown["RevisionId"]) == "PreconditionFailedException"
    api.remove_permission(**stale)
    assert len(json.loads(api.get_policy(FunctionName="aliased-policy", Qualifier="1")["Policy"])["Statement"]) == 1
    assert api.refused("get_policy", FunctionName="aliased-policy", Qualifier="no") == "ResourceNotFoundException"


def test_conditions_of_function_urls(api: Api) -> None:
    api.lab.put("app.hello", "conditioned")
    added = api.add_permission(
        FunctionName="conditioned", StatementId="u", Action="lambda:InvokeFunctionUrl", Principal="*",
        FunctionUrlAuthType="NONE",
    )  # fmt: skip
    condition = json.loads(added["Statement"])["Condition"]
    assert condition == {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}
    added = api.add_permission(
        FunctionName="conditioned", StatementId="v", Action="lambda:InvokeFunction", Principal="*",
        InvokedViaFunctionUrl=True,
    )  # fmt: skip
    assert json.loads(added["Statement"])["Condition"] == {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}
