"""What the documents say is so: their commands exist, their links lead somewhere, their example is a chapter."""

from __future__ import annotations

import html
import importlib.util
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from types import ModuleType

import pytest
from support.docs_commands import PAGES, ROOT, commands

from rwk_tui.cockpit.actions import actions_in
from rwk_tui.cockpit.keymap import USUAL
from rwk_tui.story.load import load_chapter
from rwk_tui.usage import parser


def made() -> ModuleType:
    """The program that makes the reference."""
    spec = importlib.util.spec_from_file_location("docs_make", ROOT / "docs" / "make.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_there_are_commands_to_look_at() -> None:
    assert sum(len(commands(page)) for page in PAGES) > 30


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_exists(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for program, *words in commands(page):
        if program == "make":
            assert words[0] in targets, f"{page.name}: make {words[0]}"
            continue
        given = [word.split("|")[0].strip("[]") for word in words if word != "..."]
        try:
            parser().parse_args(given)
        except SystemExit:
            pytest.fail(f"{page.name}: rwk-tui {' '.join(words)}: {capsys.readouterr().err}")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    headings = {
        re.sub(r"[^\w -]", "", line).strip().lower().replace(" ", "-") for line in re.findall(r"^#+ (.*)", text, re.M)
    }
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("#"):
            assert target[1:] in headings, f"{page.name}: {target}"
        elif not target.startswith("https://"):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_reference_of_chapters_is_current() -> None:
    module = made()
    assert module.TARGET.read_text("utf-8") == module.reference(), "run `make docs`"


@pytest.mark.process
def test_the_example_is_a_chapter_that_is_checked_as_the_page_says(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "writing-chapters.md").read_text("utf-8")
    found = re.search(r"^    title: .*?(?=^\S)", page, re.MULTILINE | re.DOTALL)
    assert found is not None
    file = tmp_path / "01-my-first.yaml"
    file.write_text(textwrap.dedent(found[0]), "utf-8")
    assert [step.title for step in load_chapter(file).steps] == ["Kill the leader"]
    ran = subprocess.run(
        [sys.executable, "-m", "rwk_tui", "check", str(file)], capture_output=True, text=True, cwd=ROOT
    )
    assert (ran.returncode, ran.stdout) == (0, f"{file}: ok, 1 steps\n"), ran.stderr


PICTURES = sorted((ROOT / "assets" / "pictures").glob("*.svg"))


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_the_pictures_show_the_keys_that_there_are(picture: Path) -> None:
    rows: dict[float, list[tuple[float, str]]] = {}
    for x, y, text in re.findall(r'<text[^>]* x="([\d.]+)" y="([\d.]+)"[^>]*>(.*?)</text>', picture.read_text("utf-8")):
        rows.setdefault(float(y), []).append((float(x), html.unescape(text)))
    footer = " ".join(" ".join(text for _, text in sorted(rows[max(rows)])).split())
    room = 7 if "80x24" in picture.name else 8
    shown = {f"{USUAL.key(action.id)} {action.label}": action.footer for action in actions_in(replay=False)}
    missing = [key for key, rank in shown.items() if 0 < rank <= room and key not in footer]
    assert not missing, f"run `make pictures`: {footer}"
    for key in shown:
        footer = footer.replace(key, "")
    assert not footer.split(), f"run `make pictures`: it shows {footer.split()}"
