"""The farm's own Vagrant boxes: Debian as mmdebstrap makes it, kept in a cache."""

from __future__ import annotations

import fcntl
import json
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from farm.disk import make_disk
from farm.packages import vagrant_key
from farm.tools import CACHE, HERE, RECIPE, NoFarm, digest, run, timed

BOX = "rwk/debian"
PACKAGES = [
    "ca-certificates",
    "containerd",
    "containernetworking-plugins",
    "conntrack",
    "dbus",
    "iproute2",
    "iptables",
    "iputils-ping",
    "kmod",
    "nftables",
    "openssh-server",
    "procps",
    "python3",
    "runc",
    "strace",
    "sudo",
    "systemd",
    "systemd-sysv",
    "udev",
]


def cached_box(provider: str) -> Path:
    """The folder of the box, made first if there is none for this recipe; it holds `package.box` and what boots it."""
    key = digest(
        *(path.read_bytes() for path in sorted(RECIPE.glob("[!V]*"))),
        *((HERE / name).read_bytes() for name in ("box.py", "disk.py")),
    )
    folder = CACHE / f"{provider}-{key}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with alone(CACHE / ".lock"):
        if not folder.exists():
            for old in CACHE.glob(f"{provider}-*"):
                shutil.rmtree(old)
            with timed("box"):
                make(provider, folder)
    return folder


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Two farms that start at once make one box."""
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def make(provider: str, folder: Path) -> None:
    """Builds the box beside its place and moves it there when it is whole."""
    with tempfile.TemporaryDirectory(dir=CACHE, prefix=".making-") as name:
        making = Path(name)
        root = making / "root"
        bootstrap(provider, root)
        done = making / "done"
        done.mkdir()
        files = lxc_files(root, making) if provider == "lxc" else libvirt_files(root, making, done)
        # Not compressed: it is unpacked once a farm, and never sent anywhere.
        with tarfile.open(done / "package.box", "w") as box:
            for file in files:
                box.add(file, arcname=f"./{file.name}")
        done.rename(folder)


def bootstrap(provider: str, root: Path) -> None:
    """A Debian below this folder, with what the lab's machines need. Raises NoFarm."""
    hook = f'{RECIPE / "customize.sh"} "$1" {provider} {vagrant_key()}'
    command = ["mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", f"--include={','.join(PACKAGES)}"]
    # The lists are needed by the hook, which looks for the kernel that is newest.
    command += ["--skip=cleanup/apt", f"--customize-hook={hook}", "bookworm", str(root)]
    with timed("debian"):
        run(command, timeout=900)
    if not (root / "usr/sbin/sshd").exists():
        raise NoFarm("mmdebstrap made a Debian without sshd")


def lxc_files(root: Path, making: Path) -> list[Path]:
    """What vagrant-lxc expects in a box."""
    rootfs = making / "rootfs.tar.gz"
    run(["tar", "-C", root, "--numeric-owner", "--xattrs", "-I", "gzip -1", "-cf", rootfs, "."], timeout=300)
    options = {"--strip-components": "1"}
    metadata = making / "metadata.json"
    metadata.write_text(json.dumps({"provider": "lxc", "version": "1.0.0", "template-opts": options}))
    config = Path(shutil.copy(RECIPE / "lxc-config", making / "lxc-config"))
    return [metadata, rootfs, config]


def libvirt_files(root: Path, making: Path, done: Path) -> list[Path]:
    """What vagrant-libvirt expects in a box; the kernel and its initramfs stay outside, where QEMU takes them from."""
    image = making / "box.img"
    gigabytes = make_disk(root, image, done)
    metadata = making / "metadata.json"
    metadata.write_text(json.dumps({"provider": "libvirt", "format": "qcow2", "virtual_size": gigabytes}))
    return [metadata, image]
