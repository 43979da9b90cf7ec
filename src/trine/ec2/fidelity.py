"""What the network model does with each template property: enforced, stored or ignored. Read by the manifest.

Enforced means: for calls of functions to the AWS services of this stack, and for their way to the Internet where the
system has network namespaces (docs/vpc.md).
"""

from __future__ import annotations

from trine.aws.fidelity import Fidelity

_E, _S, _I = Fidelity.ENFORCED, Fidelity.STORED, Fidelity.IGNORED
_RULE = {"CidrIp": _E, "CidrIpv6": _I, "IpProtocol": _E, "FromPort": _E, "ToPort": _E, "Description": _I}

FIDELITY: dict[str, dict[str, Fidelity]] = {
    "AWS::EC2::VPC": {"CidrBlock": _E, "EnableDnsHostnames": _I, "EnableDnsSupport": _I, "Tags": _I},
    "AWS::EC2::Subnet": {"VpcId": _E, "CidrBlock": _E, "AvailabilityZone": _I, "MapPublicIpOnLaunch": _I, "Tags": _I},
    "AWS::EC2::RouteTable": {"VpcId": _S, "Tags": _I},
    "AWS::EC2::Route": {
        "RouteTableId": _E,
        "DestinationCidrBlock": _E,
        "NatGatewayId": _E,
        "GatewayId": _E,
    },
    "AWS::EC2::SubnetRouteTableAssociation": {"SubnetId": _E, "RouteTableId": _E},
    "AWS::EC2::InternetGateway": {"Tags": _I},
    "AWS::EC2::VPCGatewayAttachment": {"VpcId": _E, "InternetGatewayId": _E},
    "AWS::EC2::EIP": {"Domain": _I, "Tags": _I},
    "AWS::EC2::NatGateway": {"SubnetId": _E, "AllocationId": _I, "Tags": _I},
    "AWS::EC2::VPCEndpoint": {
        "VpcId": _E,
        "ServiceName": _E,
        "VpcEndpointType": _E,
        "RouteTableIds": _E,
        "SecurityGroupIds": _E,
        "SubnetIds": _S,
        "PrivateDnsEnabled": _E,
        "PolicyDocument": _E,
        "Tags": _I,
    },
    "AWS::EC2::SecurityGroup": {
        "VpcId": _S,
        "GroupName": _S,
        "GroupDescription": _S,
        "SecurityGroupEgress": _E,
        "SecurityGroupIngress": _E,
        "Tags": _I,
    },
    "AWS::EC2::SecurityGroupEgress": {
        **_RULE,
        "GroupId": _E,
        "DestinationPrefixListId": _E,
        "DestinationSecurityGroupId": _E,
    },
    "AWS::EC2::SecurityGroupIngress": {**_RULE, "GroupId": _E, "SourcePrefixListId": _E, "SourceSecurityGroupId": _E},
}
