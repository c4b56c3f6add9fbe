"""What the Kubernetes pane, and all that tells of Kubernetes elsewhere, shows of a board."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from support import cockpit_frames, cockpit_kube_frames
from support.cockpit_frames import NOW, Scene
from support.cockpit_kube_frames import (
    KUBE_SCENES,
    crowd,
    healthy,
    kube,
    node,
    pod,
    silent_worker,
    skew,
    stale_kube,
    unready,
    worker_lost,
)

from rwk_tui.board.board import Board
from rwk_tui.board.frames import Frame
from rwk_tui.board.kube_rows import PodRow
from rwk_tui.cockpit import marks
from rwk_tui.cockpit.remembered import Remembered, pod_tally
from rwk_tui.cockpit.text import Line, plain, width_of
from rwk_tui.cockpit.views import availability, kube_lines, kubernetes, machines, pulse


def board_of(scene: Scene) -> Board:
    board = Board()
    board.apply(scene.frame())
    return board


def shown(scene: Scene, width: int = 88) -> list[str]:
    view = kubernetes.kubernetes_view(board_of(scene), NOW)
    return [view.title, *(plain(each).rstrip() for each in kube_lines.kubernetes_lines(view, width))]


def line_of(lines: Sequence[str], begin: str) -> str:
    return next(each for each in lines if each.startswith(begin))


def text(lines: Sequence[Line]) -> str:
    return "\n".join(plain(each).rstrip() for each in lines)


def test_the_title_says_how_all_of_it_is() -> None:
    assert shown(healthy())[0] == "Kubernetes 1.37.2 · api ready · 2 of 2 nodes ready · 10 of 10 pods running"
    assert shown(worker_lost())[0] == "Kubernetes 1.37.2 · api ready · 1 of 2 nodes ready · 8 of 10 pods running"


def test_a_node_is_one_line_with_its_pods_as_cells_and_words() -> None:
    lines = shown(worker_lost())
    assert line_of(lines, "core-02") == "core-02 ● ready         ■■■■■■■■ 8 running  ◧◧ 2 starting"
    assert line_of(lines, "core-03") == "core-03 ? unknown 24 s  □□□□□ 5 terminating  unreachable:NoExecute"


def test_every_state_of_a_pod_has_its_glyph_and_its_word() -> None:
    scene = healthy().with_rows(*(pod(100 + at, "core-02", state) for at, state in enumerate(marks.POD) if at != 1))
    line = line_of(shown(scene, 200), "core-02")
    for state, mark in marks.POD.items():
        if state != "not ready":
            assert mark.glyph in line, state
            assert mark.word in line, state
    assert len({mark.glyph for mark in marks.POD.values()}) == len(marks.POD)


def test_pods_of_a_lost_node_are_not_shown_as_running() -> None:
    lines = shown(silent_worker())
    assert "5 of 10 pods running" in lines[0]
    assert "▣▣▣▣▣ 5 not ready" in line_of(lines, "core-03")


def test_cells_that_do_not_fit_become_a_number() -> None:
    scene = healthy().with_rows(*(pod(100 + at, "core-02") for at in range(18)))
    assert "■" * 23 + " 23 running" in line_of(shown(scene, 88), "core-02")
    assert "■×23 running" in line_of(shown(scene, 44), "core-02")


def test_api_servers_leases_and_deployments_are_told() -> None:
    lines = shown(healthy())
    assert line_of(lines, "api") == "api     ● core-01 ready 1.37.2   ● core-02 ready 1.37.2"
    assert line_of(lines, "leases") == "leases  ★ kcm core-01   ★ scheduler core-01"
    assert line_of(lines, "deploy") == "deploy  ✓ web 10/10"
    assert line_of(shown(worker_lost()), "deploy") == "deploy  ◧ web 8/10"


def test_an_api_server_that_is_not_ready_says_which_checks_fail() -> None:
    lines = shown(unready())
    assert "api unready 9 s" in lines[0]
    assert "✗ core-01 down 9 s   ! core-02 unready 8 s" in line_of(lines, "api")
    assert any("! core-02 fails: etcd, ping" in each for each in lines)
    assert "‖ stale 12 s: etcd has no quorum, so no API server can serve" in lines


def test_stale_says_since_when_and_why_and_nothing_looks_live() -> None:
    view = kubernetes.kubernetes_view(board_of(stale_kube()), NOW)
    painted = list(kube_lines.kubernetes_lines(view, 88))
    lines = shown(stale_kube())
    assert lines[0] == "Kubernetes 1.37.2 · api ready · stale 12 s"
    assert line_of(lines, "api").count("●") == 2  # Those are asked one by one, and do answer.
    assert lines[2].startswith("‖ stale 12 s: no API server answers")
    assert line_of(lines, "deploy") == "deploy  ‖ web 10/10 then"
    assert {span.tone for each in painted[2:] for span in each} <= {"plain", "muted", "warn"}
    for name in ("core-02", "core-03"):
        assert line_of(lines, name) == f"{name} ‖ was ready  ■■■■■ 5 were running"
    assert "★" not in text(painted)
    assert "★ kcm" not in text(machines.machines_lines(machines.machines_view(board_of(stale_kube()), NOW), 24))


def test_a_kubernetes_that_starts_is_neither_stale_nor_in_trouble() -> None:
    scene = cockpit_frames.calm().with_rows(
        kube("starting", since=NOW - 3, version="", synced_at=NOW - 4, fresh=False, why="waits for etcd")
    )
    view = kubernetes.kubernetes_view(board_of(scene), NOW)
    assert shown(scene) == ["Kubernetes · api starting 3 s", "△ waits for etcd"]
    assert not view.troubled


def test_different_versions_are_shown_where_they_are() -> None:
    lines = shown(skew())
    assert "1.36.3–1.37.2 skew" in lines[0]
    assert "core-02 ready 1.36.3" in line_of(lines, "api")
    assert "1.37.2" in line_of(lines, "core-02")
    assert "1.36.3" in line_of(lines, "core-03")
    assert "1.37.2" not in line_of(shown(healthy()), "core-02")


def test_a_cordon_is_said_once() -> None:
    line = line_of(shown(skew()), "core-03")
    assert "⊘ cordoned" in line
    assert "unschedulable" not in line


def test_a_lease_that_ran_out_has_no_star() -> None:
    assert "✗ kcm core-01 lapsed 4 s" in line_of(shown(skew()), "leases")
    units = text(machines.machines_lines(machines.machines_view(board_of(skew()), NOW), 24))
    assert "● kcm" in units
    assert "★ scheduler" in units


def test_what_stands_in_for_the_kubelet_is_said() -> None:
    view = kubernetes.kubernetes_view(board_of(healthy()), NOW)
    assert view.notes[0] == "kwok stands in for the kubelet: these pods run no containers"
    real = healthy().with_rows(kube(kubelet="kubelet"))
    assert kubernetes.kubernetes_view(board_of(real), NOW).notes == ()


def test_a_crowd_is_summed_up_and_the_unwell_come_first() -> None:
    lines = shown(crowd())
    assert "97 of 100 nodes ready · 2 880 of 2 917 pods running" in lines[0]
    assert line_of(lines, "nodes") == "nodes   ● 97 ready   ? 3 unknown"
    assert "◫ 7 pending" in line_of(lines, "pods")
    names = [each.split()[0] for each in lines if each.startswith(("kwok-", "no node"))]
    assert names[:5] == ["kwok-007", "kwok-040", "kwok-050", "kwok-073", "no"]
    assert len(names) == 101
    assert line_of(lines, "deploy").startswith("deploy  ◧ batch 1/2")


def test_few_nodes_stay_in_their_places() -> None:
    names = [each.split()[0] for each in shown(healthy().with_rows(node("core-02", "not ready"))) if "ready " in each]
    assert names[-2:] == ["core-02", "core-03"]


@pytest.mark.parametrize("width", [40, 56, 76, 88, 140])
@pytest.mark.parametrize("scene", KUBE_SCENES)
def test_no_line_is_wider_than_its_pane(scene: str, width: int) -> None:
    view = kubernetes.kubernetes_view(board_of(KUBE_SCENES[scene]()), NOW)
    for each in kube_lines.kubernetes_lines(view, width):
        assert width_of(each) <= width, plain(each)


@pytest.mark.parametrize("scene", KUBE_SCENES)
def test_equal_boards_make_equal_views(scene: str) -> None:
    once, again = board_of(KUBE_SCENES[scene]()), board_of(KUBE_SCENES[scene]())
    view = kubernetes.kubernetes_view(once, NOW)
    assert view == kubernetes.kubernetes_view(again, NOW + 0.4)
    assert kube_lines.kubernetes_lines(view, 88) == kube_lines.kubernetes_lines(view, 88)


def test_a_board_without_kubernetes_says_what_it_waits_for() -> None:
    assert shown(cockpit_frames.calm())[1] == "○ waits for an API server: no chapter has started one"
    assert shown(cockpit_frames.calm().with_rows(kube("none")))[1].startswith("○ waits for")
    assert shown(cockpit_kube_frames.not_installed())[1] == "○ not installed: kubernetes-1.37 · g gets it"


def test_five_units_a_machine_fit_beside_the_panes() -> None:
    lines = machines.machines_lines(machines.machines_view(board_of(healthy()), NOW), 24)
    assert len(lines) <= 14
    assert max(map(width_of, lines)) <= 24
    shown = text(lines)
    assert " ★ etcd      ● apiserver\n ★ kcm       ★ scheduler" in shown
    assert "● kubelet" in shown


def test_units_of_a_halted_machine_are_not_told_one_by_one() -> None:
    shown = text(machines.machines_lines(machines.machines_view(board_of(worker_lost()), NOW), 24))
    assert "core-03 ✗ halted 45 s\n ○ etcd      ○ kubelet" in shown


def test_writes_to_the_api_come_below_those_to_etcd() -> None:
    view = availability.availability_view(board_of(worker_lost()), NOW)
    assert [canary.name for canary in view.canaries] == ["etcd writes", "api writes"]
    for width, words in ((116, "● flowing · last gap 0.16 s"), (96, "  ● last gap 0.16 s")):
        lines = [plain(each) for each in availability.availability_lines(view, width)]
        assert len(lines) == 2
        assert lines[1].endswith(words)


@pytest.mark.parametrize("scene", KUBE_SCENES)
def test_the_pulse_fits_a_small_screen(scene: str) -> None:
    assert width_of(pulse.pulse_line(pulse.pulse_view(board_of(KUBE_SCENES[scene]()), NOW), 78)) <= 78


def test_the_pulse_tells_of_the_api_and_of_nodes() -> None:
    def words(scene: Scene) -> str:
        return plain(pulse.pulse_line(pulse.pulse_view(board_of(scene), NOW), 78))

    assert words(worker_lost()) == "machines ▲▲✗  etcd 2/3 ★ core-01  api ● ready  nodes 1/2  writes ● flowing"
    assert "api ! unready 0/2" in words(unready())
    assert "nodes ‖ stale 12 s" in words(stale_kube())
    failing = healthy().changed("canary/api", state="failing", gap_ms=5400.0)
    assert words(failing).endswith("writes ✗ 5.40 s")


def test_pods_are_counted_anew_only_when_one_changed() -> None:
    board = board_of(crowd(10, 100))
    worked: list[int] = []
    once = Remembered(PodRow, lambda board: worked.append(1))
    for _ in range(3):
        once(board)
    assert worked == [1]
    board.apply(Frame(seq=2, at=NOW, rows=(node("kwok-001", "unknown"),)))
    once(board)
    assert worked == [1]
    before = pod_tally(board)["kwok-001"]
    board.apply(Frame(seq=3, at=NOW, gone=(pod(1, "").key,)))
    once(board)
    assert worked == [1, 1]
    assert sum(pod_tally(board)["kwok-001"].values()) == sum(before.values()) - 1


def of_two(first: str, second: str) -> Scene:
    return healthy().with_rows(
        kube(kubelet="kubelet"), node("core-02", runtime=first), node("core-03", state="unknown", runtime=second)
    )


def test_each_node_says_what_plays_its_kubelet_where_containers_run() -> None:
    lines = shown(of_two("containerd 1.6.20", "kwok 0.8.0"), 120)
    assert line_of(lines, "core-02").endswith("running  kubelet · containerd 1.6.20")
    assert line_of(lines, "core-03").endswith("  kwok")
    notes = kubernetes.kubernetes_view(board_of(of_two("containerd 1.6.20", "kwok 0.8.0")), NOW).notes
    assert notes[0] == "kwok stands in for the kubelet of core-03: no containers there"
    assert kubernetes.kubernetes_view(board_of(of_two("containerd 1.6.20", "containerd 1.7.24")), NOW).notes == ()


def test_where_kwok_plays_them_all_it_is_said_once() -> None:
    scene = of_two("kwok 0.8.0", "kwok 0.8.0")
    assert kubernetes.kubernetes_view(board_of(scene), NOW).notes == kubernetes.NOTES
    assert not any("kwok" in each for each in shown(scene, 120)[1:])


@pytest.mark.parametrize(
    ("width", "words"), [(70, "  kubelet · containerd 1.6.20"), (60, "  containerd 1.6.20"), (45, "")]
)
def test_what_plays_a_kubelet_gives_way_to_what_changes(width: int, words: str) -> None:
    said = line_of(shown(of_two("containerd 1.6.20", ""), width), "core-02")
    assert said.endswith(f"running{words}") and len(said) <= width
