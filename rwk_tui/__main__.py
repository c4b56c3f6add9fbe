"""`python -m rwk_tui` is `rwk-tui`."""

import sys

from rwk_tui.cli import main

sys.exit(main())
