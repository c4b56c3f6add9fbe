"""What a tape holds, in lines for people."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from rwk_tui.board.card_words import VERDICTS
from rwk_tui.board.wording import count, seconds
from rwk_tui.tape.info import ChapterTold, TapeInfo

_NAME = 11


def info_lines(path: Path, info: TapeInfo) -> list[str]:
    """The lines; what there is none of is left out."""
    began = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(info.began))
    size = f"{_size(info.bytes)}, {_size(info.bytes_a_minute)} a minute" if info.seconds else _size(info.bytes)
    lines = [
        str(path),
        _line("recorded", f"{began}, {seconds(info.seconds * 1000)}"),
        _line("by", f"rwk-tui {info.version}, tape {info.tape}, protocol {info.protocol}"),
        _line("lab", ", ".join(filter(None, (info.backend, info.engines)))),
        _line("holds", f"{count(info.frames, 'frame')}, {count(info.events, 'event')}"),
        _line("size", size),
        *_several("chapters", (_chapter(told) for told in info.chapters)),
        *_several("faults", _counted(info.faults)),
    ]
    if info.verdicts:
        told = (f"{VERDICTS[name]} {info.verdicts[name]} {name}" for name in VERDICTS if name in info.verdicts)
        lines.append(_line("cards", ", ".join(told)))
    return lines


def _line(name: str, words: str) -> str:
    return f"  {name:<{_NAME}}{words}"


def _several(name: str, words: Iterable[str]) -> list[str]:
    return [_line(name if not number else "", each) for number, each in enumerate(words)]


def _chapter(told: ChapterTold) -> str:
    ends = (("passed", told.passed), ("failed", told.failed), ("known", told.known), ("skipped", told.skipped))
    how = ", ".join(f"{number} {end}" for end, number in ends if number)
    return f"{told.chapter}: {told.title}, {how} of {count(told.steps, 'step')}"


def _counted(faults: Iterable[str]) -> list[str]:
    return [f"{number} × {fault}" if number > 1 else fault for fault, number in Counter(faults).items()]


def _size(size: float) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB" if size >= 1e3 else f"{size:.0f} B"
