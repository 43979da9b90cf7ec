"""Secrets that must be read back (signing keys, password verifiers) lie sealed; the key lies in a file of its own.

Enters bytes, leaves text that only this state directory's key opens: a copy of the store alone gives nothing away.
The file is readable by its owner alone. AES-256-GCM from the `cryptography` library; what is sealed is bound to its
name, so that two entries cannot be swapped.
"""

from __future__ import annotations

import base64
import hmac
import os
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12


class VaultFault(Exception):
    """The key file is missing, damaged, or not the one that sealed this."""


class Vault:
    """Seals and opens with one key."""

    def __init__(self, key: bytes, random_bytes: Callable[[int], bytes]) -> None:
        self._cipher = AESGCM(key)
        self._marking_key = hmac.digest(key, b"marks", "sha256")
        self._random_bytes = random_bytes

    @classmethod
    def open(cls, file: Path | None, random_bytes: Callable[[int], bytes]) -> Vault:
        """The vault whose key lies in `file`, made when it is not there; None: a key for this process alone.

        VaultFault when the file holds no key.
        """
        if file is None:
            return cls(random_bytes(KEY_BYTES), random_bytes)
        try:
            key = file.read_bytes()
        except FileNotFoundError:
            return cls(_new_key(file, random_bytes(KEY_BYTES)), random_bytes)
        if len(key) != KEY_BYTES:
            raise VaultFault(f"{file} holds no key: it has {len(key)} bytes instead of {KEY_BYTES}")
        return cls(key, random_bytes)

    def mark(self, text: str) -> bytes:
        """32 bytes that are always the same for `text` and that nobody without the key can tell from random ones."""
        return hmac.digest(self._marking_key, text.encode("utf-8", "replace"), "sha256")

    def seal(self, name: str, secret: bytes) -> str:
        """`secret` sealed under `name`."""
        nonce = self._random_bytes(NONCE_BYTES)
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, secret, name.encode())).decode()

    def unseal(self, name: str, sealed: str) -> bytes:
        """The secret. VaultFault when this key and `name` did not seal it."""
        raw = base64.b64decode(sealed)
        try:
            return self._cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], name.encode())
        except InvalidTag:
            raise VaultFault(f"what is kept for {name} was sealed with another key") from None


def _new_key(file: Path, key: bytes) -> bytes:
    """Write a key, whole or not at all, and durable before anything is sealed with it."""
    draft = file.with_suffix(".draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, key)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    draft.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return key
