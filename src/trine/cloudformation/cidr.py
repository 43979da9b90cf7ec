"""Fn::Cidr's arithmetic. Its own module so that `ipaddress` is loaded only by templates that use it."""

from __future__ import annotations

from ipaddress import ip_network
from itertools import islice

LARGEST_COUNT = (
    256  # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-cidr.html
)


def blocks(network: str, count: int, host_bits: int | None) -> list[str]:
    """The first `count` blocks of `network`, each with `host_bits` bits for hosts. ValueError when they do not fit."""
    if not 1 <= count <= LARGEST_COUNT:
        raise ValueError(f"the count must be 1 to {LARGEST_COUNT}, not {count}")
    whole = ip_network(network, strict=False)
    width = 32 if whole.version == 4 else 128
    if host_bits is None:
        host_bits = width - whole.prefixlen - max(count - 1, 1).bit_length() if whole.version == 4 else 64
    prefix = width - host_bits
    if not whole.prefixlen <= prefix <= width:
        raise ValueError(f"blocks of {host_bits} host bits do not fit into {network}")
    found = [str(block) for block in islice(whole.subnets(new_prefix=prefix), count)]
    if len(found) < count:
        raise ValueError(f"{network} holds {len(found)} blocks of that size, not {count}")
    return found
