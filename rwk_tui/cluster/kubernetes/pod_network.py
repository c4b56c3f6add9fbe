"""The network of pods that run in containers: a range of addresses and a bridge a machine, routes between them."""

from __future__ import annotations

import json
from collections.abc import Iterable

from rwk_tui.lab.pods import pod_range
from rwk_tui.lab.protocol import Machine, UnitSpec

ROUTES = "pod-routes"
"""The unit that leads to the pods of other machines."""
BRIDGE = "rwk-pods"
"""The bridge on each machine; the network is called like that too."""
PLUGIN_PLACES = ("/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni")
PLUGINS = ("bridge", "host-local", "loopback")
"""The CNI plugins that it takes."""
SCRIPT = "bin/pod_routes.py"
CONFIG = "etc/cni/net.d/10-rwk.conflist"


def plugins_in(listing: str) -> str:
    """Of the directories of plugins, the first that has them all, "" if none has; `listing` has a path a line."""
    found = set(listing.split())
    return next((place for place in PLUGIN_PLACES if {f"{place}/{name}" for name in PLUGINS} <= found), "")


def list_plugins() -> tuple[str, ...]:
    """The command whose output `plugins_in` reads; it fails where any is missing, which says nothing."""
    return ("ls", "-d", *(f"{place}/{name}" for place in PLUGIN_PLACES for name in PLUGINS))


def network_config(machine: Machine, directory: str) -> bytes:
    """What the plugins do for a pod of that machine; which addresses are taken is kept below `directory`."""
    bridge = {
        "type": "bridge",
        "bridge": BRIDGE,
        "isDefaultGateway": True,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "ranges": [[{"subnet": pod_range(machine.name)}]],
            "dataDir": f"{directory}/addresses",
        },
    }
    return json.dumps({"cniVersion": "0.4.0", "name": BRIDGE, "plugins": [bridge]}, indent=2).encode()


def routes_spec(machine: Machine, machines: Iterable[Machine]) -> UnitSpec:
    """The unit that leads from that machine to the pods of all other `machines`."""
    ways = (f"{pod_range(other.name)}={other.address}" for other in machines if other.name != machine.name)
    return UnitSpec(ROUTES, ("python3", f"{machine.data}/{SCRIPT}", *ways))
