"""What machines, chapters and an older daemon say is painted as text and as nothing else."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from support import cockpit_frames as frames
from support.cockpit_app import cockpit, wait_for
from support.painted import texts_in

from rwk_tui.cockpit.text import clean

EVIL = "\x1b[31mred\u202e\x07"


def hostile() -> frames.Scene:
    """Foreign words wherever rows and the story have room for them."""
    scene = frames.calm()
    story = msgspec.structs.replace(scene.story, chapter=f"chapter {EVIL}", title=f"title {EVIL}", busy=f"busy {EVIL}")
    scene = replace(scene, story=story)
    scene = scene.changed("lab", engines=f"etcd {EVIL}").changed("quorum", fresh=False, why=f"why {EVIL}")
    scene = scene.changed("unit/core-02/etcd", state="failed", exit=f"exit {EVIL}")
    scene = scene.changed(frames.member("core-03").key, name=f"03{EVIL}", version=f"3{EVIL}")
    return scene.changed("machine/core-01", address=f"at {EVIL}")


@pytest.mark.parametrize("keys", [(), ("p",), ("4",), ("e",)], ids=str)
async def test_nothing_that_is_painted_can_steer_the_terminal(keys: tuple[str, ...]) -> None:
    app = cockpit(hostile())
    async with app.run_test(size=(200, 60)) as pilot:
        await wait_for(pilot, lambda: app.board.at > 0)
        await pilot.press(*keys)
        await wait_for(pilot, lambda: keys != () or any("exit red" in text for text, _, _ in texts_in(app)))
        for strip in app.screen._compositor.render_strips():
            for text, _, _ in strip:
                assert text == clean(text)
        assert "\x1b" not in f"{app.main.query_one('#story').border_title}"
