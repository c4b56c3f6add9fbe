"""The controller manager and the scheduler as units: both work through their own machine's API server."""

from __future__ import annotations

from rwk_tui.cluster.kubernetes.timings import Timings, timings
from rwk_tui.cluster.kubernetes.units import (
    API_PORT,
    API_SERVER,
    CONTROLLER_MANAGER,
    CONTROLLER_MANAGER_PORT,
    SCHEDULER,
    SCHEDULER_PORT,
    program,
)
from rwk_tui.cluster.roles import place
from rwk_tui.lab.protocol import Listen, Machine, UnitSpec
from rwk_tui.settings import Settings


def own_api(machine: Machine) -> str:
    """The URL of the API server on that very machine."""
    host, port = machine.bind(API_PORT, public=True)
    return f"https://{host}:{port}"


def config_of(machine: Machine, unit: str) -> str:
    """The path of a unit's kubeconfig on its machine."""
    return f"{machine.data}/etc/kubernetes/{unit}.conf"


def controller_manager_spec(machine: Machine, settings: Settings, *, engine: str = "") -> UnitSpec:
    """The unit on that machine."""
    patience = timings(settings)
    argv = (
        *_common(machine, CONTROLLER_MANAGER, CONTROLLER_MANAGER_PORT, patience, engine),
        f"--root-ca-file={place(machine, 'kubernetes', 'ca.crt')}",
        f"--service-account-private-key-file={machine.data}/pki/service-accounts.key",
        "--use-service-account-credentials=true",
        f"--node-monitor-period={patience.monitor}s",
        f"--node-monitor-grace-period={patience.grace}s",
    )
    return _unit(CONTROLLER_MANAGER, argv, CONTROLLER_MANAGER_PORT)


def scheduler_spec(machine: Machine, settings: Settings, *, engine: str = "") -> UnitSpec:
    """The unit on that machine."""
    argv = _common(machine, SCHEDULER, SCHEDULER_PORT, timings(settings), engine)
    return _unit(SCHEDULER, argv, SCHEDULER_PORT)


def _unit(name: str, argv: tuple[str, ...], port: int) -> UnitSpec:
    return UnitSpec(name, argv, listens=(Listen(port, public=False, bound=True),), after=(API_SERVER,))


def _common(machine: Machine, unit: str, port: int, patience: Timings, engine: str) -> tuple[str, ...]:
    config = config_of(machine, unit)
    host, bound = machine.bind(port, public=False)
    return (
        program(unit, engine),
        f"--kubeconfig={config}",
        f"--authentication-kubeconfig={config}",
        f"--authorization-kubeconfig={config}",
        # Without this it ends when its API server is not there at its start, as after a power cut of both.
        "--authentication-skip-lookup=true",
        f"--bind-address={host}",
        f"--secure-port={bound}",
        "--leader-elect=true",
        f"--leader-elect-lease-duration={patience.lease:g}s",
        f"--leader-elect-renew-deadline={patience.renew:g}s",
        f"--leader-elect-retry-period={patience.retry:g}s",
    )
