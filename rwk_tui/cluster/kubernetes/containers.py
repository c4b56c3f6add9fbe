"""Containers on a machine that is lent to us: a containerd of our own beside whatever runs there, and its images."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from rwk_tui.cluster.files import File, PutOp
from rwk_tui.cluster.ops import Op, Retry, RunOp
from rwk_tui.data import data_dir
from rwk_tui.lab.protocol import LabError, Machine, UnitSpec

CONTAINERD = "containerd"
PAUSE = "registry.k8s.io/pause:3.10"
"""The image of the container that holds a pod together."""
CONFIG = "etc/containerd/config.toml"
SCRIPT = "bin/containerd.py"
STARTING = 30.0
"""Seconds that containerd may take until it can be spoken to, to be multiplied by the backend's slack."""
NOT_YET = ("no such file or directory", "connection refused", "context deadline exceeded", "unavailable")
"""What ctr says before containerd listens."""

_CONFIG = """\
version = 2
root = "{directory}/root"
state = "{directory}/state"

[grpc]
  address = "{directory}/containerd.sock"

[debug]
  address = "{directory}/debug.sock"

[plugins."io.containerd.internal.v1.opt"]
  path = "{directory}/opt"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  netns_mounts_under_state_dir = true
  # Machines that are containers themselves may not lower it.
  restrict_oom_score_adj = true
  tolerate_missing_hugetlb_controller = true

  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "SNAPSHOTTER"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"

      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        Root = "{directory}/state/runc"
        SystemdCgroup = false

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "{networks}"
    max_conf_num = 1
"""


def directory(machine: Machine) -> str:
    """Where this containerd keeps everything, as a path on the machine."""
    return f"{machine.data}/containerd"


def socket(machine: Machine) -> str:
    """The path of the socket at which it listens."""
    return f"{directory(machine)}/containerd.sock"


def containerd_config(machine: Machine, plugins: str) -> bytes:
    """Its configuration; `plugins` is the directory of the machine's CNI plugins. SNAPSHOTTER is found out there."""
    return _CONFIG.format(
        directory=directory(machine), pause=PAUSE, plugins=plugins, networks=f"{machine.data}/etc/cni/net.d"
    ).encode()


def containerd_spec(machine: Machine) -> UnitSpec:
    """The unit, which takes its containers with it when it ends."""
    return UnitSpec(CONTAINERD, ("python3", f"{machine.data}/{SCRIPT}", directory(machine), f"{machine.data}/{CONFIG}"))


def script(path: str) -> File:
    """A program of ours for machines, such as "bin/containerd.py"; its content raises OSError if it is missing here."""
    return File(path, (Path(data_dir("assets")) / "machine" / Path(path).name).read_bytes, 0o644)


def load_images(machine: Machine, images: Path | None, slack: float) -> tuple[Op, ...]:
    """Give a machine every archive in that directory of the presenter. Raises LabError if there is none in it."""
    if images is None:
        return ()
    archives = sorted(images.glob("*.tar"))
    if not archives:
        raise LabError(f"images: there is no *.tar in {images}; save some there, e.g. with docker save")
    ops: list[Op] = []
    for archive in archives:
        path = f"images/{archive.name}"
        put = File(path, partial(_read, archive), 0o644)
        words = f"the image archive {archive.name} ({archive.stat().st_size / 1e6:.1f} MB)"
        ctr = ("ctr", "--address", socket(machine), "--namespace", "k8s.io", "images", "import", "--no-unpack")
        load = RunOp(machine, (*ctr, f"{machine.data}/{path}"))
        ops += [PutOp(machine, (put,), words), Retry(load, NOT_YET, STARTING * slack)]
    return tuple(ops)


def _read(archive: Path) -> bytes:
    try:
        return archive.read_bytes()
    except OSError as error:
        raise LabError(f"{archive}: {error.strerror or error}") from error
