"""A folder is the old one or the new one, and never half of either."""

from __future__ import annotations

from pathlib import Path

import pytest

from trine.awslambda.fresh_folder import made_anew


def test_what_was_filled_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    into = tmp_path / "above" / "code"
    for text in ("old", "new"):
        with made_anew(into) as fresh:
            (fresh / f"{text}.py").write_text(text)
    assert [path.name for path in into.iterdir()] == ["new.py"]
    assert list(into.parent.iterdir()) == [into]


def test_the_old_one_stays_when_the_new_one_fails(tmp_path: Path) -> None:
    into = tmp_path / "code"
    into.mkdir()
    (into / "old.py").write_text("")
    with pytest.raises(FileNotFoundError), made_anew(into) as fresh:
        (fresh / "absent" / "new.py").write_text("")
    assert [path.name for path in into.iterdir()] == ["old.py"]
    assert list(tmp_path.iterdir()) == [into]
