"""What our control plane is compared with: a plain script that starts the same binaries, and kwokctl."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from harness import SUBNET
from kube_judge import Door, Ready, until_ready
from lab import bench_settings

from rwk_tui.cluster import roles
from rwk_tui.cluster.etcd import UNIT, Static, Style, member_spec, peer_url
from rwk_tui.cluster.files import PutOp
from rwk_tui.cluster.kubernetes.api_server import api_server_spec
from rwk_tui.cluster.kubernetes.controllers import controller_manager_spec, scheduler_spec
from rwk_tui.cluster.kubernetes.setup import api_server, controllers, secure_member
from rwk_tui.cluster.pki import Pki
from rwk_tui.cluster.site import Site
from rwk_tui.engines.sets import EngineSet
from rwk_tui.lab.open import open_lab
from rwk_tui.lab.protocol import UnitSpec

KWOKCTL_PORT = 16443


@dataclass(frozen=True, slots=True)
class Script:
    """Four programs with their flags and files, made beforehand, to be started at once."""

    directory: Path
    pki: Path
    programs: tuple[tuple[tuple[str, ...], Mapping[str, str]], ...]

    def run(self, *, at_once: bool) -> Ready:
        """Start them on an empty etcd, wait, end them; the controllers with the rest, or when the API is ready."""
        shutil.rmtree(self.directory / UNIT, ignore_errors=True)
        started = time.monotonic()
        running = [self._start(*one) for one in (self.programs if at_once else self.programs[:2])]

        def dead() -> str:
            return ", ".join(f"{one.args!r} ended" for one in running if one.poll() is not None)

        def more() -> None:
            running.extend(self._start(*one) for one in self.programs[len(running) :])

        try:
            return until_ready(Door(f"127.0.{SUBNET}.101", 6443, self.pki), started, alive=dead, then=more)
        finally:
            for one in running:
                one.kill()
            for one in running:
                one.wait()

    def _start(self, argv: tuple[str, ...], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        with (self.directory / f"{Path(argv[0]).name}.log").open("wb") as log:
            return subprocess.Popen(argv, cwd=self.directory, env={**os.environ, **environment}, stdout=log, stderr=log)


async def write_script(root: Path, engines: EngineSet) -> Script:
    """Let our lab make certificates and files for one machine, and take its programs' flags."""
    settings = bench_settings(root, SUBNET)
    lab = open_lab(settings, engines.programs)
    site = Site(lab, Pki(root / "pki"), engines.versions, secure_next=True)
    machine = lab.machines["core-01"]
    await lab.up()
    try:
        ops = (*secure_member(machine, site), *api_server(machine, site, settings))
        for op in (*ops, *controllers(machine, site, settings)):
            if isinstance(op, PutOp):
                await op.run(lambda _stream, _text: None)
        await asyncio.to_thread(roles.access, site.pki, roles.ADMIN)
    finally:
        await lab.down()
    alone = Static({machine.name: peer_url(machine, scheme="https")})
    specs = (
        member_spec(machine, settings, alone, style=Style(secured=True)),
        api_server_spec(machine, settings, [machine]),
        controller_manager_spec(machine, settings),
        scheduler_spec(machine, settings),
    )
    programs = tuple(_bare(spec, engines) for spec in specs)
    for config in (Path(machine.data) / "etc" / "kubernetes").glob("*.conf"):
        config.write_text(_one_address(config.read_text()))
    return Script(Path(machine.data), site.pki.directory / "kubernetes", programs)


def _bare(spec: UnitSpec, engines: EngineSet) -> tuple[tuple[str, ...], Mapping[str, str]]:
    """Its command line without our link proxies: the machine has one address, that which others know it by."""
    argv = (str(engines.programs[spec.argv[0]]), *map(_one_address, spec.argv[1:]))
    return argv, {name: _one_address(value) for name, value in spec.environment}


def _one_address(text: str) -> str:
    for net in (1, 2):
        text = text.replace(f"//127.{net}.{SUBNET}.", f"//127.0.{SUBNET}.")
        text = text.replace(f"=127.{net}.{SUBNET}.", f"=127.0.{SUBNET}.")
    return ",".join(dict.fromkeys(text.split(",")))


def kwokctl() -> Path | None:
    """The anchor's program, from $KWOKCTL or PATH."""
    found = os.environ.get("KWOKCTL") or shutil.which("kwokctl")
    return Path(found) if found else None


def run_kwokctl(program: Path, root: Path, engines: EngineSet) -> tuple[float, Ready]:
    """Seconds that `kwokctl create cluster --wait` takes with the same binaries, and what the judge says meanwhile."""
    path = f"{engines.programs['kubectl'].parent}:{os.environ['PATH']}"
    own = {"KWOK_WORKDIR": str(root), "HOME": str(root), "KUBECONFIG": str(root / "config"), "PATH": path}
    environment = {**os.environ, **own}
    names = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
    flags = [f"--{name}-binary={engines.programs[name]}" for name in names]
    flags += [f"--kwok-controller-binary={engines.programs['kwok']}", f"--kube-apiserver-port={KWOKCTL_PORT}"]
    argv = [str(program), "create", "cluster", "--name=bench", "--runtime=binary", "--wait=60s", *flags]
    door = Door("127.0.0.1", KWOKCTL_PORT, root / "clusters" / "bench" / "pki")
    started = time.monotonic()
    try:
        with ThreadPoolExecutor() as pool:
            judged = pool.submit(until_ready, door, started)
            done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=90, check=False)
            took = time.monotonic() - started
            if done.returncode != 0:
                raise SystemExit(f"kwokctl ended with {done.returncode}: {done.stderr[-400:]}")
            return took, judged.result()
    finally:
        gone = [str(program), "delete", "cluster", "--name=bench"]
        subprocess.run(gone, env=environment, capture_output=True, timeout=60, check=False)
        shutil.rmtree(root, ignore_errors=True)
