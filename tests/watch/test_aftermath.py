"""The arithmetic of a restore: what is back, what is gone, and whether it is just what the backup can't hold."""

from __future__ import annotations

from rwk_tui.watch.aftermath import Aftermath, reckon
from rwk_tui.watch.epochs import Epoch, Mark


def epoch(writes: int, *, low: int = 0) -> Epoch:
    """Writes 1, 2, …, each acknowledged as the revision ten times its number; the keys below `low` are given up."""
    made = Epoch(3)
    for seq in range(1, writes + 1):
        made.intend(seq)
        made.acknowledge(seq, seq * 10)
    if low:
        made.trim(low)
    return made


def counted(old: Epoch, found: set[int], mark: Mark | None, name: str = "before") -> Aftermath:
    return reckon(old, {seq: f"/key/{seq}" for seq in old.acknowledged}, found, mark, name)


def test_what_is_gone_is_just_what_was_written_after_the_backup() -> None:
    old = epoch(500)
    result = counted(old, set(range(1, 313)), old.mark("before", 3125))
    assert result == Aftermath(3, "before", 500, 312, 188, 188, True)
    assert result.level == "warning"
    assert result.words("restored from before") == (
        "restored from before: 312 of 500 acknowledged writes are back; 188 are gone, all written after the backup"
    )


def test_a_write_that_the_backup_must_hold_is_missed_by_name() -> None:
    old = epoch(500)
    result = counted(old, set(range(1, 313)) - {17}, old.mark("before", 3125))
    assert (result.gone, result.after_backup, result.exact) == (189, 188, False)
    assert result.missing_before == ("/key/17",)
    assert result.level == "bad"
    assert "though only 188 had been written after the backup: /key/17" in result.words("x")


def test_a_write_that_the_backup_can_not_hold_is_noticed_too() -> None:
    old = epoch(500)
    result = counted(old, set(range(1, 315)), old.mark("before", 3125))
    assert (result.gone, result.exact, result.missing_before) == (186, False, ())
    assert "2 are there though they were written after the backup" in result.words("x")


def test_given_up_keys_count_as_found_unless_they_came_after_the_backup() -> None:
    early = epoch(500)
    mark = early.mark("before", 1000)
    early.trim(401)  # 100 of them are in the backup, 300 are not
    result = counted(early, set(), mark)
    assert result == Aftermath(3, "before", 500, 100, 400, 400, True)


def test_a_backup_of_what_was_given_up_before_can_not_be_told_exactly() -> None:
    old = epoch(500, low=401)
    mark = old.mark("late", 1000)  # said long after it was made
    assert mark.after is None
    result = counted(old, set(range(401, 501)), mark, "late")
    assert (result.after_backup, result.exact, result.gone) == (None, None, 0)


def test_without_a_known_backup_it_is_only_counted() -> None:
    old = epoch(500, low=401)
    some = counted(old, set(range(401, 451)), None, "")
    assert (some.found, some.gone, some.after_backup, some.exact) == (450, 50, None, None)
    nothing = counted(old, set(), None, "")
    assert (nothing.found, nothing.gone) == (0, 500)
    assert counted(epoch(5), {1, 2}, None, "strange").words("restored from strange") == (
        "restored from strange: 2 of 5 acknowledged writes are back; 3 are gone, and what the backup held was not noted"
    )


def test_an_older_backup_holds_nothing_of_the_epoch() -> None:
    result = counted(epoch(20), set(), Mark("old", 2, 99_999, 5), "old")
    assert result == Aftermath(3, "old", 20, 0, 20, 20, True)


def test_a_backup_from_a_later_epoch_says_nothing_of_this_one() -> None:
    result = counted(epoch(20), set(range(1, 21)), Mark("later", 4, 5, 0), "later")
    assert (result.gone, result.after_backup, result.exact) == (0, None, None)
    assert result.level == "good"
    assert result.words("restored from later").endswith("20 of 20 acknowledged writes are back; none is gone")


def test_nothing_lost_is_exact_too() -> None:
    old = epoch(20)
    result = counted(old, set(range(1, 21)), old.mark("before", 200))
    assert (result.gone, result.after_backup, result.exact, result.level) == (0, 0, True, "good")


def test_one_write_is_said_in_the_singular() -> None:
    old = epoch(2)
    words = counted(old, {1}, old.mark("before", 10)).words("restored from before")
    assert words.endswith("1 of 2 acknowledged writes is back; 1 is gone, written after the backup")


def test_what_can_not_be_counted_says_why() -> None:
    blank = Aftermath(3, "before", 20, why="no quorum")
    assert blank.level == "warning"
    assert blank.words("restored from before") == (
        "restored from before: what became of 20 acknowledged writes was not counted: no quorum"
    )
