"""`$input`, `$util`, `$context`, `$stageVariables`, by templates that people copy from AWS's pages."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from trine.apigateway.mapping.variables import escape_javascript

PASSTHROUGH = """
##  See the API Gateway mapping template reference
#set($allParams = $input.params())
{
"body-json" : $input.json('$'),
"params" : {
#foreach($type in $allParams.keySet())
    #set($params = $allParams.get($type))
"$type" : {
    #foreach($paramName in $params.keySet())
    "$paramName" : "$util.escapeJavaScript($params.get($paramName))"
        #if($foreach.hasNext),#end
    #end
}
    #if($foreach.hasNext),#end
#end
},
"stage-variables" : {
#foreach($key in $stageVariables.keySet())
"$key" : "$util.escapeJavaScript($stageVariables.get($key))"
    #if($foreach.hasNext),#end
#end
},
"context" : {
    "account-id" : "$context.identity.accountId",
    "api-id" : "$context.apiId",
    "api-key" : "$context.identity.apiKey",
    "authorizer-principal-id" : "$context.authorizer.principalId",
    "http-method" : "$context.httpMethod",
    "stage" : "$context.stage",
    "source-ip" : "$context.identity.sourceIp",
    "user" : "$context.identity.user",
    "user-agent" : "$context.identity.userAgent",
    "request-id" : "$context.requestId",
    "resource-id" : "$context.resourceId",
    "resource-path" : "$context.resourcePath"
    }
}
"""


@pytest.fixture
def render(make_door: Any, rest: Any, lambda_proxy: Any) -> Any:
    """What a request template makes of a request: the event that the function gets."""

    def run(template: str, target: str = "/u/7?q=x&q=y", body: bytes = b"", **headers: str) -> Any:
        integration = {
            "type": "aws",
            "requestTemplates": {"application/json": template},
            "responses": {"default": {"statusCode": "200"}},
        }
        stage = {"StageName": "Prod", "Variables": {"table": 'a"b'}}
        door = make_door(rest({"/u/{id}": {"post": lambda_proxy(integration=integration)}}, stages=[stage]))
        response = door.call("POST", target, {name.replace("_", "-"): value for name, value in headers.items()}, body)
        assert response.status == 200, door.refusal()
        return door.invoker.event

    return run


def test_the_passthrough_template_of_the_console(render: Any) -> None:
    event = render(PASSTHROUGH, body=b'{"a":[1,{"b":"\xc3\xa4"}]}', X_One="1")
    assert event["body-json"] == {"a": [1, {"b": "ä"}]}
    assert event["params"]["path"] == {"id": "7"}
    assert event["params"]["querystring"] == {"q": "y"}
    assert event["params"]["header"]["X-One"] == "1"
    assert event["stage-variables"] == {"table": 'a"b'}
    context = event["context"]
    assert (context["http-method"], context["stage"], context["resource-path"]) == ("POST", "Prod", "/u/{id}")
    assert (context["account-id"], context["api-key"], context["authorizer-principal-id"]) == ("", "", "")


PHOTOS = {
    "photos": {"page": 1, "photo": [{"id": "12", "title": 'Sample "1"', "ispublic": 1}, {"id": "23", "title": "2"}]}
}


def test_the_photo_album_of_the_developer_guide(render: Any) -> None:
    template = """#set($inputRoot = $input.path('$'))
{ "photos": [
#foreach($elem in $inputRoot.photos.photo)
    { "id": "$elem.id", "title": "$util.escapeJavaScript($elem.title)", "isPublic": "$!elem.ispublic" }#if($foreach.hasNext),#end

#end
], "page": $inputRoot.photos.page }"""  # noqa: E501
    event = render(template, body=orjson.dumps(PHOTOS))
    assert event == {
        "photos": [{"id": "12", "title": 'Sample "1"', "isPublic": "1"}, {"id": "23", "title": "2", "isPublic": ""}],
        "page": 1,
    }


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("$input.json('$.a')", {"b": [1, 2]}),
        ("$input.json('$.a.b[0]')", 1),
        ("$input.json('$.none')", ""),
        ("\"$input.path('$.none')\"", ""),
        ("\"$input.path('$.text')\"", "hi"),
        ("$input.path('$.a').b.size()", 2),
        ("\"$input.params('id')$input.params('q')$input.params('X-H')$input.params('none')\"", "7yhead"),
        ('"$input.params().querystring.q"', "y"),
        ("\"$util.urlEncode('a b/ä')\"", "a+b%2F%C3%A4"),
        ("\"$util.urlDecode('a+b%2F')\"", "a b/"),
        ("\"$util.base64Encode($input.path('$.text'))\"", "aGk="),
        ("\"$util.base64Decode('aGk=')\"", "hi"),
        ("$util.parseJson($input.path('$.json')).k", 5),
        ('"$stageVariables.none"', ""),
        ('"$context.nothing.at.all"', ""),
        ("\"#if($input.params('q') == 'y')yes#else no#end\"", "yes"),
        ("\"#set($parts = $input.params('id').split(','))$parts[0]\"", "7"),
    ],
)
def test_expressions(render: Any, expression: str, expected: Any) -> None:
    body = orjson.dumps({"a": {"b": [1, 2]}, "text": "hi", "json": '{"k":5}'})
    assert render('{"v": ' + expression + "}", body=body, X_H="head")["v"] == expected


def test_a_body_may_be_changed_before_it_is_passed_on(render: Any) -> None:
    template = "#set($body = $input.path('$'))#set($body.user = $context.httpMethod)$input.json('$')"
    assert render(template, body=b'{"a":1}') == {"a": 1, "user": "POST"}


def test_escaping() -> None:
    assert escape_javascript("a\"b'c\\d/e\nf\tä😀") == "a\\\"b\\'c\\\\d\\/e\\nf\\t\\u00E4\\uD83D\\uDE00"
    assert escape_javascript(None) is None
    assert escape_javascript(5) == "5"
