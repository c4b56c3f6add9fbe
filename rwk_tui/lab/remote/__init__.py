"""Machines that are reached over SSH and run systemd: what the backends `vagrant` and `ssh` have in common."""
