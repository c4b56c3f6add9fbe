"""The kubelet of a worker that runs containers."""

from __future__ import annotations

import yaml

from rwk_tui.cluster.kubernetes import containers
from rwk_tui.cluster.kubernetes.controllers import config_of
from rwk_tui.cluster.kubernetes.timings import timings
from rwk_tui.cluster.kubernetes.units import KUBELET, KUBELET_PORT, program
from rwk_tui.cluster.roles import place
from rwk_tui.lab.protocol import Listen, Machine, UnitSpec
from rwk_tui.settings import Settings

CONFIG = "etc/kubernetes/kubelet.yaml"
SCRIPT = "bin/when_served.py"


def kubelet_spec(machine: Machine, *, engine: str = "") -> UnitSpec:
    """The unit on that machine; it waits for containerd, without which a kubelet ends."""
    argv = (
        "python3",
        f"{machine.data}/{SCRIPT}",
        containers.socket(machine),
        program(KUBELET, engine),
        f"--config={machine.data}/{CONFIG}",
        f"--kubeconfig={config_of(machine, KUBELET)}",
        f"--root-dir={machine.data}/kubelet",
        f"--hostname-override={machine.name}",
        f"--node-ip={machine.address}",
    )
    listens = (Listen(KUBELET_PORT, public=True, bound=True),)
    return UnitSpec(KUBELET, argv, listens=listens, after=(containers.CONTAINERD,))


def kubelet_config(machine: Machine, settings: Settings) -> bytes:
    """Its configuration: for small machines with or without swap, with either kind of control groups."""
    host, port = machine.bind(KUBELET_PORT, public=True)
    patience = timings(settings)
    document = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": host,
        "port": port,
        "healthzPort": 0,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": place(machine, "kubernetes", "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": place(machine, "kubernetes", "kubelet-server.crt"),
        "tlsPrivateKeyFile": place(machine, "kubernetes", "kubelet-server.key"),
        "containerRuntimeEndpoint": f"unix://{containers.socket(machine)}",
        "nodeLeaseDurationSeconds": patience.node_lease,
        "nodeStatusUpdateFrequency": f"{patience.node_lease // 4}s",
        # Nothing is set aside for the rest of the machine, and no control groups of systemd's are touched.
        "cgroupDriver": "cgroupfs",
        "cgroupsPerQOS": False,
        "enforceNodeAllocatable": [],
        "failCgroupV1": False,
        "failSwapOn": False,
        # Disks are small, and images may have come without a registry to get them from again.
        "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "podLogsDir": f"{machine.data}/log/pods",
        "volumePluginDir": f"{machine.data}/kubelet/volume-plugins",
        "makeIPTablesUtilChains": False,
        "maxPods": 110,
    }
    return yaml.safe_dump(document, sort_keys=False).encode()
