"""A root disk for QEMU with the kernel and initramfs that start it.

The initramfs is the smallest that finds the disk: busybox, a handful of modules and a script. Debian's own takes some
ten seconds without KVM: it starts udev, which looks at every device there is.
"""

from __future__ import annotations

import shutil
import stat
from collections.abc import Sequence
from pathlib import Path

from farm.tools import NoFarm, run

GIGABYTES = 6
KERNEL = "vmlinuz"
INITRAMFS = "initramfs"
BUSYBOX = Path("/usr/bin/busybox")
# A kernel that is only asked whether it boots goes at once: that is the probe for an accelerator that works.
SCRIPT = """#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
case "$(/bin/busybox cat /proc/cmdline)" in *farm.probe*) /bin/busybox poweroff -f ;; esac
for module in /modules/*; do /bin/busybox insmod "$module"; done
tries=0
until [ -b /dev/vda ] || [ $tries = 200 ]; do /bin/busybox sleep 0.1; tries=$((tries + 1)); done
/bin/busybox mount -t ext4 -o rw,noatime /dev/vda /root
/bin/busybox umount /proc
/bin/busybox mount -o move /dev /root/dev
exec /bin/busybox switch_root /root /lib/systemd/systemd
"""


def make_disk(root: Path, image: Path, done: Path) -> int:
    """Writes the image, and kernel and initramfs into `done`; how many gigabytes the machine sees."""
    kernels = list((root / "boot").glob("vmlinuz-*"))
    if len(kernels) != 1:
        raise NoFarm(f"the box should have one kernel, not {len(kernels)}")
    shutil.copy(kernels[0], done / KERNEL)
    modules = [root / line.lstrip("/") for line in (root / "boot/farm-modules").read_text().split()]
    (done / INITRAMFS).write_bytes(initramfs(modules))
    for path in (root / "boot").iterdir():
        path.unlink()
    raw = image.with_suffix(".raw")
    # No reserve and no delayed inode tables: nothing works on in the background of a machine that is slow as it is.
    options = ["-F", "-q", "-t", "ext4", "-m", "0", "-E", "lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0"]
    run(["mke2fs", *options, "-d", root, raw, f"{GIGABYTES}G"], timeout=300)
    run(["qemu-img", "convert", "-O", "qcow2", raw, image], timeout=300)
    raw.unlink()
    return GIGABYTES


def initramfs(modules: Sequence[Path]) -> bytes:
    """A cpio archive; the modules are loaded in the order given."""
    whole = b"".join(entry(name, stat.S_IFDIR | 0o755) for name in ("bin", "dev", "modules", "proc", "root"))
    whole += entry("bin/busybox", stat.S_IFREG | 0o755, BUSYBOX.read_bytes())
    whole += entry("init", stat.S_IFREG | 0o755, SCRIPT.encode())
    for number, module in enumerate(modules):
        whole += entry(f"modules/{number:02}-{module.name}", stat.S_IFREG | 0o644, module.read_bytes())
    return whole + entry("TRAILER!!!", 0)


def entry(name: str, mode: int, data: bytes = b"") -> bytes:
    """One file in cpio's "newc" form: hexadecimal fields, everything padded to four bytes."""
    raw = name.encode() + b"\0"
    # inode, mode, user, group, links, time, size, device twice, its numbers twice, length of the name, checksum
    fields = (0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(raw), 0)
    return padded(b"070701" + b"".join(b"%08X" % field for field in fields) + raw) + padded(data)


def padded(data: bytes) -> bytes:
    """The data with zeros up to the next multiple of four."""
    return data + b"\0" * (-len(data) % 4)
