"""A machine that was made anew tells the others its Ethernet address, in a network that exists only for this test."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest
from support.tools import unavailable

from rwk_tui.data import data_dir

pytestmark = pytest.mark.process

AGENT = data_dir("assets") / "machine" / "agent"
SCRIPT = """
import socket, subprocess, sys
sys.path.insert(0, sys.argv[1])
from neighbours import announce, instead_of
def ip(*words): subprocess.run(["ip", *words], check=True)
ip("link", "add", "ours", "type", "veth", "peer", "name", "theirs")
ip("address", "add", "10.9.9.1/24", "dev", "ours")
ip("link", "set", "ours", "up"); ip("link", "set", "theirs", "up")
ip("link", "set", "lo", "up")
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806)) as theirs:
    theirs.bind(("theirs", 0x0806))
    theirs.settimeout(5)
    print(announce("10.9.9.1"))
    frame = theirs.recv(100)
    mac = subprocess.check_output(["ip", "-brief", "link", "show", "ours"], text=True).split()[2]
    print(frame[0:6] == b"\\xff" * 6, frame[6:12].hex(":") == mac, frame[22:28].hex(":") == mac)
    print(socket.inet_ntoa(frame[28:32]), socket.inet_ntoa(frame[38:42]))
print(announce("10.9.9.2"), announce("127.0.0.1"), announce("nonsense"))
print(instead_of("10.9.9.1", 0), instead_of("127.0.0.5", 0), instead_of("10.9.9.2", 0.1), instead_of("nonsense", 0))
subprocess.Popen(["sh", "-c", "sleep 0.3; ip address add 10.9.9.3/24 dev theirs"])
print(instead_of("10.9.9.3", 30))
"""


def test_it_is_announced_where_it_is_and_nowhere_else() -> None:
    if sys.platform != "linux" or shutil.which("ip") is None or shutil.which("unshare") is None:
        unavailable("ip and unshare")
    argv = ["unshare", "--net", sys.executable, "-c", SCRIPT, str(AGENT)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30)
    assert done.stdout.splitlines() == [
        "True",
        "True True True",
        "10.9.9.1 10.9.9.1",
        "False False False",
        "None None ['10.9.9.1'] ['10.9.9.1']",
        "None",
    ], done.stderr
