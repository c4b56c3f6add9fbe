"""TOML files that people write: read so that whatever is wrong is said in one line, with file and place."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any


class BadInput(Exception):
    """Input of the user that can't be used: one line with file and place; the command exits with 2."""


def read_toml(file: Path) -> tuple[str, dict[str, Any]]:
    """The text of a file and what it says. Raises BadInput with file and line."""
    import tomllib  # Most runs read no such file.

    try:
        text = file.read_text("utf-8")
        return text, tomllib.loads(text)
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadInput(f"{file}: is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        number = line[1] if line else len(text.splitlines()) or 1
        raise BadInput(f"{file}:{number}: {re.sub(r' *[(]at .*', '', str(error))}") from None
    except (RecursionError, ValueError) as error:  # brackets nested by the thousand, numbers of thousands of digits
        raise BadInput(f"{file}: {' '.join(str(error).split())}") from None


def line_of(text: str, name: str) -> int:
    """The line on which a key stands ("table.key"). tomllib keeps no positions, so it is looked for in its table."""
    current = ""
    for number, line in enumerate(text.splitlines(), 1):
        if found := re.match(r"\s*\[+\s*([\w.-]+)", line):
            current = found[1]
        full = re.match(r"""[\s"']*([\w.-]+)["']?\s*=""", line)
        if current == name or (full and ".".join(filter(None, (current, full[1]))) == name):
            return number
    return 1
