"""The corridor: whole templates in, resolved resources out. `templates/` holds realistic applications."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from trine.aws.arn import Place
from trine.cloudformation.faults import Fault, TemplateFaults
from trine.cloudformation.template import Template, load_template

Read = Callable[[str], Template]
Load = Callable[..., Template]
Faults = Callable[..., list[Fault]]
TEMPLATES = Path(__file__).parent / "templates"


def test_globals_mappings_parameters_and_conditions_reach_the_function(template: Read) -> None:
    resources = template("rest.yaml").resources
    properties = resources["GetOrder"].properties
    table = resources["Orders"].physical_id
    assert table.startswith("app-Orders-")
    assert properties["Timeout"] == 12, "a Number parameter arrives as the integer that the property wants"
    assert properties["MemorySize"] == 256
    assert properties["Environment"]["Variables"] == {"TABLE": table, "STAGE": "dev", "RETRIES": "3", "VERBOSE": "true"}
    assert resources["PutOrder"].properties["Timeout"] == 20
    assert properties["Role"] == f"arn:aws:iam::123456789012:role/{resources['GetOrderRole'].name}"


def test_what_a_false_condition_leaves_out(template: Read) -> None:
    read = template("rest.yaml")
    assert read.conditions == {"IsProd": False}
    assert "Archive" not in read.resources
    assert "ArchiveName" not in read.outputs
    assert read.omitted == ("Archive",)
    assert "TableName" not in read.resources["Orders"].properties, "AWS::NoValue takes the property away"


def test_an_override_changes_conditions_and_names() -> None:
    read = load_template(TEMPLATES / "rest.yaml", {"Stage": "prod", "Seconds": "30"}, "app", Place(region="eu-west-1"))
    assert read.resources["Orders"].physical_id == "orders"
    assert read.resources["Archive"].physical_id.startswith("app-archive-")
    assert read.resources["GetOrder"].properties["MemorySize"] == 1024
    assert read.resources["GetOrder"].properties["Timeout"] == 30
    assert read.outputs["ArchiveName"].value == read.resources["Archive"].physical_id
    assert ".execute-api.eu-west-1.amazonaws.com/prod/" in read.outputs["Url"].value
    assert read.resources["Orders"].attributes["Arn"] == "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"


def test_policy_templates_become_statements_on_the_table(template: Read) -> None:
    resources = template("rest.yaml").resources
    statement = resources["GetOrderRole"].properties["Policies"][0]["PolicyDocument"]["Statement"][0]
    arn = resources["Orders"].attributes["Arn"]
    assert statement["Effect"] == "Allow"
    assert "dynamodb:GetItem" in statement["Action"]
    assert statement["Resource"] == [arn, f"{arn}/index/*"]


def test_the_api_calls_the_function_and_may(template: Read) -> None:
    resources = template("rest.yaml").resources
    api, function = resources["OrdersApi"], resources["GetOrder"]
    integration = api.properties["Body"]["paths"]["/orders/{id}"]["get"]["x-amazon-apigateway-integration"]
    assert integration["uri"] == (
        f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function.attributes['Arn']}/invocations"
    )
    permission = resources["GetOrderGetPermissionStage"].properties
    assert permission["FunctionName"] == function.physical_id
    assert permission["SourceArn"] == f"arn:aws:execute-api:us-east-1:123456789012:{api.physical_id}/*/GET/orders/*"
    assert resources["OrdersApiStage"].physical_id == "dev"
    assert resources["OrdersApiStage"].properties["RestApiId"] == api.physical_id
    assert resources["OrdersApiUsagePlan"].properties["ApiStages"] == [{"ApiId": api.physical_id, "Stage": "dev"}]


def test_routes_stand_in_the_order_of_the_text() -> None:
    example = TEMPLATES.parents[2] / "examples" / "profiles" / "template.yaml"
    paths = load_template(example).resources["ProfilesApi"].properties["Body"]["paths"]
    routes = [(path, list(methods)) for path, methods in paths.items()]
    assert routes == [("/users", ["post", "get"]), ("/users/{id}", ["get", "put", "delete"])]


def test_local_code_survives_the_expansion(template: Read) -> None:
    function = template("rest.yaml").resources["GetOrder"]
    assert function.properties["Code"] == "handlers/"
    assert function.local_files == {"Code": TEMPLATES / "handlers"}


def test_resources_know_their_lines_through_sam_and_globals(template: Read) -> None:
    resources = template("rest.yaml").resources
    lines = (TEMPLATES / "rest.yaml").read_text().splitlines()

    def line(logical_id: str, path: str = "") -> str:
        return lines[resources[logical_id].location_of(path).line - 1].strip()

    assert lines[resources["GetOrder"].location.line - 1].strip() == "GetOrder:"
    assert lines[resources["GetOrderRole"].location.line - 1].strip() == "GetOrder:"
    assert line("PutOrder", "Timeout") == "Timeout: 20"
    assert line("GetOrder", "Timeout") == "Timeout: !Ref Seconds"
    assert line("GetOrder", "Environment.Variables.RETRIES") == "RETRIES: 3"
    assert line("GetOrder", "Code") == "CodeUri: handlers/"
    assert line("Orders", "KeySchema.1.KeyType") == "- { AttributeName: sk, KeyType: RANGE }"


def test_resources_stand_in_the_order_of_the_text_and_are_made_in_that_of_need(template: Read) -> None:
    read = template("http.yaml")
    kinds = [resource.logical_id for resource in read.of_type("AWS::ApiGatewayV2::Api", "AWS::ApiGateway::RestApi")]
    assert kinds == ["ServerlessHttpApi", "ServerlessRestApi"], "implicit APIs stand where their first event does"
    order = read.creation_order
    assert order.index("Items") < order.index("ListItems") < order.index("ServerlessHttpApi")


def test_connectors_become_policies(template: Read) -> None:
    resources = template("http.yaml").resources
    policy = resources["ListItemsReadsPolicy"]
    assert policy.properties["Roles"] == [resources["ListItemsRole"].physical_id]
    assert resources["ListItems"].properties["Code"]["ZipFile"].startswith("def handler")
    assert policy.source_id == "ListItems"


def test_plain_cloudformation_in_json(template: Read) -> None:
    read = template("plain.json")
    function = read.resources["Function"]
    assert function.physical_id == "app-fn"
    assert function.properties["Timeout"] == 7
    assert function.properties["Code"]["ZipFile"].endswith("return 'café'")
    assert function.properties["Environment"]["Variables"] == {"SECOND": "b", "ALL": "a|b|c", "IMAGE": "/names/image"}
    assert function.properties["Role"].endswith(f":role/service/{read.resources['Role'].name}")
    assert function.depends_on == ("Table",)
    assert read.resources["Table"].properties["ProvisionedThroughput"]["ReadCapacityUnits"] == 5
    assert read.parameters["Secret"].shown() == "****"
    assert read.parameters["Image"].from_parameter_store
    assert read.outputs["VersionArn"].value == "arn:aws:lambda:us-east-1:123456789012:function:app-fn:1"


def test_unknown_types_do_not_stop_the_rest(template: Read) -> None:
    read = template("plain.json")
    odd = read.resources["Odd"]
    assert not odd.known_type
    assert odd.physical_id.startswith("app-Odd-")
    assert "placeholder" in read.outputs["OddUrl"].value


def test_types_that_an_arn_identifies_are_referred_to_by_one(tmp_path: Path) -> None:
    """A policy that names such a type's Ref must not stop the stack: IAM refuses what has not the form of an ARN."""
    text = """
Resources:
  Api: {Type: AWS::AppSync::GraphQLApi, Properties: {Name: a, AuthenticationType: API_KEY}}
  Task: {Type: AWS::ECS::TaskDefinition}
  Cluster: {Type: AWS::ECS::Cluster}
  Consumer: {Type: AWS::Kinesis::StreamConsumer}
Outputs:
  Api: {Value: !Sub "${Api}/types/Mutation/*"}
  Task: {Value: !Ref Task}
  Cluster: {Value: !Ref Cluster}
  Consumer: {Value: !GetAtt Consumer.ConsumerARN}
"""
    (tmp_path / "template.yaml").write_text(text)
    outputs = load_template(tmp_path / "template.yaml", stack_name="app").outputs
    assert outputs["Api"].value.startswith("arn:aws:appsync:us-east-1:123456789012:app-Api-")
    assert outputs["Api"].value.endswith("/types/Mutation/*")
    assert outputs["Task"].value.startswith("arn:aws:ecs:us-east-1:123456789012:app-Task-")
    assert outputs["Cluster"].value.startswith("app-Cluster-")
    assert outputs["Consumer"].value.startswith("arn:aws:kinesis:us-east-1:123456789012:")


