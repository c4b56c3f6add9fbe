"""The test farm: `PYTHONPATH=tests python -m farm --provider libvirt|lxc [--keep] -- COMMAND ARGS...`; see cli.py."""

from __future__ import annotations

import sys

from farm.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
