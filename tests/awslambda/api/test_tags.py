"""Tags with boto3."""

from __future__ import annotations

from tests.awslambda.api.conftest import Api


def test_tags_of_a_function(api: Api) -> None:
    arn = api.lab.put("app.hello", "tagged", Tags=[{"Key": "team", "Value": "a"}]).arn
    assert api.list_tags(Resource=arn)["Tags"] == {"team": "a"}
    api.tag_resource(Resource=arn, Tags={"stage": "x", "team": "b"})
    assert api.get_function(FunctionName="tagged")["Tags"] == {"team": "b", "stage": "x"}
    api.untag_resource(Resource=arn, TagKeys=["team", "never"])
    assert api.list_tags(Resource=arn)["Tags"] == {"stage": "x"}


def test_what_is_refused(api: Api) -> None:
    arn = api.lab.put("app.hello", "tagged").arn
    assert api.refused("tag_resource", Resource=arn, Tags={"aws:x": "y"}) == "InvalidParameterValueException"
    many = {f"k{number}": "v" for number in range(51)}
    assert api.refused("tag_resource", Resource=arn, Tags=many) == "InvalidParameterValueException"
    assert api.refused("list_tags", Resource=arn.replace("tagged", "nobody")) == "ResourceNotFoundException"