def test_the_cdk_s_assets_are_the_functions_code(template: Read) -> None:
    read = template("cdk.out/ProfilesStack.template.json")
    assert read.resources["Fn9270CBC0"].local_files == {"Code": TEMPLATES / "cdk.out" / "asset.1f"}
    assert list(read.resources) == ["Fn9270CBC0", "FnServiceRole"]


def test_api_definitions_come_from_their_files(template: Read) -> None:
    read = template("definition.yaml")
    described, included = read.resources["Described"], read.resources["Included"]
    response = described.properties["Body"]["paths"]["/ping"]["get"]["responses"]["200"]
    assert response == {"description": "${NotReplaced}"}, "a definition imported from S3 keeps its text"
    assert "BodyS3Location" not in described.properties
    uri = included.properties["Body"]["paths"]["/ping"]["get"]["x-amazon-apigateway-integration"]["uri"]
    assert read.resources["Function"].attributes["Arn"] in uri, "an included file's intrinsics are evaluated"
    location = included.location_of("Body.paths./ping.get")
    assert (Path(location.file).name, location.line) in {("included.yaml", 5), ("definition.yaml", 9)}


def test_names_stay_the_same_from_start_to_start(template: Read) -> None:
    again = load_template(TEMPLATES / "rest.yaml", stack_name="app")
    first = template("rest.yaml")
    assert {name: each.physical_id for name, each in again.resources.items()} == {
        name: each.physical_id for name, each in first.resources.items()
    }


