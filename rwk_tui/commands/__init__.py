"""The commands of `rwk-tui`, each imported when it is the one that was typed."""
