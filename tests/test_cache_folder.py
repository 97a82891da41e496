"""Where the demo is drawn."""

from __future__ import annotations

from pathlib import Path

import platformdirs
import pytest

from mipha_eval.core.cache_folder import cache_folder


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("MIPHA_EVAL_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)


def test_what_is_chosen_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIPHA_EVAL_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"


def test_the_systems_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_folder() == tmp_path / ".cache/mipha-eval"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg/mipha-eval"


def test_a_folder_of_before_is_kept_where_the_system_has_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on macOS, until there is one of the system's kind."""
    usual = tmp_path / "Library/Caches/mipha-eval"
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda *_, **__: usual)
    assert cache_folder() == usual
    (tmp_path / ".cache/mipha-eval").mkdir(parents=True)
    assert cache_folder() == tmp_path / ".cache/mipha-eval"
    usual.mkdir(parents=True)
    assert cache_folder() == usual
