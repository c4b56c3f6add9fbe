"""Objects of Kubernetes that a fault brings along: applied and deleted by the presenter's kubectl, from a file."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from rwk_tui.cluster.ops import OpResult, RunOp
from rwk_tui.faults.ground import Ground
from rwk_tui.lab.protocol import LabError
from rwk_tui.private import make_private, write_whole

Document = dict[str, Any]


def kubectl(ground: Ground, *words: str) -> RunOp:
    """That command of kubectl, at the presenter's desk."""
    return RunOp(ground.lab.desk, ("kubectl", *words))


async def apply(ground: Ground, title: str, name: str, documents: Sequence[Document]) -> OpResult:
    """Bring these objects into being, or into this state; `name` is that of their file. Raises LabError."""
    path = _file(ground, name)
    try:
        await asyncio.to_thread(make_private, path.parent)
        await asyncio.to_thread(write_whole, path, yaml.safe_dump_all(documents, sort_keys=False).encode())
    except OSError as error:
        raise LabError(f"{path}: {error.strerror or error}") from error
    return await ground.do(title, [kubectl(ground, "apply", "-f", str(path))])


async def delete(ground: Ground, title: str, name: str) -> None:
    """Delete the objects of that file, those that are there. Raises LabError."""
    path = _file(ground, name)
    if await asyncio.to_thread(path.exists):
        await ground.do(title, [kubectl(ground, "delete", "--ignore-not-found", "-f", str(path))])
        await asyncio.to_thread(path.unlink, missing_ok=True)


def _file(ground: Ground, name: str) -> Path:
    return ground.settings.state / "objects" / f"{name}.yaml"
