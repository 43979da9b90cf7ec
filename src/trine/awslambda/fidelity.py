"""What the function wing does with each template property: enforced, stored or ignored. Read by the manifest.

A path covers all below it unless a longer one is listed; what is not listed is ignored.
"""

from __future__ import annotations

from trine.aws.fidelity import Fidelity, RemarkTable

_E, _S = Fidelity.ENFORCED, Fidelity.STORED

FIDELITY: dict[str, dict[str, Fidelity]] = {
    "AWS::Lambda::Function": {
        "FunctionName": _E,
        "Handler": _E,
        "Runtime": _E,
        "Role": _E,
        "Code": _E,
        "Timeout": _E,
        "MemorySize": _E,
        "Environment.Variables": _E,
        "ReservedConcurrentExecutions": _E,
        "LoggingConfig": _E,
        "Description": _S,
        "EphemeralStorage": _E,
        "Layers": _E,
        "DeadLetterConfig": _E,
        "Architectures": _S,
        "PackageType": _E,
        "TracingConfig": _S,
        "VpcConfig.SubnetIds": _E,
        "VpcConfig.SecurityGroupIds": _E,
        "VpcConfig": _S,
        "KmsKeyArn": _S,
        "SnapStart": _E,
        "Tags": _S,
    },
    "AWS::Lambda::Permission": {
        "FunctionName": _E,
        "Action": _E,
        "Principal": _E,
        "SourceArn": _E,
        "SourceAccount": _E,
        "PrincipalOrgID": _E,
        "EventSourceToken": _E,
        "FunctionUrlAuthType": _E,
        "InvokedViaFunctionUrl": _E,
    },
    "AWS::Lambda::LayerVersion": {"LayerName": _E, "Content": _E, "CompatibleRuntimes": _S, "Description": _S},
    "AWS::Lambda::LayerVersionPermission": {
        "LayerVersionArn": _E,
        "Action": _E,
        "Principal": _E,
        "OrganizationId": _E,
    },
    "AWS::Lambda::Version": {"FunctionName": _E, "Description": _S, "ProvisionedConcurrencyConfig": _E},
    "AWS::Lambda::Alias": {
        "FunctionName": _E,
        "FunctionVersion": _E,
        "Name": _E,
        "RoutingConfig": _E,
        "ProvisionedConcurrencyConfig": _E,
        "Description": _S,
    },
    "AWS::Lambda::Url": {
        "TargetFunctionArn": _E,
        "Qualifier": _E,
        "AuthType": _E,
        "InvokeMode": _E,
        "Cors": _E,
    },
    "AWS::Lambda::EventInvokeConfig": {
        "FunctionName": _E,
        "Qualifier": _E,
        "MaximumRetryAttempts": _E,
        "MaximumEventAgeInSeconds": _E,
        "DestinationConfig": _E,
    },
    "AWS::Lambda::EventSourceMapping": {
        "FunctionName": _E,
        "EventSourceArn": _E,
        "BatchSize": _E,
        "MaximumBatchingWindowInSeconds": _E,
        "ParallelizationFactor": _E,
        "StartingPosition": _E,
        "DestinationConfig": _E,
        "MaximumRecordAgeInSeconds": _E,
        "BisectBatchOnFunctionError": _E,
        "MaximumRetryAttempts": _E,
        "TumblingWindowInSeconds": _E,
        "FilterCriteria": _E,
        "FunctionResponseTypes": _E,
        "ScalingConfig": _E,
        "Enabled": _E,
        "KmsKeyArn": _S,
        "MetricsConfig": _S,
        "Tags": _S,
    },
}

REMARKS: RemarkTable = {
    "AWS::Lambda::Function": {
        "Architectures": "every function runs on this machine's own architecture",
    },
}
