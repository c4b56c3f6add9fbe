"""What the farm needs from Debian, installed where it is missing."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from farm.tools import NoFarm, run, timed

# Each package is known by a file of it: asking dpkg would say nothing about what was removed by hand.
NEEDED: dict[str, dict[str, str]] = {
    "libvirt": {
        "vagrant": "/usr/bin/vagrant",
        "mmdebstrap": "/usr/bin/mmdebstrap",
        "openssh-client": "/usr/bin/ssh",
        "iproute2": "/usr/bin/ip",
        "sudo": "/usr/bin/sudo",
        "busybox-static": "/usr/bin/busybox",
        "dnsmasq-base": "/usr/sbin/dnsmasq",
        "e2fsprogs": "/usr/sbin/mke2fs",
        "libvirt-clients": "/usr/bin/virsh",
        "libvirt-daemon-system": "/usr/lib/systemd/system/libvirtd.service",
        "qemu-system-x86": "/usr/bin/qemu-system-x86_64",
        "qemu-utils": "/usr/bin/qemu-img",
        "vagrant-libvirt": "/usr/share/rubygems-integration/all/specifications/vagrant-libvirt-*.gemspec",
    },
    "lxc": {
        "vagrant": "/usr/bin/vagrant",
        "mmdebstrap": "/usr/bin/mmdebstrap",
        "openssh-client": "/usr/bin/ssh",
        "iproute2": "/usr/bin/ip",
        "sudo": "/usr/bin/sudo",
        "busybox-static": "/usr/bin/busybox",
        "lxc": "/usr/bin/lxc-create",
        "vagrant-lxc": "/usr/share/rubygems-integration/all/specifications/vagrant-lxc-*.gemspec",
    },
}
POLICY = Path("/usr/sbin/policy-rc.d")


def missing_packages(provider: str) -> list[str]:
    """What the provider needs and is not there."""
    return [name for name, known_by in NEEDED[provider].items() if not any(Path("/").glob(known_by.lstrip("/")))]


def install_missing(provider: str) -> None:
    """Installs what the provider needs. Raises NoFarm if that can't be done here."""
    missing = missing_packages(provider)
    if not missing:
        return
    if os.geteuid() != 0:
        raise NoFarm(f"needs root to install: apt-get install --no-install-recommends {' '.join(missing)}")
    if not shutil.which("apt-get"):
        raise NoFarm(f"needs Debian, or these by other means: {' '.join(missing)}")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with timed(f"install {' '.join(missing)}:"), no_daemons():
        run(["apt-get", "-qq", "update"], timeout=300, env=env)
        run(["apt-get", "-qq", "-y", "install", "--no-install-recommends", *missing], timeout=900, env=env)


@contextmanager
def no_daemons() -> Iterator[None]:
    """Installing starts no daemon on the machine itself: the farm starts its own, inside its namespaces."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(POLICY.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    try:
        yield
    finally:
        POLICY.unlink(missing_ok=True)


def vagrant_key() -> Path:
    """The public half of the key that Vagrant comes with. Raises NoFarm."""
    listed = subprocess.run(["dpkg", "-L", "vagrant"], capture_output=True, text=True).stdout.splitlines()
    keys = [Path(line) for line in listed if line.endswith("/keys/vagrant.pub")]
    if not keys:
        raise NoFarm("Debian's vagrant package has no keys/vagrant.pub")
    return keys[0]
