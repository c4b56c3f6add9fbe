"""A libvirtd inside a farm, and the Vagrantfile that makes vagrant-libvirt use it."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

from farm.disk import INITRAMFS, KERNEL
from farm.ground import Ground
from farm.tools import RECIPE, NoFarm, run, say, timed

# Nothing here keeps the machines apart from the farm: the farm itself is what keeps them apart from everything else.
QEMU_CONF = """security_driver = "none"
user = "root"
group = "root"
cgroup_controllers = []
stdio_handler = "file"
dynamic_ownership = 0
remember_owner = 0
namespaces = []
seccomp_sandbox = 0
"""
LIBVIRTD_CONF = 'auth_unix_ro = "none"\nauth_unix_rw = "none"\n'
PROBE_SECONDS = 6


def start(ground: Ground, box: Path) -> str:
    """Starts it with a storage pool and without networks; the Vagrantfile for VAGRANT_HOME. Raises NoFarm."""
    config = ground.state / "etc-libvirt"
    (config / "qemu.conf").write_text(QEMU_CONF)
    (config / "libvirtd.conf").write_text(LIBVIRTD_CONF)
    # The network that comes with the package: its addresses are none that the farm chose.
    for autostarted in (config / "qemu/networks/autostart").glob("*"):
        autostarted.unlink()
    log = (ground.state / "libvirtd.log").open("w")
    subprocess.Popen(ground.inside("libvirtd"), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    wait_for_libvirtd(ground)
    pool = ground.state / "pool"
    pool.mkdir()
    for words in (("pool-define-as", "farm", "dir", "--target", str(pool)), ("pool-start", "farm")):
        run(ground.inside("virsh", "--quiet", *words), timeout=30)
    with timed("probe for KVM"):
        kvm = kvm_boots(box)
    say("accelerator: KVM" if kvm else "accelerator: none that works, so QEMU's own (TCG)")
    # A farm that goes on for long outlives its box in the cache.
    for name in (KERNEL, INITRAMFS):
        shutil.copy(box / name, ground.state / name)
    values = {
        "DRIVER": "kvm" if kvm else "qemu",
        "CPU_MODE": "host-passthrough" if kvm else "custom",
        "CPU_MODEL": "" if kvm else "qemu64",
        "FOLDER": str(ground.state),
    }
    text = (RECIPE / "Vagrantfile.libvirt").read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


def wait_for_libvirtd(ground: Ground) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            run(ground.inside("virsh", "--quiet", "version"), timeout=10)
            return
        except NoFarm as why:
            if time.monotonic() > end:
                raise NoFarm(f"libvirtd does not answer: {why}; see {ground.state}/libvirtd.log") from why
        time.sleep(0.2)


def kvm_boots(box: Path) -> bool:
    """Whether the box's kernel starts with KVM and switches itself off again. /dev/kvm alone says nothing."""
    if not Path("/dev/kvm").exists():
        return False
    command = ["qemu-system-x86_64", "-accel", "kvm", "-cpu", "host", "-machine", "q35", "-m", "256", "-nodefaults"]
    command += ["-nographic", "-no-reboot", "-kernel", str(box / KERNEL), "-initrd", str(box / INITRAMFS)]
    command += ["-append", "quiet panic=-1 farm.probe"]
    try:
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=PROBE_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