def test_all_faults_come_at_once() -> None:
    with pytest.raises(TemplateFaults) as caught:
        load_template(TEMPLATES / "faulty.yaml", {"Unheard": "of"})
    found = [(fault.line, fault.message) for fault in caught.value.faults]
    expected = [
        (0, "parameter 'Unheard' is not declared"),
        (3, "Timeout of A is 1000"),
        (9, "MemorySize of A is 100"),
        (12, "'Tabel' is neither a parameter nor a resource"),
        (13, "no attribute 'Arm'"),
        (14, "'Nope' is neither"),
        (15, "cannot select index 5 of 2"),
        (16, "Fn::ImportValue"),
        (17, "no mapping 'M'"),
        (18, "neither BillingMode"),
        (20, "DependsOn names 'Aa'"),
        (22, "names 'pk', which no key uses"),
        (23, "'id' of Table is not in AttributeDefinitions"),
        (25, "'Tabel' is neither"),
    ]
    for line, words in expected:
        assert any(words in message and (line in (at, 0)) for at, message in found), (line, words, found)
    assert all(fault.file.endswith("faulty.yaml") for fault in caught.value.faults)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("Resources: 5", 1, "Resources must be a map"),
        ("Outputs: {}", 1, "no Resources"),
        ("- a", 1, "a map of sections"),
        ("Resources:\n  A: 5", 2, "must be a map"),
        ("Resources:\n  A: {Properties: {}}", 2, "has no Type"),
        ("Resources:\n  A:\n    Type: AWS::SNS::Topic\n    Properties: [1]", 4, "Properties of A must be a map"),
        ("Parameters: {P: 5}\nResources: {A: {Type: AWS::SNS::Topic}}", 1, "Parameters.P must be a map"),
        ("Transform: Mine\nResources: {A: {Type: AWS::SNS::Topic}}", 1, "macro 'Mine'"),
        ("Resources:\n  A:\n    Type: AWS::Serverless::Function", 3, "'Transform: AWS::Serverless-2016-10-31' only"),
        ("Resources:\n  A-B: {Type: AWS::SNS::Topic}", 2, "no logical id"),
        ("Resources:\n  A: {Type: AWS::SNS::Topic, Condition: C}", 2, "no condition 'C'"),
        ("Conditions:\n  C: {Condition: D}\n  D: {Condition: C}\nResources: {A: {Type: AWS::SNS::Topic}}", 3, "itself"),
        ("Resources: {A: {Type: AWS::SNS::Topic}}\nOutputs:\n  O: {}", 3, "has no Value"),
    ],
)  # fmt: skip
def test_shapes_that_are_no_template(faults: Faults, text: str, line: int, words: str) -> None:
    assert [fault.line for fault in faults(text) if words in fault.message][:1] == [line]


