"""Files that an export writes: looked at before the first of them is touched, and never left half written."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TextIO

from rwk_tui.tomlfile import BadInput


def check_targets(tape: Path, files: Mapping[str, Path], directory: Path | None = None, flag: str = "") -> None:
    """See that each of the files, by their flags, and the directory with its flag can be written. Raises BadInput."""
    taken = {"the tape itself": tape}
    for name, path in files.items():
        for what, other in taken.items():
            if _same(path, other):
                raise BadInput(f"{name} {path}: that is {what}")
        taken[f"the file of {name}"] = path
        try:
            _try(path)
        except OSError as error:
            raise BadInput(f"{name} {path}: {error.strerror or error}") from None
    if directory is not None:
        nearest = next((each for each in (directory, *directory.absolute().parents) if each.exists()), directory)
        if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
            number = errno.EACCES if nearest.is_dir() else errno.ENOTDIR
            raise BadInput(f"{flag} {directory}: {os.strerror(number)}")


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[TextIO]:
    """A file that takes the place of an older one when all is written, and leaves that as it was if it fails.

    Raises OSError, with the file's name.
    """
    try:
        if path.exists() and not path.is_file():  # A pipe or a terminal has no place to take.
            with path.open("w", encoding="utf-8") as out:
                yield out
            return
        target = path.resolve()
        draft = _draft(target)
        try:
            with draft.open("x", encoding="utf-8") as out:
                yield out
            if target.exists():
                draft.chmod(target.stat().st_mode & 0o777)
            draft.replace(target)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
    except OSError as error:
        error.filename = str(path)
        raise


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return one.resolve() == other.resolve()


def _try(path: Path) -> None:
    """Raises OSError if `written_whole` could not write that file."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if path.is_file():
        path.open("ab").close()
    elif path.exists():
        return
    draft = _draft(path.resolve())
    draft.open("xb").close()
    draft.unlink()


def _draft(target: Path) -> Path:
    return target.with_name(f".{target.name}.{os.getpid()}")
