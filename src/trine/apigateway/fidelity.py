"""What the front door does with each template property: enforced, stored or ignored. Read by the manifest.

A path covers all below it unless a longer one is listed; what is not listed is ignored.
"""

from __future__ import annotations

from trine.aws.fidelity import Fidelity

_E, _S, _I = Fidelity.ENFORCED, Fidelity.STORED, Fidelity.IGNORED

FIDELITY: dict[str, dict[str, Fidelity]] = {
    "AWS::ApiGateway::RestApi": {"Body": _E, "Name": _S, "BinaryMediaTypes": _E, "Tags": _I},
    "AWS::ApiGateway::Resource": {"RestApiId": _E, "ParentId": _E, "PathPart": _E},
    "AWS::ApiGateway::Method": {"RestApiId": _E, "ResourceId": _E, "HttpMethod": _E, "Integration": _E},
    "AWS::ApiGateway::Deployment": {"RestApiId": _E, "StageName": _E, "Description": _I},
    "AWS::ApiGateway::Stage": {"RestApiId": _E, "StageName": _E, "DeploymentId": _S, "Variables": _E},
    "AWS::ApiGatewayV2::Api": {
        "Body": _E,
        "Name": _S,
        "ProtocolType": _E,
        "CorsConfiguration": _E,
        "Target": _E,
        "RouteKey": _E,
    },
    "AWS::ApiGatewayV2::Route": {"ApiId": _E, "RouteKey": _E, "Target": _E},
    "AWS::ApiGatewayV2::Integration": {
        "ApiId": _E,
        "IntegrationType": _E,
        "IntegrationUri": _E,
        "PayloadFormatVersion": _E,
        "TimeoutInMillis": _E,
    },
    "AWS::ApiGatewayV2::Stage": {"ApiId": _E, "StageName": _E, "StageVariables": _E, "AutoDeploy": _E},
}
