"""Physical names of what a template does not name: in AWS's shapes, but the same at every start.

AWS appends random characters; here they are a hash of stack name and logical id, so that a table keeps its data and an
API its address when the template is read again. Secrets are hashed with a key that lies with the stack's state.
"""

from __future__ import annotations

import hashlib
import hmac

from trine.aws.arn import Place

_UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_LOWER = "abcdefghijklmnopqrstuvwxyz0123456789"
_SUFFIX_CHARACTERS = 12
_LONGEST_LOGICAL_ID = 24


def _characters(alphabet: str, length: int, *seeds: str) -> str:
    number = int.from_bytes(hashlib.sha256("\0".join(seeds).encode()).digest(), "big")
    letters = []
    for _ in range(length):
        number, digit = divmod(number, len(alphabet))
        letters.append(alphabet[digit])
    return "".join(letters)


def generated_name(stack_name: str, logical_id: str, limit: int = 255, lower: bool = False) -> str:
    """`{stack}-{LogicalId}-{12 upper-case characters}`, cut to `limit` as CloudFormation does: both parts give way."""
    suffix = _characters(_UPPER, _SUFFIX_CHARACTERS, stack_name, logical_id)
    room = limit - _SUFFIX_CHARACTERS - 2
    stack_part, logical_part = stack_name, logical_id
    if len(stack_part) + len(logical_part) > room:
        logical_part = logical_part[:_LONGEST_LOGICAL_ID]
        stack_part = stack_part[: room - len(logical_part)]
    name = f"{stack_part}-{logical_part}-{suffix}" if stack_part else f"{logical_part}-{suffix}"
    return name.lower() if lower else name


def lower_id(stack_name: str, logical_id: str, length: int) -> str:
    """An id of lower-case letters and digits that begins with a letter, as API Gateway's."""
    rest = _characters(_LOWER, length - 1, "id", stack_name, logical_id)
    return _characters(_LOWER[:26], 1, "first", stack_name, logical_id) + rest


def mixed_id(stack_name: str, logical_id: str, length: int) -> str:
    """An id of letters and digits, as Cognito's."""
    return _characters(_UPPER + _LOWER[:26], length, "mixed", stack_name, logical_id)


def uuid_id(stack_name: str, logical_id: str) -> str:
    """A version-4 shaped UUID, as event source mappings and KMS keys have."""
    digits = hashlib.sha256(f"uuid\0{stack_name}\0{logical_id}".encode()).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}"


def stack_id(place: Place, stack_name: str) -> str:
    """The ARN of a stack, as `AWS::StackId` gives it."""
    return place.arn("cloudformation", f"stack/{stack_name}/{uuid_id(stack_name, '')}")


def secret_text(key: bytes, stack_name: str, logical_id: str) -> str:
    """52 letters and digits, as a client secret of Cognito has: nobody without `key` can tell it from random ones."""
    digest = hmac.digest(key, f"secret\0{stack_name}\0{logical_id}".encode(), "sha512").hex()
    return _characters(_LOWER, 26, digest[:64]) + _characters(_LOWER, 26, digest[64:])


def hex_id(prefix: str, stack_name: str, logical_id: str) -> str:
    """`prefix-` and 17 hexadecimal digits, as EC2's ids."""
    return f"{prefix}-{hashlib.sha256(f'ec2{stack_name}{logical_id}'.encode()).hexdigest()[:17]}"
