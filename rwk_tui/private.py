"""Files and directories that nobody else may read, and that a crash never leaves half written."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path


def make_private(directory: Path) -> None:
    """Make a directory and its parents, open to nobody else; those that are there stay as they are. Raises OSError."""
    if not directory.is_dir():
        make_private(directory.parent)  # mkdir(parents=True) would give the parents another mode
        directory.mkdir(mode=0o700, exist_ok=True)


def write_whole(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file so that whatever happens the old content or the new is there, never half of it. Raises OSError."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            # No fsync: it would stall the event loop, and what must be survived is our death, not the kernel's.
            file.write(content)
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
