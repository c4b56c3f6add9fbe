"""`engines clean` frees what installing left, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.engines_fake import fake_install

from rwk_tui.engines.alone import alone
from rwk_tui.engines.ask import EngineError
from rwk_tui.engines.build import GO_CACHES
from rwk_tui.engines.clean import clean
from rwk_tui.engines.download import PARTIAL
from rwk_tui.engines.pins import go_pin
from rwk_tui.settings import Settings


@pytest.fixture
def here(tmp_path: Path) -> Settings:
    return Settings(state=tmp_path, engine_cache=tmp_path / "cache")


def fill(directory: Path, megabytes: int) -> None:
    directory.mkdir(parents=True)
    (directory / "file").write_bytes(bytes(megabytes * 1_000_000))
    (directory / "link").symlink_to("/etc/passwd")


def test_it_frees_what_installing_left_and_keeps_the_engines(here: Settings) -> None:
    kept = fake_install(here, "kwok", "0.8.0")
    left = [PARTIAL, GO_CACHES, f"{go_pin().package}-{go_pin().version}", f"{go_pin().package}-1.0", ".build-dead"]
    for name in left:
        fill(here.engine_cache / name, 1)
    said: list[str] = []
    assert 5_000_000 < clean(here, said.append) < 5_100_000
    assert "freed 5 MB in all; the engines stay" in said
    assert kept.is_dir()
    assert not [name for name in left if (here.engine_cache / name).exists()]
    assert clean(here, said.append) == 0
    assert Path("/etc/passwd").exists()


def test_there_may_be_nothing_to_free(here: Settings) -> None:
    said: list[str] = []
    assert clean(here, said.append) == 0
    assert said == [f"{here.engine_cache}: there is nothing to free"]


def test_it_keeps_away_from_an_install_that_is_at_work(here: Settings) -> None:
    fill(here.engine_cache / PARTIAL, 1)
    with alone(here.engine_cache), pytest.raises(EngineError, match="another install is at work"):
        clean(here, print)
    assert (here.engine_cache / PARTIAL).exists()
