"""One frozen settings object for a whole run."""

from rwk_tui.settings.load import as_environment, check_socket, load_settings
from rwk_tui.settings.values import THEMES, Mirrors, OwnKeys, Settings, Timeouts, Vagrant
from rwk_tui.tomlfile import BadInput

__all__ = [
    "THEMES",
    "BadInput",
    "Mirrors",
    "OwnKeys",
    "Settings",
    "Timeouts",
    "Vagrant",
    "as_environment",
    "check_socket",
    "load_settings",
]
