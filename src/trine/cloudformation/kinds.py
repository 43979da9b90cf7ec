"""What Ref and Fn::GetAtt give, per resource type: a table of AWS's "Return values" sections, as data.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-template-resource-type-ref.html

In the texts `{name}` is the given or generated name, `{id}` the generated id, `{stack}`, `{region}`, `{account}`,
`{partition}` and `{path}` speak for themselves, `{Property}` is a resolved property. `arn:service:resource` becomes an
ARN of this place, `arn-global:` one without region, `arn-bare:` one without region and account.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field


class Kind(Struct, frozen=True):
    """How a resource of one type is called. `id` says how `{id}` is made: `lower10`, `mixed9`, `uuid`, `hex:vpc`."""

    ref: str = "{name}"
    name: str = ""
    limit: int = 255
    lower: bool = False
    id: str = "lower10"
    attributes: Mapping[str, str] = field(default_factory=dict)
    suffixes: Mapping[str, str] = field(default_factory=dict)
    """Property that is true → what a generated name then ends in."""


def _id(length: int = 10, **attributes: str) -> Kind:
    return Kind("{id}", id=f"lower{length}", attributes=attributes)


def _ec2(prefix: str, **attributes: str) -> Kind:
    return Kind("{id}", id=f"hex:{prefix}", attributes=attributes)


_TABLE = {"Arn": "arn:dynamodb:table/{name}", "StreamArn": "arn:dynamodb:table/{name}/stream/{stream_label}"}

KINDS: Mapping[str, Kind] = {
    # Amazon DynamoDB
    "AWS::DynamoDB::Table": Kind(name="TableName", attributes=_TABLE),
    "AWS::DynamoDB::GlobalTable": Kind(name="TableName", attributes={**_TABLE, "TableId": "{uuid}"}),
    # AWS Lambda
    "AWS::Lambda::Function": Kind(name="FunctionName", limit=64, attributes={"Arn": "arn:lambda:function:{name}"}),
    "AWS::Lambda::Version": Kind("{function_arn}:1", attributes={"FunctionArn": "{function_arn}:1", "Version": "1"}),
    "AWS::Lambda::Alias": Kind("{function_arn}:{Name}", attributes={"AliasArn": "{function_arn}:{Name}"}),
    "AWS::Lambda::Permission": Kind(attributes={"Id": "{name}"}),
    "AWS::Lambda::LayerVersion": Kind(
        "arn:lambda:layer:{name}:1",
        name="LayerName",
        limit=140,
        attributes={"LayerVersionArn": "arn:lambda:layer:{name}:1"},
    ),
    "AWS::Lambda::LayerVersionPermission": Kind(attributes={"Id": "{name}"}),
    "AWS::Lambda::Url": Kind(
        "{function_arn}",
        id="lower32",
        attributes={
            "FunctionArn": "{function_arn}",
            "FunctionUrl": "https://{id}.lambda-url.{region}.on.aws/",
        },
    ),
    "AWS::Lambda::EventSourceMapping": Kind(
        "{uuid}",
        attributes={"Id": "{uuid}", "EventSourceMappingArn": "arn:lambda:event-source-mapping:{uuid}"},
    ),
    "AWS::Lambda::EventInvokeConfig": Kind("{FunctionName}|{Qualifier}"),
    "AWS::Lambda::CodeSigningConfig": Kind(
        "arn:lambda:code-signing-config:csc-{id}",
        id="lower17",
        attributes={
            "CodeSigningConfigArn": "arn:lambda:code-signing-config:csc-{id}",
            "CodeSigningConfigId": "csc-{id}",
        },
    ),
    # AWS Identity and Access Management
    "AWS::IAM::Role": Kind(
        name="RoleName",
        limit=64,
        id="role",
        attributes={"Arn": "arn-global:iam:role{path}{name}", "RoleId": "AROA{id}"},
    ),
    "AWS::IAM::Policy": Kind(attributes={"Id": "{name}"}, name="PolicyName", limit=128),
    "AWS::IAM::RolePolicy": Kind(name="PolicyName", limit=128),
    "AWS::IAM::ManagedPolicy": Kind(
        "arn-global:iam:policy{path}{name}",
        name="ManagedPolicyName",
        limit=128,
        attributes={"PolicyArn": "arn-global:iam:policy{path}{name}", "PolicyId": "ANPA{id}"},
        id="role",
    ),
    "AWS::IAM::User": Kind(name="UserName", limit=64, attributes={"Arn": "arn-global:iam:user{path}{name}"}),
    "AWS::IAM::Group": Kind(name="GroupName", limit=128, attributes={"Arn": "arn-global:iam:group{path}{name}"}),
    "AWS::IAM::InstanceProfile": Kind(
        name="InstanceProfileName", limit=128, attributes={"Arn": "arn-global:iam:instance-profile{path}{name}"}
    ),
    # Amazon API Gateway, REST APIs
    "AWS::ApiGateway::RestApi": _id(10, RestApiId="{id}", RootResourceId="{root_resource}"),
    "AWS::ApiGateway::Resource": _id(6, ResourceId="{id}"),
    "AWS::ApiGateway::Method": Kind(),
    "AWS::ApiGateway::Deployment": _id(6, DeploymentId="{id}"),
    "AWS::ApiGateway::Stage": Kind("{StageName}"),
    "AWS::ApiGateway::Authorizer": _id(6, AuthorizerId="{id}"),
    "AWS::ApiGateway::RequestValidator": _id(6, RequestValidatorId="{id}"),
    "AWS::ApiGateway::Model": Kind(name="Name"),
    "AWS::ApiGateway::GatewayResponse": Kind(attributes={"Id": "{name}"}),
    "AWS::ApiGateway::ApiKey": _id(10, APIKeyId="{id}"),
    "AWS::ApiGateway::UsagePlan": _id(6, Id="{id}"),
    "AWS::ApiGateway::UsagePlanKey": Kind("{KeyId}:{UsagePlanId}", attributes={"Id": "{KeyId}:{UsagePlanId}"}),
    "AWS::ApiGateway::VpcLink": _id(6, VpcLinkId="{id}"),
    "AWS::ApiGateway::Account": Kind(attributes={"Id": "{name}"}),
    "AWS::ApiGateway::DocumentationPart": _id(6, DocumentationPartId="{id}"),
    "AWS::ApiGateway::DocumentationVersion": Kind("{DocumentationVersion}"),
    "AWS::ApiGateway::ClientCertificate": _id(6, ClientCertificateId="{id}"),
    "AWS::ApiGateway::BasePathMapping": Kind(),
    "AWS::ApiGateway::DomainName": Kind(
        "{DomainName}",
        attributes={
            "DistributionDomainName": "{id}.cloudfront.net",
            "DistributionHostedZoneId": "Z2FDTNDATAQYW2",
            "RegionalDomainName": "d-{id}.execute-api.{region}.amazonaws.com",
            "RegionalHostedZoneId": "Z1UJRXOUMOOFQ8",
            "DomainNameArn": "arn-bare:apigateway:/domainnames/{DomainName}",
        },
    ),
    # Amazon API Gateway, HTTP and WebSocket APIs
    "AWS::ApiGatewayV2::Api": _id(
        10, ApiId="{id}", ApiEndpoint="https://{id}.execute-api.{region}.amazonaws.com"
    ),
    "AWS::ApiGatewayV2::Route": _id(7, RouteId="{id}"),
    "AWS::ApiGatewayV2::Integration": _id(7, IntegrationId="{id}"),
    "AWS::ApiGatewayV2::IntegrationResponse": _id(7, IntegrationResponseId="{id}"),
    "AWS::ApiGatewayV2::RouteResponse": _id(7, RouteResponseId="{id}"),
    "AWS::ApiGatewayV2::Stage": Kind("{StageName}"),
    "AWS::ApiGatewayV2::Deployment": _id(6, DeploymentId="{id}"),
    "AWS::ApiGatewayV2::Authorizer": _id(6, AuthorizerId="{id}"),
    "AWS::ApiGatewayV2::Model": _id(6, ModelId="{id}"),
    "AWS::ApiGatewayV2::VpcLink": _id(6, VpcLinkId="{id}"),
    "AWS::ApiGatewayV2::ApiMapping": _id(6, ApiMappingId="{id}"),
    "AWS::ApiGatewayV2::DomainName": Kind(
        "{DomainName}",
        attributes={
            "RegionalDomainName": "d-{id}.execute-api.{region}.amazonaws.com",
            "RegionalHostedZoneId": "Z1UJRXOUMOOFQ8",
            "DomainNameArn": "arn-bare:apigateway:/domainnames/{DomainName}",
        },
    ),
    # Around the pattern
    "AWS::Logs::LogGroup": Kind(name="LogGroupName", limit=512, attributes={"Arn": "arn:logs:log-group:{name}:*"}),
    "AWS::Logs::LogStream": Kind(name="LogStreamName"),
    "AWS::Logs::MetricFilter": Kind(name="FilterName"),
    "AWS::CloudWatch::Alarm": Kind(name="AlarmName", attributes={"Arn": "arn:cloudwatch:alarm:{name}"}),
    "AWS::CloudWatch::CompositeAlarm": Kind(name="AlarmName", attributes={"Arn": "arn:cloudwatch:alarm:{name}"}),
    "AWS::CloudWatch::Dashboard": Kind(name="DashboardName"),
    "AWS::SQS::Queue": Kind(
        "https://sqs.{region}.amazonaws.com/{account}/{name}",
        name="QueueName",
        limit=80,
        suffixes={"FifoQueue": ".fifo"},
        attributes={
            "Arn": "arn:sqs:{name}",
            "QueueName": "{name}",
            "QueueUrl": "https://sqs.{region}.amazonaws.com/{account}/{name}",
        },
    ),
    "AWS::SNS::Topic": Kind(
        "arn:sns:{name}",
        name="TopicName",
        suffixes={"FifoTopic": ".fifo"},
        attributes={"TopicArn": "arn:sns:{name}", "TopicName": "{name}"},
    ),
    "AWS::SNS::Subscription": Kind("{TopicArn}:{uuid}", attributes={"Arn": "{TopicArn}:{uuid}"}),
    "AWS::Events::EventBus": Kind(
        name="Name", attributes={"Arn": "arn:events:event-bus/{name}", "Name": "{name}", "Policy": ""}
    ),
    "AWS::Events::Rule": Kind(name="Name", limit=64, attributes={"Arn": "arn:events:rule/{rule_bus}{name}"}),
    "AWS::Scheduler::Schedule": Kind(
        name="Name", limit=64, attributes={"Arn": "arn:scheduler:schedule/{schedule_group}/{name}"}
    ),
    "AWS::Scheduler::ScheduleGroup": Kind(
        name="Name", limit=64, attributes={"Arn": "arn:scheduler:schedule-group/{name}"}
    ),
    "AWS::S3::Bucket": Kind(
        name="BucketName",
        limit=63,
        lower=True,
        attributes={
            "Arn": "arn-bare:s3:{name}",
            "DomainName": "{name}.s3.amazonaws.com",
            "RegionalDomainName": "{name}.s3.{region}.amazonaws.com",
            "DualStackDomainName": "{name}.s3.dualstack.{region}.amazonaws.com",
            "WebsiteURL": "http://{name}.s3-website-{region}.amazonaws.com",
        },
    ),
    "AWS::SSM::Parameter": Kind(name="Name", attributes={"Type": "{Type}", "Value": "{Value}"}),
    "AWS::SecretsManager::Secret": Kind(
        "arn:secretsmanager:secret:{name}-{id}",
        name="Name",
        id="mixed6",
        attributes={"Id": "arn:secretsmanager:secret:{name}-{id}"},
    ),
    "AWS::Batch::JobQueue": Kind("arn:batch:job-queue/{name}", name="JobQueueName"),
    "AWS::Batch::JobDefinition": Kind("arn:batch:job-definition/{name}:1", name="JobDefinitionName"),
    "AWS::Batch::ComputeEnvironment": Kind("arn:batch:compute-environment/{name}", name="ComputeEnvironmentName"),
    "AWS::KMS::Key": Kind("{uuid}", attributes={"Arn": "arn:kms:key/{uuid}", "KeyId": "{uuid}"}),
    "AWS::KMS::Alias": Kind("{AliasName}"),
    "AWS::StepFunctions::StateMachine": Kind(
        "arn:states:stateMachine:{name}",
        name="StateMachineName",
        limit=80,
        attributes={
            "Arn": "arn:states:stateMachine:{name}",
            "Name": "{name}",
            "StateMachineRevisionId": "{uuid}",
        },
    ),
    "AWS::Cognito::UserPool": Kind(
        "{region}_{id}",
        id="mixed9",
        attributes={
            "Arn": "arn:cognito-idp:userpool/{region}_{id}",
            "UserPoolId": "{region}_{id}",
            "ProviderName": "cognito-idp.{region}.amazonaws.com/{region}_{id}",
            "ProviderURL": "https://cognito-idp.{region}.amazonaws.com/{region}_{id}",
        },
    ),
    "AWS::Cognito::UserPoolClient": Kind(
        "{id}",
        id="lower26",
        attributes={"ClientId": "{id}", "Name": "{name}", "ClientSecret": "{secret}"},
    ),
    "AWS::Cognito::UserPoolGroup": Kind(name="GroupName"),
    "AWS::Cognito::UserPoolUser": Kind("{Username}"),
    "AWS::Cognito::UserPoolUserToGroupAttachment": Kind(),
    "AWS::Cognito::UserPoolDomain": Kind("{Domain}", attributes={"CloudFrontDistribution": "{id}.cloudfront.net"}),
    "AWS::Cognito::UserPoolResourceServer": Kind("{Identifier}"),
    "AWS::Cognito::IdentityPool": Kind("{region}:{uuid}", attributes={"Name": "{name}", "Id": "{region}:{uuid}"}),
    "AWS::ApplicationAutoScaling::ScalableTarget": Kind(
        "{ResourceId}|{ScalableDimension}|{ServiceNamespace}",
        attributes={"Id": "{ResourceId}|{ScalableDimension}|{ServiceNamespace}"},
    ),
    "AWS::ApplicationAutoScaling::ScalingPolicy": Kind(
        "arn:autoscaling:scalingPolicy:{uuid}:resource/{name}",
        attributes={"Arn": "arn:autoscaling:scalingPolicy:{uuid}:resource/{name}"},
    ),
    "AWS::CloudFormation::Stack": Kind("arn:cloudformation:stack/{name}/{uuid}", limit=128),
    "AWS::CloudFormation::WaitConditionHandle": Kind("https://cloudformation-waitcondition-{region}.s3.amazonaws.com/{name}"),
    "AWS::CloudFormation::WaitCondition": Kind(attributes={"Data": "{{}}"}),
    "AWS::WAFv2::WebACL": Kind("{name}|{uuid}|{Scope}", name="Name", attributes={
        "Arn": "arn:wafv2:regional/webacl/{name}/{uuid}", "Id": "{uuid}", "Capacity": "1",
        "LabelNamespace": "awswaf:{account}:webacl:{name}:"}),
    # Networks
    "AWS::EC2::VPC": _ec2(
        "vpc", VpcId="{id}", CidrBlock="{CidrBlock}", DefaultSecurityGroup="{default_group}",
        DefaultNetworkAcl="acl-{lower17}",
    ),
    "AWS::EC2::Subnet": _ec2("subnet", SubnetId="{id}", VpcId="{VpcId}", CidrBlock="{CidrBlock}",
                             AvailabilityZone="{AvailabilityZone}"),
    "AWS::EC2::SecurityGroup": _ec2("sg", GroupId="{id}", Id="{id}", VpcId="{VpcId}", GroupName="{name}"),
    "AWS::EC2::SecurityGroupIngress": _ec2("sgr", Id="{id}"),
    "AWS::EC2::SecurityGroupEgress": _ec2("sgr", Id="{id}"),
    "AWS::EC2::RouteTable": _ec2("rtb", RouteTableId="{id}"),
    "AWS::EC2::Route": Kind("{RouteTableId}|{DestinationCidrBlock}"),
    "AWS::EC2::SubnetRouteTableAssociation": _ec2("rtbassoc", Id="{id}"),
    "AWS::EC2::InternetGateway": _ec2("igw", InternetGatewayId="{id}"),
    "AWS::EC2::VPCGatewayAttachment": Kind("IGW|{VpcId}"),
    "AWS::EC2::NatGateway": _ec2("nat", NatGatewayId="{id}"),
    "AWS::EC2::EIP": _ec2("eipalloc", AllocationId="{id}", PublicIp="203.0.113.10"),
    "AWS::EC2::VPCEndpoint": _ec2("vpce", Id="{id}", CreationTimestamp="2026-01-01T00:00:00.000Z"),
}  # fmt: skip
"""Types not listed get their generated name from Ref, and a marked placeholder from Fn::GetAtt."""
