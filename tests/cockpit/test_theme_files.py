"""Themes of the user's own: what a file may say, what is said when it can't be used, and how it looks."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from support import cockpit_frames as frames
from support.cockpit_app import cockpit, wait_for
from support.painted import texts_in

from rwk_tui import cli
from rwk_tui.cockpit import app as cockpit_app
from rwk_tui.cockpit.memory import Memory
from rwk_tui.cockpit.palettes import COLOURS, PALETTES, READABLE, contrast
from rwk_tui.cockpit.theme_files import load_palette, warning
from rwk_tui.settings import BadInput, Settings


def own(directory: Path, text: str) -> Settings:
    (directory / "plum.toml").write_text(text, "utf-8")
    return Settings(state=directory, engine_cache=directory, theme="plum", themes=directory)


def test_what_a_file_does_not_name_comes_from_its_base(tmp_path: Path) -> None:
    found = load_palette(own(tmp_path, 'base = "light"\ngood = "#0A3F80"\n'))
    assert found.name == "plum"
    assert found.colours == {**PALETTES["light"].colours, "good": "#0a3f80"}
    assert not found.dark
    assert load_palette(own(tmp_path, "")).colours == PALETTES["dark"].colours
    assert load_palette(own(tmp_path, 'ground = "#fafafa"\n')).dark is False


@pytest.mark.parametrize("name", PALETTES)
def test_our_own_need_no_file(tmp_path: Path, name: str) -> None:
    assert load_palette(replace(own(tmp_path, "nonsense"), theme=name)) is PALETTES[name]
    assert warning(PALETTES[name]) == ""


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('good = "#0a4d24"\ngreen = "#0a4d24"\n', 2, "green: there is no such colour; there are ground, raised, text,"),
        ('\ngood = "green"\n', 2, """good: must be a colour such as "#1f4a7a", not 'green'"""),
        ('good = "#0a4d2"\n', 1, "good: must be a colour"),
        ("good = 0x0a4d24\n", 1, "good: must be a colour"),
        ('base = "plum"\n', 1, "base: must be one of dark, light, high-contrast, colour-blind, not 'plum'"),
        ('base = ["dark"]\n', 1, "base: must be one of dark"),
        ('text = "#ffffff"\n\n[good]\nfaded = "#ffffff"\n', 3, "good: must be a colour"),
        ("text = #ffffff\n", 1, "Invalid value"),
    ],
)
def test_a_bad_file_is_named_with_line_and_key(tmp_path: Path, text: str, line: int, words: str) -> None:
    with pytest.raises(BadInput) as caught:
        load_palette(own(tmp_path, text))
    said = str(caught.value)
    assert said.startswith(f"{tmp_path / 'plum.toml'}:{line}: ")
    assert words in said
    assert "\n" not in said


class NoScreen:
    """Stands in for a cockpit, and leaves at once."""

    farewell, return_code = "", 0

    def __init__(self, *arguments: object, palette: object, **more: object) -> None:
        self.palette = palette

    def run(self) -> None:
        print("a screen with", self.palette.name)  # type: ignore[attr-defined]


@pytest.fixture
def themes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's directory for themes; no cockpit opens."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(cockpit_app, "Cockpit", NoScreen)
    monkeypatch.setattr(Memory, "hold", lambda self: None)  # This process is not the cockpit's.
    there = tmp_path / "rwk-tui" / "themes"
    there.mkdir(parents=True)
    return there


def code(monkeypatch: pytest.MonkeyPatch, theme: str, themes: Path) -> int:
    """The exit code of the cockpit with that theme, on what it takes for a terminal."""
    with monkeypatch.context() as patch:
        for stream in (sys.stdin, sys.stdout):
            patch.setattr(stream, "isatty", lambda: True)
        return cli.main(["--theme", theme, "--state", str(themes)])


def test_a_bad_theme_ends_before_the_screen(
    themes: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = themes / "plum.toml"
    file.write_text('good = "green"\n', "utf-8")
    assert code(monkeypatch, "plum", themes) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(f"rwk-tui: {file}:1: good: ")
    assert code(monkeypatch, "pear", themes) == 2
    assert "--theme: must be one of dark" in capsys.readouterr().err


def test_what_is_hard_to_read_is_said_once_and_shown(
    themes: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = themes / "plum.toml"
    file.write_text('muted = "#556677"\nalarm = "#eeeeee"\n', "utf-8")
    assert code(monkeypatch, "plum", themes) == 0
    out, err = capsys.readouterr()
    assert out == "a screen with plum\n"
    assert err.count("\n") == 1
    assert err.startswith(
        f"rwk-tui: {file}: hard to read, for their contrast is below 7: on-alarm on alarm (1.2), muted"
    )
    file.write_text('good = "#ffffff"\n', "utf-8")
    assert code(monkeypatch, "plum", themes) == 0
    assert capsys.readouterr().err == ""


async def test_it_is_painted_in_its_colours_and_t_goes_round_to_it(tmp_path: Path) -> None:
    palette = load_palette(own(tmp_path, 'ground = "#001a00"\nraised = "#002200"\nstrong = "#ffffcc"\n'))
    app = cockpit(frames.calm(), palette=palette)
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_for(pilot, lambda: app.board.at > 0)
        await wait_for(pilot, lambda: any("core-01" in text for text, _, _ in texts_in(app)))
        painted = list(texts_in(app))
        assert {ground for _, _, ground in painted} <= {"#001a00", "#002200"}
        assert any(colour == "#ffffcc" for _, colour, _ in painted)
        assert all(contrast(colour, ground) >= READABLE for _, colour, ground in painted)
        seen = []
        for _ in range(5):
            await pilot.press("t")
            seen.append(app.theme)
        assert seen == ["rwk-dark", "rwk-light", "rwk-high-contrast", "rwk-colour-blind", "rwk-plum"]


def test_the_readme_names_every_colour() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    assert ", ".join(f"`{name}`" for name in COLOURS) in " ".join(readme.split())
