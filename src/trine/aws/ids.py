"""Random identifiers in AWS's shapes. The only maker of randomness that others see; tests pass a seeded one."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable, Iterator
from typing import Protocol

_BASE32_UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_ALPHANUMERIC = "abcdefghijklmnopqrstuvwxyz0123456789"
_REQUEST_ID_DIGITS = 52
_UUIDS = 64
_UUID_PARTS = re.compile("(.{8})(.{4})(.{4})(.{4})(.{12})").findall
_UUID_KEPT = int("ffffffffffff0fff3fffffffffffffff" * _UUIDS, 16)
_UUID_MARKS = int("00000000000040008000000000000000" * _UUIDS, 16)
"""Version 4 and the variant of RFC 9562, in their places."""


class Ids(Protocol):
    """Where request ids, key ids and secrets come from."""

    def random_bytes(self, count: int) -> bytes:
        """`count` random bytes, fit for secrets."""

    def uuid(self) -> str:
        """A version-4 UUID in lower case: request ids of most services, and Lambda's."""

    def dynamodb_request_id(self) -> str:
        """52 upper-case characters, as in DynamoDB's `x-amzn-RequestId`."""

    def base32(self, length: int) -> str:
        """`length` characters A–Z2–7, as in access key ids."""

    def lower(self, length: int) -> str:
        """`length` characters a–z0–9, as in API ids."""


class _RandomIds:
    def __init__(self, source: Callable[[int], bytes]) -> None:
        self.random_bytes = source
        self._pool = b""
        self._at = 0
        self._uuids: list[str] = []
        self.dynamodb_request_id = self._dynamodb_request_ids().__next__

    def _take(self, count: int) -> bytes:
        # Ids that are no secret are cut from a pool: one urandom call costs 1 µs, a slice of 16 bytes 0.1.
        at = self._at
        if at + count > len(self._pool):
            self._pool, at = self.random_bytes(4096), 0
        self._at = at + count
        return self._pool[at : at + count]

    def uuid(self) -> str:
        # Made 64 at a time, marked and cut by a few calls of C: 0.6 µs each; one by one they cost 1.5.
        if not self._uuids:
            marked = int.from_bytes(self.random_bytes(16 * _UUIDS)) & _UUID_KEPT | _UUID_MARKS
            parts = _UUID_PARTS(marked.to_bytes(16 * _UUIDS).hex())
            self._uuids = ["-".join(each) for each in parts]
        return self._uuids.pop()

    def _dynamodb_request_ids(self) -> Iterator[str]:
        # Each table call asks: cut from digits that are text already, by a generator that knows where it is, 0.2 µs.
        while True:
            digits = self.random_bytes(40 * _REQUEST_ID_DIGITS).hex().upper()
            for at in range(0, len(digits), _REQUEST_ID_DIGITS):
                yield digits[at : at + _REQUEST_ID_DIGITS]

    def base32(self, length: int) -> str:
        return "".join([_BASE32_UPPER[byte & 31] for byte in self.random_bytes(length)])

    def lower(self, length: int) -> str:
        return "".join([_ALPHANUMERIC[byte % 36] for byte in self._take(length)])


class SystemIds(_RandomIds):
    """Identifiers from the operating system's randomness."""

    def __init__(self) -> None:
        super().__init__(os.urandom)


class SeededIds(_RandomIds):
    """Repeatable identifiers for tests; never for secrets that guard anything."""

    def __init__(self, seed: int) -> None:
        super().__init__(random.Random(seed).randbytes)  # noqa: S311
