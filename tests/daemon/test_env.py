"""The shell lines for the user's own tools."""

from __future__ import annotations

import subprocess

import pytest

from rwk_tui.board.board import Board
from rwk_tui.board.frames import Frame
from rwk_tui.board.rows import LabRow, UnitRow
from rwk_tui.daemon.client import DaemonError
from rwk_tui.daemon.env import env_lines

CERTIFICATES = (("ETCDCTL_CACERT", "/my pki/ca.crt"), ("ETCDCTL_CERT", "/c"), ("ETCDCTL_KEY", "/k"))


def board(
    *running: str, unit: str = "etcd", variables: tuple[tuple[str, str], ...] = (), secured: bool = False
) -> Board:
    scheme = "https://" if secured else ""
    lab = LabRow(
        seen_at=1.0,
        backend="local",
        engines="etcd 3.7.3",
        state="ready",
        reach=(("core-01", f"{scheme}127.1.8.101:2379"), ("core-02", f"{scheme}127.1.8.102:2379")),
        path=("/opt/my engines",),
        variables=variables,
    )
    made = Board()
    units = tuple(UnitRow(seen_at=1.0, machine=name, unit=unit, state="running") for name in running)
    stopped = UnitRow(seen_at=1.0, machine="core-03", unit="etcd", state="stopped")
    made.apply(Frame(seq=1, at=1.0, full=True, rows=(lab, stopped, *units)))
    return made


def test_only_members_that_run_are_endpoints_and_paths_are_quoted() -> None:
    assert env_lines(board("core-01")) == [
        "export ETCDCTL_ENDPOINTS=127.1.8.101:2379",
        "unset ETCDCTL_CACERT ETCDCTL_CERT ETCDCTL_KEY",
        "export PATH='/opt/my engines':\"$PATH\"",
    ]
    assert env_lines(board("core-01", "core-02"))[0].endswith("127.1.8.101:2379,127.1.8.102:2379")


def test_members_that_ask_for_certificates_are_shown_them() -> None:
    lines = env_lines(board("core-01", secured=True, variables=(*CERTIFICATES, ("KUBECONFIG", "/a"))))
    assert lines == [
        "export ETCDCTL_CACERT='/my pki/ca.crt'",
        "export ETCDCTL_CERT=/c",
        "export ETCDCTL_ENDPOINTS=https://127.1.8.101:2379",
        "export ETCDCTL_KEY=/k",
        "export KUBECONFIG=/a",
        "export PATH='/opt/my engines':\"$PATH\"",
    ]


def test_kubectl_works_while_etcd_is_down() -> None:
    lines = env_lines(board("core-01", unit="kube-apiserver", variables=(("KUBECONFIG", "/a"),)))
    assert "export KUBECONFIG=/a" in lines
    assert not any("ENDPOINTS" in line for line in lines)


@pytest.mark.process
def test_a_shell_that_had_certificates_before_forgets_them() -> None:
    script = "\n".join([*env_lines(board("core-01")), 'echo "${ETCDCTL_CERT-none} $ETCDCTL_ENDPOINTS"'])
    told = subprocess.run(
        ["/bin/sh", "-eu", "-c", script],
        env={"ETCDCTL_CERT": "/old", "PATH": "/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == "none 127.1.8.101:2379\n"


def test_without_etcd_there_is_a_clear_line() -> None:
    with pytest.raises(DaemonError, match="no etcd runs"):
        env_lines(board())
