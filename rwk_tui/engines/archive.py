"""Take the named programs out of a release archive, and nothing else: no path of its choosing, no links."""

from __future__ import annotations

import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from rwk_tui.engines.ask import EngineError

_BIGGEST = 1_000_000_000
"""Bytes that one program may have at most: a hostile archive unpacks to more than any disk holds."""


def extract(archive: Path, name: str, members: Mapping[str, str], out: Path) -> None:
    """Write the member of each program to `out`/program; `name`, the archive's own, tells .zip from .tar.gz.

    Raises EngineError if a member is missing or is no plain file. What else the archive holds is not even looked at.
    """
    take = _from_zip if name.endswith(".zip") else _from_tar
    try:
        take(archive, members, out)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise EngineError(f"{name}: can't be unpacked ({error})") from None
    except KeyError as error:
        raise EngineError(f"{name}: has no {str(error.args[0])[:200]}") from None
    except _NotPlain as error:
        raise EngineError(f"{name}: {error.args[0]} is no plain file of a program's size") from None


class _NotPlain(Exception):
    pass


def _from_tar(archive: Path, members: Mapping[str, str], out: Path) -> None:
    with tarfile.open(archive, "r:gz") as opened:
        for program, member in members.items():
            entry = opened.getmember(member)
            source = opened.extractfile(entry) if entry.isreg() and entry.size <= _BIGGEST else None
            if source is None:
                raise _NotPlain(member)
            _write(source, out / program)


def _from_zip(archive: Path, members: Mapping[str, str], out: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        for program, member in members.items():
            entry = opened.getinfo(member)
            mode = entry.external_attr >> 16  # 0 where the archive was not made on Unix
            if entry.is_dir() or entry.file_size > _BIGGEST or (stat.S_IFMT(mode) not in (0, stat.S_IFREG)):
                raise _NotPlain(member)
            with opened.open(entry) as source:
                _write(source, out / program)


def _write(source: IO[bytes], path: Path) -> None:
    with path.open("xb") as file:
        shutil.copyfileobj(source, file, 1024 * 1024)
