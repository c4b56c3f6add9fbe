"""Every text colour can be read on every ground it is used on, and states stay apart for every eye."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import pytest
from support import cockpit_frames as frames
from support.cockpit_app import FakeSource, cockpit, wait_for
from support.cockpit_frames import Scene
from support.eyes import EYES, difference, seen
from support.painted import texts_in
from textual.color import Color

from rwk_tui.cockpit.palettes import PALETTES, READABLE, STATES, TEXT_ON, contrast
from rwk_tui.cockpit.themes import theme_name

APART = 20.0
"""The least difference in CIELAB between two states, for any eye."""


def test_the_measure_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#0000ff", "#ffffff") == pytest.approx(8.59, abs=0.01)


@pytest.mark.parametrize("name", PALETTES)
@pytest.mark.parametrize(("text", "ground"), TEXT_ON)
def test_contrast_is_at_least_seven(name: str, text: str, ground: str) -> None:
    colours = PALETTES[name].colours
    ratio = contrast(colours[text], colours[ground])
    assert ratio >= READABLE, f"{name}: {text} on {ground} is {ratio:.1f}"


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize(("one", "other"), [*combinations(STATES, 2), *((state, "muted") for state in STATES)])
def test_states_stay_apart_for_every_eye(eye: str, one: str, other: str) -> None:
    colours = PALETTES["colour-blind"].colours
    apart = difference(seen(colours[one], eye), seen(colours[other], eye))
    assert apart >= APART, f"{eye}: {one} and {other} differ by {apart:.1f} only"


def test_the_other_themes_would_not_pass() -> None:
    """What the test above measures is a difference that there is between themes."""
    colours = PALETTES["dark"].colours
    nearest = min(
        difference(seen(colours[one], eye), seen(colours[other], eye))
        for eye in EYES
        for one, other in combinations(STATES, 2)
    )
    assert nearest < APART


def test_eyes_see_what_was_measured() -> None:
    """White stays white for everybody; red and green of equal lightness meet for those who lack the cones between."""
    for eye in EYES:
        assert difference(seen("#ffffff", eye), seen("#ffffff", "all cones")) < 1
    red, green = "#d01c1c", "#5c7a00"
    assert difference(seen(red, "all cones"), seen(green, "all cones")) > 80
    assert difference(seen(red, "no green cones"), seen(green, "no green cones")) < 40


PALETTE = ("ctrl+p",)
NAME_IT = ("f", *"destroy", "enter", "down", "enter")
WALKS: dict[Callable[[], Scene], tuple[tuple[str, ...], ...]] = {
    frames.partition: (
        *((key,) for key in ("2", "f", "m", "c", "l", "e", "q", "i", "question_mark")),
        PALETTE,
        (*PALETTE, *"help"),
        (),
    ),
    frames.no_quorum: ((),),
    frames.faults_seen: ((),),
    frames.reported: (("v",),),
    frames.calm: (NAME_IT, (*NAME_IT, *"core-")),
}
"""What is looked at of each scene, from its main screen."""


@pytest.mark.parametrize("scene", WALKS, ids=lambda scene: scene.__name__)
async def test_nothing_on_the_screen_is_fainter(scene: Callable[[], Scene]) -> None:
    """All screens as they are painted, in each theme: also what style sheets and textual's own widgets make of it."""
    faint: set[str] = set()
    source = FakeSource()
    source.refuse = "busy: step 4/5"
    app = cockpit(scene(), source=source)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await wait_for(pilot, lambda: app.board.at > 0)
        for keys in WALKS[scene]:
            await pilot.press(*keys)
            if not keys:  # A refusal is a notification.
                await pilot.press("n")
                await wait_for(pilot, lambda: bool(app.query("Toast")))
            if keys[:1] == PALETTE:
                await wait_for(pilot, lambda: bool(app.screen.query("CommandList.--visible")))
            for name in PALETTES:
                app.theme = theme_name(name)
                await pilot.pause()
                painted = list(texts_in(app))
                assert painted
                for text, colour, ground in painted:
                    if contrast(colour, ground) < READABLE:
                        ratio = f"{contrast(colour, ground):.1f}"
                        faint.add(f"{name}, {keys}: {text.strip()!r} in {colour} on {ground}: {ratio}")
            while len(app.screen_stack) > 1 or app.main.zoomed:
                await pilot.press("escape")
    assert not faint, "\n".join(sorted(faint))


def test_colours_are_colours() -> None:
    for palette in PALETTES.values():
        for value in palette.colours.values():
            assert Color.parse(value).hex.lower() == value
