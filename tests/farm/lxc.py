"""What vagrant-lxc needs inside a farm: two bridges, and defaults that ask for nothing."""

from __future__ import annotations

from pathlib import Path

from farm.ground import Ground
from farm.tools import RECIPE, run

# The way that Vagrant comes in by, as vagrant-libvirt has it too, and the network of the lab.
BRIDGES = {"farm0": "192.168.121.1/24", "farm1": "172.17.8.1/24"}


def start(ground: Ground, box: Path) -> str:
    """Prepares the namespaces; the Vagrantfile for VAGRANT_HOME."""
    (ground.state / "etc-lxc/default.conf").write_text("# Everything comes with the box and from the Vagrantfile.\n")
    for bridge, address in BRIDGES.items():
        run(ground.inside("ip", "link", "add", bridge, "type", "bridge"), timeout=20)
        run(ground.inside("ip", "address", "add", address, "dev", bridge), timeout=20)
        run(ground.inside("ip", "link", "set", bridge, "up"), timeout=20)
        # A container that was halted comes back with another hardware address; who knew the old one asks anew at once.
        sooner = {"delay_first_probe_time": 1, "base_reachable_time_ms": 1000, "retrans_time_ms": 200}
        words = [f"net.ipv4.neigh.{bridge}.{name}={value}" for name, value in sooner.items()]
        run(ground.inside("sysctl", "-qw", *words), timeout=20)
    return (RECIPE / "Vagrantfile.lxc").read_text()
