"""The programs of ours that run on workers: they wait, they clean up, they lead the way."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.tools import unavailable

pytestmark = pytest.mark.process

SCRIPTS = Path(__file__).parents[2] / "assets" / "machine"
CONTAINERD = """#!/bin/sh
cp "$2" {seen}
mkdir -p {directory}/state/left
exec sleep 60
"""


def until(holds: Callable[[], bool], what: str, within: float = 10.0) -> None:
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, f"not within {within:g} s: {what}"
        time.sleep(0.02)


@contextmanager
def runs(*argv: str, **more: object) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(argv, **more)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def test_a_program_starts_once_its_socket_is_served(tmp_path: Path) -> None:
    program(tmp_path / "bin/kubernetes-1.36/kubelet", f'#!/bin/sh\necho "$@" > {tmp_path}/said\n')
    path = str(tmp_path / "s")
    environment = {**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}
    script = str(SCRIPTS / "when_served.py")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)  # it is there, and nobody listens
        with runs(sys.executable, script, path, "kubernetes-1.36/kubelet", "--a=b", env=environment) as process:
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.5)
            assert not (tmp_path / "said").exists()
            server.listen()
            assert process.wait(10) == 0
    assert (tmp_path / "said").read_text() == "--a=b\n"


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        script = str(SCRIPTS / "when_served.py")
        done = subprocess.run([sys.executable, script, path, "no/such"], capture_output=True, text=True, timeout=10)
    assert (done.returncode, done.stderr) == (1, "there is no no/such on this machine\n")


def apart() -> list[str]:
    """How to run something in network and mounts of its own, as far as we may."""
    tried = (
        subprocess.run(["unshare", "--mount", "--net", "true"], capture_output=True)
        if shutil.which("unshare")
        else None
    )
    if tried is None or tried.returncode != 0 or not shutil.which("ip"):
        unavailable("needs root, unshare and ip")
    return ["unshare", "--mount", "--net"]


def test_containerd_is_given_a_clean_machine_and_leaves_one(tmp_path: Path) -> None:
    directory, seen = tmp_path / "containerd", tmp_path / "seen"
    program(tmp_path / "bin/containerd", CONTAINERD.format(seen=seen, directory=directory))
    (directory / "state/old").mkdir(parents=True)
    (directory / "root").mkdir()
    (tmp_path / "config.toml").write_text('snapshotter = "SNAPSHOTTER"\n')
    environment = {**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}
    keeper = ["containerd-shim-runc-v2", "-c", "import time; time.sleep(60)", f"{directory}/containerd.sock"]
    others = [*keeper[:3], "/run/containerd/containerd.sock"]
    script = str(SCRIPTS / "containerd.py")
    argv = [*apart(), sys.executable, script, str(directory), str(tmp_path / "config.toml")]
    with (
        runs(*keeper, executable=sys.executable) as shim,
        runs(*others, executable=sys.executable) as foreign,
        runs(*argv, env=environment) as process,
    ):
        until(lambda: (directory / "state/left").exists(), "containerd runs")
        assert shim.wait(5) == -signal.SIGKILL, "what was left of an earlier one ended"
        assert foreign.poll() is None, "and nobody else's"
        assert not (directory / "state/old").exists()
        assert seen.read_text() in ('snapshotter = "overlayfs"\n', 'snapshotter = "native"\n')
        process.terminate()
        assert process.wait(10) == 0
    assert not (directory / "state").exists() and (directory / "root").exists(), "only images stay"


def test_a_containerd_that_ends_by_itself_is_no_success(tmp_path: Path) -> None:
    program(tmp_path / "bin/containerd", "#!/bin/sh\nexit 3\n")
    (tmp_path / "config.toml").write_text("")
    environment = {**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}
    script = str(SCRIPTS / "containerd.py")
    argv = [*apart(), sys.executable, script, str(tmp_path / "containerd"), str(tmp_path / "config.toml")]
    assert subprocess.run(argv, env=environment, timeout=20, capture_output=True).returncode == 3


ROUTES = """
mount -t tmpfs none /run
ip link add eth1 type veth peer eth2 && ip addr add 172.17.8.1/24 dev eth1 && ip link set eth1 up && ip link set eth2 up
echo 0 > /proc/sys/net/ipv4/ip_forward
{python} {script} 10.244.2.0/24=172.17.8.2 10.244.3.0/24=172.17.8.3 &
script=$!; trap 'kill $script 2>/dev/null' EXIT
shown() {{ ip -o route show proto 144 | tr -s ' ' | sort; }}
wait_for() {{ n=0; until [ "$(shown | grep -c via)" = $1 ]; do n=$((n+1)); [ $n -gt 100 ] && exit 9; sleep 0.1; done; }}
wait_for 2; shown; cat /proc/sys/net/ipv4/ip_forward
ip route delete 10.244.2.0/24; wait_for 2; echo again
kill $script; wait $script; echo ended $?; shown; cat /proc/sys/net/ipv4/ip_forward
"""


def test_the_ways_to_pods_are_there_come_back_and_go() -> None:
    text = ROUTES.format(python=sys.executable, script=SCRIPTS / "pod_routes.py")
    done = subprocess.run([*apart(), "sh", "-c", text], capture_output=True, text=True, timeout=30)
    lines = [line.strip() for line in done.stdout.splitlines()]
    lines = [line for line in lines if not line.startswith("all routes")]
    assert lines == [
        "10.244.2.0/24 via 172.17.8.2 dev eth1",
        "10.244.3.0/24 via 172.17.8.3 dev eth1",
        "1",
        "again",
        "ended 0",
        "0",
    ], done.stderr


FORWARD = """
mount -t tmpfs none /run
ip link add eth1 type veth peer eth2 && ip addr add 172.17.8.1/24 dev eth1 && ip link set eth1 up && ip link set eth2 up
forward=/proc/sys/net/ipv4/ip_forward
begin() {{ {python} {script} 10.244.2.0/24=172.17.8.2 & script=$!; }}
trap 'kill $script 2>/dev/null' EXIT
led() {{ n=0; until ip route show proto 144 | grep -q via; do n=$((n+1)); [ $n -gt 100 ] && exit 9; sleep 0.1; done; }}
end() {{ kill -$1 $script; wait $script; ip route flush proto 144; cat $forward; }}
echo {before} > $forward
begin; led; end KILL
begin; led; end TERM
ls /run
"""


@pytest.mark.parametrize("before", ["0", "1"])
def test_a_machine_passes_on_packets_afterwards_if_it_did_before(before: str) -> None:
    text = FORWARD.format(python=sys.executable, script=SCRIPTS / "pod_routes.py", before=before)
    done = subprocess.run([*apart(), "sh", "-c", text], capture_output=True, text=True, timeout=60)
    lines = [line for line in done.stdout.splitlines() if not line.startswith("all routes")]
    assert lines == ["1", before], done.stderr