def test_circles_are_named(faults: Faults) -> None:
    text = """
Resources:
  A: {Type: AWS::SNS::Topic, Properties: {DisplayName: !GetAtt B.Arn}}
  B: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub "${C}"}}
  C: {Type: AWS::SNS::Topic, DependsOn: A}
"""
    assert [fault.message for fault in faults(text)] == ["circular dependency: A → B → C → A"]


def test_one_fault_hides_no_other_and_is_told_once(faults: Faults) -> None:
    text = """
Resources:
  A: {Properties: {TopicName: x}}
  B: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref C}}
  C: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref B}}
  D: {Type: AWS::SNS::Topic, DependsOn: A, Properties: {DisplayName: !GetAtt A.Arn, TopicName: !Ref Nobody}}
Outputs:
  X: 3
  Y: {Value: !Sub "${A} ${B}"}
"""
    assert sorted(fault.message for fault in faults(text)) == [
        "'Nobody' is neither a parameter nor a resource of this template",
        "Outputs.X must be a map",
        "circular dependency: B → C → B",
        "resource A has no Type",
    ]


def test_a_template_whose_only_resource_is_shapeless_is_not_told_that_it_has_none(faults: Faults) -> None:
    assert [fault.message for fault in faults("Resources:\n  A: {}")] == ["resource A has no Type"]


def test_a_resource_that_is_not_made_cannot_be_referred_to(faults: Faults) -> None:
    text = """
Conditions: {Never: !Equals [a, b]}
Resources:
  A: {Type: AWS::SNS::Topic, Condition: Never}
  B: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref A}}
"""
    assert "condition Never is false" in faults(text)[0].message


def test_sam_s_own_errors_stand_at_their_lines(faults: Faults) -> None:
    text = """
Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: x
      Handler: index.handler
      Runtime: python3.12
      Policies:
        - NoSuchPolicyTemplate: {}
  G:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Events:
        Bad: {Type: Api, Properties: {Path: /x}}
"""
    found = faults(text)
    assert {fault.rule for fault in found} == {"template/sam"}
    assert 17 in [fault.line for fault in found]
    assert all(fault.line for fault in found)


def test_files_that_are_not_there_or_too_large(tmp_path: Path) -> None:
    for name, words in (("missing.yaml", "cannot be read"), ("large.yaml", "CloudFormation takes 1,048,576")):
        if name == "large.yaml":
            (tmp_path / name).write_text("a: '" + "x" * 2_000_000 + "'")
        with pytest.raises(TemplateFaults, match=words):
            load_template(tmp_path / name)


def test_a_template_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_bytes(b"a: \xff\xfe\n")
    with pytest.raises(TemplateFaults, match="not UTF-8"):
        load_template(tmp_path / "template.yaml")


def test_a_duplicate_key_is_told_and_the_last_one_counts(load: Load) -> None:
    template = load("Resources:\n  A:\n    Type: AWS::SNS::Topic\n    Type: AWS::SQS::Queue\n")
    assert template.resources["A"].type == "AWS::SQS::Queue"
    assert [(note.line, note.rule, note.level) for note in template.notes] == [(4, "template/duplicate-key", "warning")]


def test_a_yaml_bomb_is_a_fault(faults: Faults) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "grows to more than" in faults("\n".join(lines))[0].message
