"""What must be read back lies sealed, under a key that only its owner can read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from trine.cognito.vault import Vault, VaultFault


def test_the_key_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "cognito.key"
    sealed = Vault.open(file, os.urandom).seal("a", b"secret")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert Vault.open(file, os.urandom).unseal("a", sealed) == b"secret"
    assert b"secret" not in sealed.encode()


def test_what_is_sealed_is_bound_to_its_name_and_key(tmp_path: Path) -> None:
    vault = Vault.open(None, os.urandom)
    sealed = vault.seal("a", b"secret")
    with pytest.raises(VaultFault, match="sealed with another key"):
        vault.unseal("b", sealed)
    with pytest.raises(VaultFault, match="sealed with another key"):
        Vault.open(None, os.urandom).unseal("a", sealed)


def test_a_damaged_key_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "cognito.key"
    file.write_bytes(b"short")
    with pytest.raises(VaultFault, match=r"cognito\.key holds no key: it has 5 bytes"):
        Vault.open(file, os.urandom)
