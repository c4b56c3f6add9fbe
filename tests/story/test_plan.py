"""Previews: every step of our chapters shows its commands before anything runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from support.story_fakes import Stage, stage

from rwk_tui.board.rows import MemberRow, QuorumRow
from rwk_tui.cluster.etcd import Static, Style, member_spec
from rwk_tui.lab.protocol import UnitSpec, UnitStatus
from rwk_tui.settings import Settings
from rwk_tui.story.etcd_schema import (
    CertificatesShown,
    EtcdBackup,
    EtcdCertify,
    EtcdMember,
    EtcdMoveLeader,
    EtcdNew,
    EtcdRestore,
    EtcdRotate,
    EtcdSecure,
    EtcdSurvivor,
    EtcdUpgrade,
)
from rwk_tui.story.kube_schema import KubeApi, KubeControllers, KubeUpgrade, KubeWorker
from rwk_tui.story.load import load_chapters
from rwk_tui.story.plan import MACHINE_VERBS, UNIT_VERBS, commands, known_of, kube_engine, plan
from rwk_tui.story.schema import ACTIONS, CHECKS, Action, Check, Part
from rwk_tui.story.variables import NAMES, expand, unknown
from rwk_tui.watch.refusals import EtcdError

CHAPTER = """\
title: a
goal: b
steps:
  - title: One
    do:
      - inject: {fault: partition, target: core-01}
      - heal: all
      - until:
          unit: {on: core-01, state: stopped}
      - etcd-remove: {member: core-01, via: core-02}
