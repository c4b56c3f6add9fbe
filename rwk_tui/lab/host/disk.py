"""Files of the lab: written whole or not at all, private to the user, and every failure said in one line."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rwk_tui.lab.protocol import LabError
from rwk_tui.private import make_private, write_whole

MARKER = ".rwk-lab"
_MARKER_TEXT = "This directory belongs to rwk-tui, which empties it on a reset.\n"


@contextlib.contextmanager
def said(what: str) -> Iterator[None]:
    """Turn an OSError into a LabError that begins with `what`."""
    try:
        yield
    except OSError as error:
        raise LabError(f"{what}: {error.strerror or error}") from error


def make_directory(path: Path) -> None:
    """Make a directory and its parents, open to nobody else. Raises LabError."""
    with said(f"can't make the directory {path}"):
        make_private(path)


def write_file(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file so that a reader sees the old one or the new one, never half of it. Raises LabError."""
    with said(f"can't write {path}"):
        make_private(path.parent)
        write_whole(path, content, mode)


def read_file(path: Path) -> bytes:
    """The content of a file. Raises LabError if there is none."""
    with said(f"can't read {path}"):
        return path.read_bytes()


def write_json(path: Path, value: Any) -> None:
    """Write a value as JSON. Raises LabError."""
    write_file(path, json.dumps(value, indent=1).encode() + b"\n")


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file, {} if there is no such file. Raises LabError if it holds something else."""
    with said(f"can't read {path}"):
        try:
            value = json.loads(path.read_bytes())
        except FileNotFoundError:
            return {}
        except ValueError:
            value = None
    if not isinstance(value, dict):
        raise LabError(f"{path} is damaged; `rwk-tui down`, then remove that file")
    return value


def claim(root: Path) -> None:
    """Make `root` the lab's own directory. Raises LabError if it holds something that is not ours."""
    with said(f"can't use {root}"):
        if root.exists():
            foreign = not (root / MARKER).is_file() and any(root.iterdir())
            if foreign:
                raise LabError(f"{root} holds files that are not ours; choose another place with --state")
        make_private(root)
        root.chmod(0o700)
        (root / MARKER).write_text(_MARKER_TEXT)


def remove_tree(path: Path) -> None:
    """Remove a directory: at once out of the way, then bit by bit, so that a crash leaves no half disk."""
    with said(f"can't remove {path}"):
        if not path.exists():
            return
        try:
            away = Path(tempfile.mkdtemp(dir=path.parent, prefix=".gone-"))
        except OSError:
            shutil.rmtree(path)  # no room for a directory: then bit by bit must do
            return
        path.rename(away / path.name)
        shutil.rmtree(away)


async def lose_tree(path: Path) -> None:
    """The same in a thread, which nothing stops: whoever cancels us is heard when it is done."""
    task = asyncio.ensure_future(asyncio.to_thread(remove_tree, path))
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def remove_remains(directory: Path) -> None:
    """Remove what an interrupted `remove_tree` left. Raises LabError."""
    with said(f"can't clean {directory}"):
        for away in directory.glob(".gone-*"):
            shutil.rmtree(away)


def has_files(directory: Path) -> bool:
    """Whether anything but directories lies below."""
    return any(names for _, _, names in os.walk(directory))
