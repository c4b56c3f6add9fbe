"""kwok, which stands in for the kubelet where no containers can run: one process a machine, for that node.

It speaks the API of a node for real (it registers, renews its Lease, reports pods) and starts no containers.
"""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from rwk_tui.cluster.kubernetes.controllers import config_of
from rwk_tui.cluster.kubernetes.timings import timings
from rwk_tui.cluster.kubernetes.units import KUBELET, KUBELET_PORT
from rwk_tui.data import data_dir
from rwk_tui.lab.protocol import Listen, Machine, UnitSpec
from rwk_tui.settings import Settings

KWOK = "kwok"
STAGES = "etc/kwok/stages-{version}.yaml"
"""The path on a machine of what tells kwok how a kubelet of that version behaves."""


def kwok_spec(machine: Machine, settings: Settings, *, version: str) -> UnitSpec:
    """The unit on that machine, which reports that it is a kubelet of `version` ("1.37.2")."""
    host, port = machine.bind(KUBELET_PORT, public=False)
    argv = (
        KWOK,
        f"--kubeconfig={config_of(machine, KUBELET)}",
        f"--config={machine.data}/{STAGES.format(version=version)}",
        f"--manage-single-node={machine.name}",
        f"--node-name={machine.name}",
        f"--node-ip={machine.address}",
        f"--node-port={port}",
        f"--server-address={host}:{port}",
        f"--cidr=10.0.{int(machine.name.rpartition('-')[2])}.0/24",
        f"--node-lease-duration-seconds={timings(settings).node_lease}",
    )
    return UnitSpec(KUBELET, argv, listens=(Listen(KUBELET_PORT, public=False, bound=True),))


def version_of(spec: UnitSpec) -> str:
    """The version that the kubelet of such a unit reports."""
    found = re.search(r"stages-(\d[\w.]*)\.yaml", " ".join(spec.argv))
    return found[1] if found else ""


def stages(version: str, kwok: str) -> bytes:
    """kwok's configuration for a kubelet of that version; `kwok` is its own. Raises OSError."""
    text = Path(data_dir("assets") / "kwok" / "stages.yaml").read_text("utf-8")
    return text.replace("VERSION", f"v{version}").replace("RUNTIME", f"kwok://{kwok}").encode()


def node_object(machine: Machine) -> bytes:
    """The Node that a kubelet registers when it starts for the first time."""
    labels = {"kubernetes.io/hostname": machine.name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    document = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": machine.name, "labels": labels}}
    return yaml.safe_dump(document, sort_keys=False).encode()


def kwok_rights() -> bytes:
    """What kwok looks at beyond what a kubelet may: it lists before it watches, and asks for more than its own node."""
    group = "rbac.authorization.k8s.io"
    look = ["get", "list", "watch"]
    rules = [
        {"apiGroups": [""], "resources": ["nodes", "pods"], "verbs": look},
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": look},
    ]
    role = {"apiVersion": f"{group}/v1", "kind": "ClusterRole", "metadata": {"name": "rwk:kwok"}, "rules": rules}
    binding = {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "rwk:kwok"},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "rwk:kwok"},
        "subjects": [{"kind": "Group", "apiGroup": group, "name": "system:nodes"}],
    }
    return yaml.safe_dump_all([role, binding], sort_keys=False).encode()
