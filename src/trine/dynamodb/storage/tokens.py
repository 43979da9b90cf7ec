"""Idempotency tokens of transactions: that a request happened, and until when that is remembered.

A token lies in the store beside the items of its transaction, written by the same commit.
"""

from __future__ import annotations

from trine.dynamodb.errors import IdempotentParameterMismatchException
from trine.dynamodb.storage.keyspace import TOKENS
from trine.kv.store import Store
from trine.kv.tuple import after

_DIGEST_BYTES = 32
_SWEEP_MAX_COUNT = 1000


class Token:
    """One `ClientRequestToken` in one region, with the digest of the request that brought it."""

    __slots__ = ("_digest", "_now", "_seconds", "key")

    def __init__(self, text: str, region: str, digest: str, now: float, seconds: int) -> None:
        self.key = b"%b%b\0%b" % (TOKENS, region.encode(), text.encode())
        self._digest = bytes.fromhex(digest)
        self._now, self._seconds = now, seconds

    def seen(self, record: bytes | None) -> bool:
        """Whether the same request happened already; an error when another one did, with this token."""
        if record is None or _expires_at(record) <= self._now:
            return False
        if record[8:] != self._digest:
            raise IdempotentParameterMismatchException(
                "The request uses the same client token as a previous, but non-identical request. "
                "Do not reuse a client token with different requests, unless the requests are identical"
            )
        return True

    def record(self) -> bytes:
        """What to keep."""
        return int((self._now + self._seconds) * 1000).to_bytes(8, "big") + self._digest


def _expires_at(record: bytes) -> float:
    return int.from_bytes(record[:8], "big") / 1000


def expired_tokens(store: Store, now: float) -> list[bytes]:
    """Keys of up to a thousand tokens that count no more."""
    pairs = store.page(TOKENS, after(TOKENS), _SWEEP_MAX_COUNT)
    return [key for key, record in pairs if _expires_at(record) <= now]
