"""How far the install of one engine is, as values: what a front end shows and what the daemon reads."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from rwk_tui.engines.pins import EnginePin

State = Literal["installing", "ready", "failed"]
_OFTEN = 1.0
"""Seconds between two reports of one engine, so that thousands of packages don't become thousands of lines."""
_TRUST = 0.25
"""From this share on, how long is left comes from this run's own pace alone."""


@dataclass(frozen=True, slots=True)
class Progress:
    """One report. `done` goes from 0 to 1; `left_s` is in seconds; `text` is one line for people."""

    engine: str
    version: str
    state: State
    done: float
    left_s: int
    text: str

    def as_json(self) -> str:
        """The JSON object of one line of `engines install --json`, whose shape other programs rely on:

        {"engine": "kwok-0.8", "version": "0.8.0", "state": "installing", "done": 0.42, "left_s": 110, "text": "…"}

        Every engine of a run ends with one "ready" or "failed", where `left_s` is 0. Before the first of them begins,
        each that has work to do reports "installing" with `done` 0 and how long it is expected to take.
        """
        values = {
            "engine": self.engine,
            "version": self.version,
            "state": self.state,
            "done": round(self.done, 4),
            "left_s": self.left_s,
            "text": self.text,
        }
        return json.dumps(values, ensure_ascii=False)


class Front(Protocol):
    """Whoever shows an install: `say` gets lines that stay, `show` the state of one engine, about once a second."""

    def say(self, text: str) -> None: ...

    def show(self, progress: Progress) -> None: ...


class Track:
    """Turns what a source has done of one engine into reports, one a second at most, and estimates what is left."""

    def __init__(
        self, pin: EnginePin, front: Front, expected_s: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._pin, self._front, self._clock = pin, front, clock
        self._expected = expected_s
        self._begun, self._from, self._told = clock(), 0.0, float("-inf")

    def expect(self, seconds: float, *, done: float = 0.0) -> None:
        """Correct how long the rest after `done` is expected to take, once more is known; its pace is measured anew."""
        self._expected = seconds
        self._begun, self._from = self._clock(), done

    def at(self, done: float, text: str) -> None:
        """Report that this share is done."""
        now = self._clock()
        if now - self._told < _OFTEN:
            return
        self._told = now
        self.end("installing", text, done=min(max(done, 0.0), 1.0))

    def end(self, state: State, text: str, *, done: float = 1.0) -> None:
        """Report at once, whenever the last report was."""
        left = 0 if state != "installing" else round(self._left(done))
        self._front.show(Progress(self._pin.name, self._pin.version, state, done, left, text))

    def _left(self, done: float) -> float:
        share = (done - self._from) / (1 - self._from) if done < 1 else 1.0
        if share <= 0:
            return self._expected
        own = (self._clock() - self._begun) * (1 - share) / share
        trust = min(1.0, share / _TRUST)
        return trust * own + (1 - trust) * self._expected * (1 - share)


def on_this_machine(minutes: float) -> float:
    """Seconds that work takes here which takes so many minutes on two cores: more cores help, to a point."""
    return minutes * 60 * 2 / min(max(os.cpu_count() or 2, 1), 8)