"""


def demo(directory: Path) -> Stage:
    return stage(directory, CHAPTER)


def test_every_step_of_ours_has_a_preview(tmp_path: Path) -> None:
    context = demo(tmp_path).context
    for chapter in load_chapters(Settings(state=tmp_path, engine_cache=tmp_path)):
        for step in chapter.steps:
            lines = commands(step.do, context)
            assert lines, f"{chapter.name}: {step.title}"
            assert not [line for line in lines if "${" in line]


def test_where_members_ask_for_certificates_nothing_is_dialled_without(tmp_path: Path) -> None:
    context = demo(tmp_path).context
    secured = [one for one in load_chapters(Settings(state=tmp_path, engine_cache=tmp_path)) if one.starts.secured]
    assert len(secured) >= 9
    context.site.secure_next = True
    for chapter in secured:
        for step in chapter.steps:
            assert "http://" not in "\n".join(commands(step.do, context)), f"{chapter.name}: {step.title}"


def test_a_new_member_gets_its_certificates_first_where_members_ask_for_them(tmp_path: Path) -> None:
    context = demo(tmp_path).context
    new = Action(verb="etcd-new", what=EtcdNew(on="core-01"))
    assert commands((new,), context) == ("start etcd",)
    context.site.secure_next = True
    certificates, profile, start = commands((new,), context)
    assert (certificates.split(":")[0].startswith("# core-01 gets certificates"), start) == (True, "start etcd")
    assert profile.startswith("# core-01: the profile sets ETCDCTL_CACERT")


def of_kubernetes(directory: Path, *units: str, **engines: str) -> Stage:
    """A stage on which these units run on core-01 and core-02, the API servers from `engines`."""
    shown = demo(directory)
    for name in ("core_01", "core_02"):
        machine = shown.lab.stage[name.replace("_", "-")]
        for unit in units:
            spec = UnitSpec(unit, (f"{engines.get(name, 'kubernetes-1.36')}/{unit}",))
            machine.units[unit] = UnitStatus("running", spec=spec)
    return shown


async def test_new_units_are_of_the_engine_that_the_api_servers_run(tmp_path: Path) -> None:
    shown = of_kubernetes(tmp_path, "kube-apiserver")
    assert kube_engine(shown.context) == "", "nothing was looked at yet"
    await shown.context.site.look()
    assert kube_engine(shown.context) == "kubernetes-1.36"
    mixed = of_kubernetes(tmp_path, "kube-apiserver", core_02="kubernetes-1.37")
    mixed.context.site.engines_next = {"kubernetes": "kubernetes-1.36"}
    await mixed.context.site.look()
    assert kube_engine(mixed.context) == "kubernetes-1.36", "in the middle of an upgrade, as the chapter began"
    worker = commands((Action(verb="kube-worker", what=KubeWorker(on="core-03")),), mixed.context)
    assert worker[2].startswith("kubernetes-1.36/kubectl apply ")


async def test_new_members_are_of_the_engine_that_the_others_run(tmp_path: Path) -> None:
    shown = demo(tmp_path)
    secured = (("ETCD_CERT_FILE", "x"),)
    for name, engine in (("core-01", "etcd-3.6"), ("core-02", "etcd-3.6")):
        shown.lab.stage[name].units["etcd"] = UnitStatus("running", spec=UnitSpec("etcd", (f"{engine}/etcd",), secured))
    await shown.context.site.look()
    assert shown.context.site.style == Style(True, "etcd-3.6")


async def test_while_certificates_are_brought_in_each_member_is_spoken_to_as_it_asks(tmp_path: Path) -> None:
    shown = demo(tmp_path)
    for name, secured in (("core-01", False), ("core-02", True)):
        machine = shown.lab.stage[name]
        spec = member_spec(machine, shown.context.settings, Static({}), style=Style(secured))
        machine.units["etcd"] = UnitStatus("running", spec=spec)
    site = shown.context.site
    await site.look()
    shown.context.hub.publish(QuorumRow(seen_at=0, state="healthy", leader="core-01"))
    move = Action(verb="etcd-move-leader", what=EtcdMoveLeader(to="core-02"))
    promote = Action(verb="etcd-promote", what=EtcdMember(member="core-03", via="core-02"))
    backup = Action(verb="etcd-backup", what=EtcdBackup(via="core-01", name="b"))
    spoken = commands((move, promote, backup), shown.context)
    urls = [line.split("--endpoints=")[1].split()[0] for line in spoken if "--endpoints" in line]
    assert urls == ["http://10.0.0.1:2379", "https://10.0.0.2:2379", "http://10.0.0.1:2379"]
    assert expand("${core-01.client} ${core-02.client}", site) == "http://10.0.0.1:2379 https://10.0.0.2:2379"
    assert expand("${core-01.peer} ${core-02.peer}", site) == "http://10.0.0.1:2380 https://10.0.0.2:2380"
    assert expand("${core-02.plain} ${core-01.tls}", site) == "http://10.0.0.2:2379 https://10.0.0.1:2379"


async def test_the_canary_hears_of_backups_and_of_restores_before_anything_serves(tmp_path: Path) -> None:
    shown = demo(tmp_path)
    machine, noted = shown.lab.stage["core-01"], shown.watcher.canary.noted
    spec = member_spec(machine, shown.context.settings, Static({}))
    machine.units["etcd"] = UnitStatus("running", spec=spec)
    await shown.context.site.look()
    shown.lab.stage_desk.exactly = {"-w json": (0, '{"revision":120}')}

    async def never(_check: Check) -> None:
        return None

    async def act(what: Part, ops: int = 9) -> None:
        for op in plan(Action(verb="", what=what), shown.context, never)[:ops]:
            await op.run(lambda _stream, _text: None)

    await act(EtcdBackup(via="core-01", name="b"))
    assert noted == ["b holds all up to 120"]
    await act(EtcdRestore(on="core-01", name="b"), 1)
    await act(EtcdSurvivor(on="core-01"), 1)
    assert noted[1:] == ["restored from b", "a survivor goes on"]
    assert machine.done == []


def test_a_leader_that_leads_already_hands_over_to_nobody(tmp_path: Path) -> None:
    shown = demo(tmp_path)
    action = (Action(verb="etcd-move-leader", what=EtcdMoveLeader(to="core-02")),)
    assert commands(action, shown.context) == ()
    leads = QuorumRow(seen_at=0, state="healthy", leader="core-01")
    shown.context.hub.publish(leads)
    assert commands(action, shown.context) == ("etcdctl --endpoints=http://10.0.0.1:2379 move-leader <ID of core-02>",)


@pytest.mark.parametrize(
    ("action", "lines"),
    [
        (
            Action(verb="etcd-backup", what=EtcdBackup(via="core-01", name="b")),
            [
                "etcdctl --endpoints=http://10.0.0.1:2379 snapshot save /nowhere/b.db",
                "etcdutl snapshot status /nowhere/b.db -w table",
            ],
        ),
        (
            Action(verb="etcd-restore", what=EtcdRestore(on="core-01", name="b")),
            ["# core-01 gets the snapshot b.db", "etcdutl snapshot restore /nowhere/restore/b.db ", "start etcd"],
        ),
        (
            Action(verb="etcd-survivor", what=EtcdSurvivor(on="core-03")),
            [
                "restart etcd",
                "etcdctl --endpoints=http://10.0.0.3:2379 member list -w table",
                "restart etcd",
            ],
        ),
        (
            Action(verb="etcd-certify", what=EtcdCertify(on=("core-01", "core-02"))),
            [
                "# core-01 gets the authority's certificate and its own: as server, as peer, as client",
                "# core-01: the profile sets ETCDCTL_CACERT, ETCDCTL_CERT and ETCDCTL_KEY",
                "# core-02 gets the authority's certificate and its own: as server, as peer, as client",
                "# core-02: the profile sets ETCDCTL_CACERT, ETCDCTL_CERT and ETCDCTL_KEY",
                "# presenter: the profile sets ETCDCTL_CACERT, ETCDCTL_CERT and ETCDCTL_KEY",
            ],
        ),
        (Action(verb="etcd-secure", what=EtcdSecure(on="core-02", plain_text="allowed")), ["restart etcd"]),
        (
            Action(verb="etcd-secure", what=EtcdSecure(on="core-02", plain_text="refused")),
            [
                "etcdctl --endpoints=https://10.0.0.2:2379 member update <ID of core-02> --peer-urls=https://10.0.0.2:2380",
                "restart etcd",
            ],
        ),
        (
            Action(verb="etcd-rotate", what=EtcdRotate(on="core-01")),
            ["# core-01 gets new certificates in the place of the old: as server, as peer, as client"],
        ),
        (
            Action(verb="show-certificates", what=CertificatesShown(on=("core-01", "core-02"))),
            ["# which certificates core-01, core-02 show to new connections"],
        ),
        (Action(verb="etcd-upgrade", what=EtcdUpgrade(on="core-01", to="etcd-3.7")), ["restart etcd"]),
        (
            Action(
                verb="kube-upgrade", what=KubeUpgrade(on="core-01", units=("kube-scheduler",), to="kubernetes-1.37")
            ),
            ["restart kube-scheduler"],
        ),
        (
            Action(verb="kube-controllers", what=KubeControllers(on="core-02")),
            ["# core-02 gets certificates", "start kube-controller-manager", "start kube-scheduler"],
        ),
        (
            Action(verb="kube-api", what=KubeApi(on="core-01")),
            ["# core-01 gets certificates", "start kube-apiserver", "# presenter: the profile sets KUBECONFIG"],
        ),
    ],
    ids=lambda value: value.verb if isinstance(value, Action) else "",
)
def test_the_commands_of_each_new_action(action: Action, lines: list[str], tmp_path: Path) -> None:
    shown = commands((action,), demo(tmp_path).context)
    assert len(shown) == len(lines)
    assert all(line.startswith(start) for line, start in zip(shown, lines, strict=True)), shown


def test_every_action_of_ours_has_a_plan(tmp_path: Path) -> None:
    """Each verb that a chapter may use is used by one of ours, so each has a preview above; but for these."""
    used = {
        action.verb
        for chapter in load_chapters(Settings(state=tmp_path, engine_cache=tmp_path))
        for step in chapter.steps
        for action in (*step.do, *step.undo)
    }
    assert set(ACTIONS) - used <= {"pause-unit", "resume-unit", "restart-unit", "inject", "heal"}


def test_every_machine_and_unit_verb_has_an_operation() -> None:
    assert {verb for verb in ACTIONS if verb.endswith(("-machine", "-power"))} == set(MACHINE_VERBS)
    assert {verb for verb in ACTIONS if verb.endswith("-unit")} == set(UNIT_VERBS)
    assert "members" in CHECKS


def test_a_preview_shows_the_id_once_the_board_knows_it(tmp_path: Path) -> None:
    shown = demo(tmp_path)
    action = shown.director._shelf.named("demo").steps[0].do
    assert commands(action, shown.context)[-1].endswith("member remove <ID of core-01>")
    row = MemberRow(seen_at=0, id="8e9e", name="core-01", machine="core-01", role="leader", health="healthy", since=0.0)
    shown.context.hub.publish(row)
    assert commands(action, shown.context)[-1].endswith("member remove 8e9e")


async def test_faults_and_waits_are_told_but_have_nothing_to_type(tmp_path: Path) -> None:
    shown = demo(tmp_path)
    waited: list[str] = []

    async def wait(check: Check) -> None:
        waited.append(check.text)

    notes: list[str] = []
    for action in shown.director._shelf.named("demo").steps[0].do[:3]:
        for op in plan(action, shown.context, wait):
            assert op.command() == ""
            await op.run(lambda _stream, text: notes.append(text))
    assert shown.faults.asked == ["inject partition core-01", "heal all"]
    assert waited == ["etcd on core-01 is stopped"]
    assert notes == ["fault: partition core-01", "heal: all", "waiting: etcd on core-01 is stopped"]


def test_variables_stand_for_addresses_of_this_lab(tmp_path: Path) -> None:
    lab = demo(tmp_path).context.site
    assert expand("${core-02.client} ${core-02.peer}", lab) == "http://10.0.0.2:2379 http://10.0.0.2:2380"
    assert expand("${core-01.local} ${core-01.data}", lab) == "http://localhost:2379 /nowhere"
    assert expand("${all.client}", lab) == "http://10.0.0.1:2379,http://10.0.0.2:2379,http://10.0.0.3:2379"
    for name in NAMES:
        assert unknown(f"${{{name}}}") == ""
        assert "${" not in expand(f"${{{name}}}", lab)
    assert "did you mean ${core-01.client}" in unknown("${core-01.cliet}")


def test_an_action_without_a_plan_is_a_mistake_that_shows(tmp_path: Path) -> None:
    from rwk_tui.lab.protocol import LabError
    from rwk_tui.story.schema import Starts

    async def wait(_check: Check) -> None:
        return None

    with pytest.raises(LabError, match="no plan"):
        plan(Action(verb="dance", what=Starts()), demo(tmp_path).context, wait)


class Reluctant:
    """A member that doesn't answer the first times."""

    def __init__(self, refusals: int) -> None:
        self.left = refusals

    async def members(self, *, timeout: float = 1.0) -> tuple[()]:
        if self.left:
            self.left -= 1
            raise EtcdError("no connection to core-02", definite=True)
        return ()

    async def close(self) -> None:
        return None


async def test_a_member_list_is_asked_for_again_for_a_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    play = demo(tmp_path)
    member = Reluctant(2)
    context = replace(play.context, connect=lambda *_: member)  # type: ignore[arg-type]
    live = known_of(context).live
    assert await live(play.lab.machines["core-02"]) == []
    monkeypatch.setattr("rwk_tui.story.plan.ANSWERS_WITHIN", 0.3)
    member.left = 99
    with pytest.raises(EtcdError, match="no connection to core-02"):
        await live(play.lab.machines["core-02"])
    assert member.left < 98, "it was asked more than once"
