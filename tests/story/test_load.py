"""Chapters that can't be used are refused in one line with file, line and place."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from rwk_tui.settings import BadInput, Settings
from rwk_tui.story.load import LARGEST, load_chapter, load_chapters
from rwk_tui.story.schema import ACTIONS, Leader, Members, Run

GOOD = """\
title: A title
goal: A goal
steps:
  - title: One
    say: Hello
    do:
      - run: {on: core-01, command: "echo ${core-02.client}"}
    expect:
      - leader: core-01
      - members: {voters: [core-01]}
        within: 3
"""
LINE_OF_RUN = 7
RUN = 'run: {on: core-01, command: "echo ${core-02.client}"}'
WITH_API = "starts:\n  etcd: [core-01]\n  secured: true\n  api: [core-01]"

BAD = {
    "empty": ("", 1, "chapter: the file is empty"),
    "only a comment": ("# nothing\n", 1, "chapter: the file is empty"),
    "null": ("~\n", 1, "chapter: the file is empty"),
    "not a mapping": ("- a\n", 1, "chapter: must be a mapping, not a list"),
    "tab": (GOOD.replace("    say", "\tsay"), 5, "chapter: a tab in the indentation: use spaces"),
    "syntax": (GOOD.replace("title: One", "title: [One"), 5, "chapter: not YAML: "),
    "no such character": ('title: "\\UFFFFFFFF"\n', 1, "chapter: not YAML: an escape that stands for no character"),
    "a step without a name": (GOOD.replace("title: One", 'title: " "'), 4, "steps.1.title: is empty"),
    "half a character": (
        GOOD.replace("say: Hello", 'say: "\\ud800"'),
        5,
        "steps.1.say: an escape that stands for no character",
    ),
    "a key of two lines": ('title: a\n"a\\nb": c\n', 2, "chapter: a key must be a plain word"),
    "nobody to act on": (
        GOOD.replace('run: {on: core-01, command: "echo ${core-02.client}"}', "etcd-bootstrap: []"),
        7,
        "steps.1.do.1.etcd-bootstrap.on: is empty",
    ),
    "nothing to look for": (
        GOOD.replace("leader: core-01", 'output: ""'),
        9,
        "steps.1.expect.1.output.contains: is empty",
    ),
    "no hosts to compare": (
        GOOD.replace("leader: core-01", "hashes: []"),
        9,
        "steps.1.expect.1.hashes.equal: is empty",
    ),
    "a unit outside": (
        GOOD.replace('run: {on: core-01, command: "echo ${core-02.client}"}', "stop-unit: {on: core-01, unit: ../x}"),
        7,
        "steps.1.do.1.stop-unit.unit: '../x' can't be the name of a unit",
    ),
    "no such fault": (
        GOOD.replace('run: {on: core-01, command: "echo ${core-02.client}"}', "inject: {fault: melt, target: core-01}"),
        7,
        "steps.1.do.1.inject.fault: there is no fault 'melt'; there are: kill-unit, ",
    ),
    "a fault that hits nobody": (
        GOOD.replace(
            'run: {on: core-01, command: "echo ${core-02.client}"}', "inject: {fault: power-cut, target: core-9}"
        ),
        7,
        "steps.1.do.1.inject.target: there is no machine 'core-9'",
    ),
    "a fault that must be confirmed": (
        GOOD.replace(
            'run: {on: core-01, command: "echo ${core-02.client}"}', "inject: {fault: destroy, target: core-01}"
        ),
        7,
        "steps.1.do.1.inject.confirm: must be 'core-01'",
    ),
    "a survivor that is no machine": (
        GOOD.replace(RUN, "etcd-survivor: core-9"),
        7,
        "steps.1.do.1.etcd-survivor: 'core-9' can't stand here",
    ),
    "plain text, perhaps": (
        GOOD.replace(RUN, "etcd-secure: {on: core-01, plain_text: maybe}"),
        7,
        "steps.1.do.1.etcd-secure.plain_text: 'maybe' can't stand here",
    ),
    "no word on plain text": (
        GOOD.replace(RUN, "etcd-secure: core-01"),
        7,
        "steps.1.do.1.etcd-secure",
    ),
    "an aftermath of a backup outside": (
        GOOD.replace("leader: core-01", "aftermath: ../x"),
        9,
        "steps.1.expect.1.aftermath.backup: '../x' can't be the name of a backup",
    ),
    "certificates of nobody": (
        GOOD.replace(RUN, "etcd-rotate: []"),
        7,
        "steps.1.do.1.etcd-rotate.on: is empty",
    ),
    "an endless wait": (
        GOOD.replace("within: 3", "within: 1e400"),
        11,
        "steps.1.expect.2.within: must be a number of ",
    ),
    "a member named twice": (
        GOOD.replace("steps:", "starts: {etcd: [core-01, core-01]}\nsteps:"),
        3,
        "starts.etcd: a machine is named twice",
    ),
    "control character": ("title: \x01\n", 1, "chapter: not YAML: "),
    "unknown action": (
        GOOD.replace("- run:", "- rum:"),
        7,
        "steps.1.do.1.rum: unknown action 'rum', did you mean 'run'?",
    ),
    "unknown action, nothing like it": (
        GOOD.replace("- run:", "- xyzzy:"),
        7,
        "steps.1.do.1.xyzzy: unknown action 'xyzzy'; there are: run, ",
    ),
    "unknown check": (
        GOOD.replace("- leader:", "- leeder:"),
        9,
        "steps.1.expect.1.leeder: unknown check 'leeder', did you mean 'leader'?",
    ),
    "missing machine": (GOOD.replace("on: core-01, ", ""), 7, "steps.1.do.1.run: 'on' is missing"),
    "no such machine": (
        GOOD.replace("on: core-01", "on: core-09"),
        7,
        "steps.1.do.1.run.on: 'core-09' can't stand here; the machines are core-01, core-02, core-03",
    ),
    "no such machine in a list": (
        GOOD.replace("voters: [core-01]", "voters: [core-01, core-07]"),
        10,
        "steps.1.expect.2.members.voters.2: 'core-07' can't stand here; the machines are core-01",
    ),
    "wrong type": (GOOD.replace("say: Hello", "say: 3"), 5, "steps.1.say: must be text, not a whole number"),
    "steps not a list": ("title: a\ngoal: b\nsteps: 3\n", 3, "steps: must be a list, not a whole number"),
    "no steps": ("title: a\ngoal: b\nsteps: []\n", 3, "steps: a chapter needs at least one step"),
    "no title": ("goal: b\nsteps: []\n", 1, "chapter: 'title' is missing"),
    "unknown field": (
        GOOD.replace("say: Hello", "sey: Hello"),
        5,
        "steps.1.sey: unknown field 'sey', did you mean 'say'?",
    ),
    "duplicate key": (GOOD.replace("goal: A goal", "title: twice"), 2, "chapter: 'title' is given twice"),
    "duplicate key inside": (
        GOOD.replace("    say: Hello", "    title: Two"),
        5,
        "steps.1: 'title' is given twice",
    ),
    "anchor": (GOOD.replace("say: Hello", "say: &a Hello"), 5, "steps.1.say: an anchor (&a)"),
    "alias": (GOOD.replace("say: Hello", "say: *a"), 5, "steps.1.say: an alias (*a)"),
    "tag": (GOOD.replace("say: Hello", "say: !!python/name:os.system x"), 5, "steps.1.say: a tag "),
    "merge key": (GOOD.replace("say: Hello", "<<: {say: x}"), 5, "steps.1.<<: unknown field '<<'"),
    "two documents": (GOOD + "---\n" + GOOD, 12, "chapter: a second document"),
    "unknown variable": (
        GOOD.replace("${core-02.client}", "${core-02.clinet}"),
        7,
        "steps.1.do.1.run.command: unknown variable ${core-02.clinet}, did you mean ${core-02.client}?",
    ),
    "unclosed variable": (GOOD.replace("client}", "client"), 7, "steps.1.do.1.run.command: a variable without"),
    "unclosed quote": (GOOD.replace('"echo ', "\"echo 'a "), 7, "steps.1.do.1.run.command: no closing quotation"),
    "empty command": (GOOD.replace('"echo ${core-02.client}"', '""'), 7, "steps.1.do.1.run.command: the command is"),
    "fields by name": (
        GOOD.replace("{on: core-01, command: ", "[").replace('client}"}', 'client}"]'),
        7,
        "steps.1.do.1",
    ),
    "deadline of zero": (GOOD.replace("within: 3", "within: 0"), 11, "steps.1.expect.2.within: must be a number"),
    "check says nothing": (GOOD.replace("leader: core-01", "gap: {}"), 9, "steps.1.expect.1.gap: says nothing"),
    "bad needs": (GOOD.replace("say: Hello", "needs: kubernetes"), 5, "steps.1.needs: 'kubernetes' is not like"),
    "two verbs in one": (
        GOOD.replace("- leader: core-01", "- leader: core-01\n        quorum: lost"),
        9,
        "steps.1.expect.1: one word",
    ),
    "deep": ("a: " + "[" * 5000, 1, "chapter: nested deeper than"),
    "member on a machine that is off": (
        GOOD.replace("steps:", "starts: {machines: [core-01], etcd: [core-02]}\nsteps:"),
        3,
        "starts.etcd: core-02 is named but",
    ),
    "API servers on plain members": (
        GOOD.replace("steps:", "starts: {etcd: [core-01], api: [core-01]}\nsteps:"),
        3,
        "starts.api: an API server needs etcd members that are open to all and `secured: true`",
    ),
    "API servers without members": (
        GOOD.replace("steps:", "starts: {secured: true, api: [core-01]}\nsteps:"),
        3,
        "starts.api: an API server needs etcd members",
    ),
    "API servers on a member that keeps to itself": (
        GOOD.replace("steps:", "starts: {etcd: [core-01], secured: true, listen: localhost, api: [core-01]}\nsteps:"),
        3,
        "starts.api: an API server needs etcd members that are open to all",
    ),
    "an API server on a machine that is off": (
        GOOD.replace(
            "steps:",
            "starts:\n  machines: [core-01]\n  etcd: [core-01]\n  secured: true\n  api: [core-01, core-02]\nsteps:",
        ),
        7,
        "starts.api: core-02 is named but not among the machines that are up",
    ),
    "controllers on a machine that is off": (
        GOOD.replace("steps:", f"{WITH_API}\n  machines: [core-01]\n  controllers: [core-03]\nsteps:"),
        8,
        "starts.controllers: core-03 is named but not among the machines that are up",
    ),
    "a worker on a machine that is off": (
        GOOD.replace("steps:", f"{WITH_API}\n  machines: [core-01]\n  workers: [core-03]\nsteps:"),
        8,
        "starts.workers: core-03 is named but",
    ),
    "a worker named twice": (
        GOOD.replace("steps:", f"{WITH_API}\n  workers: [core-02, core-02]\nsteps:"),
        7,
        "starts.workers: a machine is named twice",
    ),
    "controllers without an API server": (
        GOOD.replace("steps:", f"{WITH_API}\n  controllers: [core-02]\nsteps:"),
        7,
        "starts.controllers: core-02 has no API server of its own to work through",
    ),
    "controllers without any API server": (
        GOOD.replace("steps:", "starts: {controllers: [core-01]}\nsteps:"),
        3,
        "starts.controllers: that needs an API server (`api`)",
    ),
    "workers without an API server": (
        GOOD.replace("steps:", "starts: {etcd: [core-01], secured: true, workers: [core-02]}\nsteps:"),
        3,
        "starts.workers: that needs an API server (`api`)",
    ),
    "deployments without an API server": (
        GOOD.replace("steps:", "starts:\n  deployments: {web: 1}\nsteps:"),
        4,
        "starts.deployments: that needs an API server (`api`)",
    ),
    "a deployment that can't have that name": (
        GOOD.replace("steps:", f"{WITH_API}\n  deployments: {{Web_1: 1}}\nsteps:"),
        7,
        "starts.deployments.Web_1: 'Web_1' can't be the name of a deployment",
    ),
    "fewer pods than none": (
        GOOD.replace("steps:", f"{WITH_API}\n  deployments:\n    web: -1\nsteps:"),
        8,
        "starts.deployments.web: must be a number of pods from 0 to 1000",
    ),
    "pods by halves": (
        GOOD.replace("steps:", f"{WITH_API}\n  deployments: {{web: 1.5}}\nsteps:"),
        7,
        "starts.deployments",
    ),
    "an engine that nobody knows": (
        GOOD.replace("steps:", "starts: {engines: [etcd-2.3]}\nsteps:"),
        3,
        "starts.engines: there is no engine 'etcd-2.3'; there are: etcd-3.7, etcd-3.6, kubernetes-1.37, ",
    ),
    "an engine in two versions": (
        GOOD.replace("steps:", "starts: {engines: [etcd-3.6, etcd-3.7]}\nsteps:"),
        3,
        "starts.engines: etcd is named twice",
    ),
    "an upgrade to nothing known": (
        GOOD.replace(RUN, "etcd-upgrade: {on: core-01, to: etcd-9.9}"),
        7,
        "steps.1.do.1.etcd-upgrade.to: there is no engine 'etcd-9.9'; there are: etcd-3.7, ",
    ),
    "an upgrade of etcd to Kubernetes": (
        GOOD.replace(RUN, "etcd-upgrade: {on: core-01, to: kubernetes-1.37}"),
        7,
        "steps.1.do.1.etcd-upgrade.to: 'kubernetes-1.37' is no engine of etcd",
    ),
    "an upgrade of Kubernetes to etcd": (
        GOOD.replace(RUN, "kube-upgrade: {on: core-01, units: kubelet, to: etcd-3.7}"),
        7,
        "steps.1.do.1.kube-upgrade.to: 'etcd-3.7' is no engine of kubernetes",
    ),
    "an upgrade of no unit": (
        GOOD.replace(RUN, "kube-upgrade: {on: core-01, units: [], to: kubernetes-1.37}"),
        7,
        "steps.1.do.1.kube-upgrade.units: is empty",
    ),
    "an upgrade of a unit that is none of Kubernetes": (
        GOOD.replace(RUN, "kube-upgrade: {on: core-01, units: etcd, to: kubernetes-1.37}"),
        7,
        "steps.1.do.1.kube-upgrade.units: 'etcd' can't stand here",
    ),
    "a worker nowhere": (GOOD.replace(RUN, "kube-worker: []"), 7, "steps.1.do.1.kube-worker.on: is empty"),
    "an API server on two machines at once": (
        GOOD.replace(RUN, "kube-api: [core-01, core-02]"),
        7,
        "steps.1.do.1.kube-api: must be text, not a list",
    ),
    "a backup outside": (
        GOOD.replace(RUN, "etcd-backup: {via: core-01, name: ../x}"),
        7,
        "steps.1.do.1.etcd-backup.name: '../x' can't be the name of a backup",
    ),
    "a restore from outside": (
        GOOD.replace(RUN, "etcd-restore: {on: core-01, name: /etc/passwd}"),
        7,
        "steps.1.do.1.etcd-restore.name: '/etc/passwd' can't be the name of a backup",
    ),
    "a restore of nobody": (
        GOOD.replace(RUN, "etcd-restore: {on: [], name: x}"),
        7,
        "steps.1.do.1.etcd-restore.on: is empty",
    ),
    "nodes that say nothing": (GOOD.replace("leader: core-01", "nodes: {}"), 9, "steps.1.expect.1.nodes: says nothing"),
    "a lease that there is not": (
        GOOD.replace("leader: core-01", "lease: {name: kubelet}"),
        9,
        "steps.1.expect.1.lease.name: 'kubelet' can't stand here",
    ),
    "a state that no API server has": (
        GOOD.replace("leader: core-01", "api: {on: core-01, state: dead}"),
        9,
        "steps.1.expect.1.api.state: 'dead' can't stand here",
    ),
    "pods of nobody": (GOOD.replace("leader: core-01", "pods: {running: 1}"), 9, "steps.1.expect.1.pods: 'of' is"),
    "localhost for several": (
        GOOD.replace("steps:", "starts: {etcd: [core-01, core-02], listen: localhost}\nsteps:"),
        3,
        "starts.listen: only a single member",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_chapter_is_one_line_with_its_place(case: str, tmp_path: Path) -> None:
    text, line, what = BAD[case]
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(BadInput) as error:
        load_chapter(path)
    assert str(error.value).startswith(f"{path}:{line}: {what}")
    assert "\n" not in str(error.value)


def test_a_huge_file_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "huge.yaml"
    path.write_bytes(b"a: " + b"x" * 10_000_000)
    started = time.process_time()
    with pytest.raises(BadInput, match=re.escape(f"{path}:1: file: larger than {LARGEST // 1024} KiB")):
        load_chapter(path)
    assert time.process_time() - started < 0.5


def test_a_file_just_below_the_limit_takes_no_time_to_refuse(tmp_path: Path) -> None:
    path = tmp_path / "nested.yaml"
    path.write_text("[" * (LARGEST - 10))
    started = time.process_time()
    with pytest.raises(BadInput, match="nested deeper"):
        load_chapter(path)
    assert time.process_time() - started < 2.0


def test_not_text_and_not_there(tmp_path: Path) -> None:
    path = tmp_path / "binary.yaml"
    path.write_bytes(b"title: a\nb: \xff\xfe")
    with pytest.raises(BadInput, match=re.escape(f"{path}:2: file: not UTF-8")):
        load_chapter(path)
    with pytest.raises(BadInput, match="No such file"):
        load_chapter(tmp_path / "missing.yaml")
    with pytest.raises(BadInput, match="directory"):
        load_chapter(tmp_path)


def test_a_good_chapter_is_typed(tmp_path: Path) -> None:
    path = tmp_path / "demo.yaml"
    path.write_text(GOOD)
    chapter = load_chapter(path)
    assert (chapter.name, chapter.title, chapter.goal) == ("demo", "A title", "A goal")
    step = chapter.steps[0]
    assert step.do[0].what == Run(on="core-01", command="echo ${core-02.client}")
    assert [check.what for check in step.expect] == [Leader(who="core-01"), Members(voters=("core-01",))]
    assert [check.text for check in step.expect] == ["core-01 leads", "core-01 votes"]
    assert step.expect[1].within == 3.0


def test_on_is_a_word_and_not_true(tmp_path: Path) -> None:
    path = tmp_path / "demo.yaml"
    path.write_text(GOOD.replace("- leader: core-01", "- machine:\n          on: core-01\n          power: off"))
    assert load_chapter(path).steps[0].expect[0].what.power == "off"


def test_our_own_chapters_are_all_there_and_teach(tmp_path: Path) -> None:
    chapters = load_chapters(Settings(state=tmp_path, engine_cache=tmp_path))
    assert [chapter.name for chapter in chapters] == [
        "01-hosts",
        "02-etcd-single",
        "03-etcd-clustering",
        "04-machine-failure",
        "05-bootstrap",
        "06-disaster-recovery",
        "07-secure-etcd",
        "08-api-server",
        "09-api-under-etcd-partition",
        "10-api-data-loss",
        "11-workers",
        "12-worker-failure",
        "13-ha-api",
        "14-ha-control-plane",
        "15-cleanup",
        "16-upgrade",
    ]
    for chapter in chapters:
        for step in chapter.steps:
            assert step.say, f"{chapter.name}: {step.title} says nothing"
            assert step.expect, f"{chapter.name}: {step.title} expects nothing"
            assert {action.verb for action in step.do} <= set(ACTIONS)


def test_own_chapters_join_ours_and_win_by_name(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "01-hosts.yaml").write_text(GOOD)
    (own / "99-mine.yaml").write_text(GOOD)
    (own / "notes.txt").write_text("not a chapter")
    chapters = load_chapters(Settings(state=tmp_path, engine_cache=tmp_path, scenarios=own))
    by_name = {chapter.name: chapter.title for chapter in chapters}
    assert by_name["01-hosts"] == by_name["99-mine"] == "A title"
    assert len(chapters) == 17
    with pytest.raises(BadInput, match="not a directory"):
        load_chapters(Settings(state=tmp_path, engine_cache=tmp_path, scenarios=own / "notes.txt"))


def test_a_start_with_kubernetes_is_typed(tmp_path: Path) -> None:
    path = tmp_path / "demo.yaml"
    more = "  controllers: []\n  workers: [core-02]\n  deployments: {web: 3}\n  engines: [kubernetes-1.36]"
    path.write_text(GOOD.replace("steps:", f"{WITH_API}\n{more}\nsteps:"))
    starts = load_chapter(path).starts
    assert (starts.api, starts.controllers, starts.workers) == (("core-01",), (), ("core-02",))
    assert starts.deployments == {"web": 3}
    assert (starts.engine("kubernetes"), starts.engine("etcd")) == ("kubernetes-1.36", "")
