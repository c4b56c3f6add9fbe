"""The command line as a user meets it, in real processes: exit codes, and one line instead of tracebacks."""

from __future__ import annotations

import inspect
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.engines_fake import publish, serving
from support.programs import CHECKOUT, environment, fake_engine, one_line, rwk_tui, script

import rwk_tui as package
from rwk_tui import cli, usage
from rwk_tui.commands.given import settings_of
from rwk_tui.engines.pins import engine_pins
from rwk_tui.usage import parser

COMMANDS = (
    *("notes", "view", "web", "play", "soak", "report", "up", "replay", "tape", "env", "down"),
    *("check", "chapters", "engines", "doctor", "completion"),
)


@pytest.mark.process
def test_help_names_every_command_and_leaves_out_the_hidden(tmp_path: Path) -> None:
    finished = rwk_tui("--help", home=tmp_path)
    assert finished.returncode == 0
    for command in COMMANDS:
        assert f"    {command}" in finished.stdout
    assert "--subnet" not in finished.stdout
    for command in COMMANDS:
        assert rwk_tui(command, "--help", home=tmp_path).returncode == 0


@pytest.mark.process
def test_fast_is_offered_where_a_lab_is_made(tmp_path: Path) -> None:
    for command in ((), ("play",), ("up",)):
        told = " ".join(rwk_tui(*command, "--help", home=tmp_path).stdout.split())
        assert "--fast short timings for Kubernetes: a lost worker is replaced after some 20 s" in told
    assert "--fast" not in rwk_tui("down", "--help", home=tmp_path).stdout


@pytest.mark.process
@pytest.mark.parametrize(("content", "why"), [(None, "No such file"), ("hello", "not a tape of rwk-tui")])
def test_what_can_t_be_replayed_is_one_line(content: str | None, why: str, tmp_path: Path) -> None:
    path = tmp_path / "x.tape"
    if content is not None:
        path.write_text(content)
    finished = rwk_tui("replay", str(path), home=tmp_path)
    assert finished.returncode == 2
    assert why in one_line(finished)


@pytest.mark.process
@pytest.mark.parametrize("size", ["big", "10x10", "120", "120x", "9999x40", "-1x40"])
def test_a_size_that_is_none_is_one_line(size: str, tmp_path: Path) -> None:
    tape = CHECKOUT / "tests" / "tapes" / "healthy.jsonl"
    finished = rwk_tui("tape", "export", str(tape), "--cast", "x.cast", f"--size={size}", home=tmp_path)
    assert finished.returncode == 2
    assert f"--size {size}: must be from 60x16" in one_line(finished)


@pytest.mark.process
def test_a_replay_needs_a_terminal(tmp_path: Path) -> None:
    tape = CHECKOUT / "tests" / "tapes" / "healthy.jsonl"
    finished = rwk_tui("replay", str(tape), home=tmp_path)
    assert finished.returncode == 2
    assert "needs a terminal" in one_line(finished)
    finished = rwk_tui("replay", home=tmp_path)
    assert finished.returncode == 2
    assert "needs a terminal" in one_line(finished), "the tape that comes along was found"


@pytest.mark.parametrize("arguments", [["--fast", "play", "x"], ["play", "x", "--fast"], ["--fast"], ["up", "--fast"]])
def test_fast_is_a_setting(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert settings_of(parser().parse_args(arguments)).fast is True
    assert settings_of(parser().parse_args([word for word in arguments if word != "--fast"])).fast is False


@pytest.mark.process
def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys, rwk_tui.cli as c\ntry: c.main(['--help'])\nexcept SystemExit: print(*sys.modules, file=sys.stderr)"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(finished.stderr.split())
    heavy = {
        "textual",
        "rich",
        "msgspec",
        "yaml",
        "grpc",
        "google.protobuf",
        "psutil",
        "asyncio",
        "dataclasses",
        "shtab",
    }
    assert not loaded & (heavy | {"rwk_tui.settings"})


@pytest.mark.process
def test_version(tmp_path: Path) -> None:
    assert rwk_tui("--version", home=tmp_path).stdout == f"rwk-tui {package.__version__}\n"


@pytest.mark.process
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["fly"], "invalid choice: 'fly'"),
        (["--flag"], "unrecognized arguments: --flag"),
        (["play"], "name chapters, or say --all"),
        (["play", "one", "--all"], "name chapters, or say --all"),
        (["play", "fault:melt"], "there is no fault 'melt': there are kill-unit"),
        (["play", "fault:destroy"], "name what it is to hit, as in fault:destroy@core-03"),
        (["up", "--at", "lab:mainframe"], "there is no lab 'lab:mainframe'"),
        (["soak", "--faults", "0"], "soak: --faults must be at least 1"),
        (["soak", "--only", "melt"], "soak: there is no fault 'melt': there are kill-unit"),
        (["soak", "--report", "/nowhere/soak.md"], "--report /nowhere/soak.md: No such file"),
        (["--backend", "cloud", "chapters"], "--backend: must be one of local, vagrant, ssh, not 'cloud'"),
        (["up", "--backend", "ssh"], "the backend ssh needs --hosts FILE"),
        (["play", "--all", "--backend", "ssh", "--hosts", "none.toml"], "none.toml: No such file"),
        (["chapters", "--subnet", "300"], "--subnet: must be from 0 to 255"),
        (["engines", "--config", "none.toml"], "none.toml: No such file"),
        (["engines", "install", "etcd", "--from", "heaven"], "invalid choice: 'heaven'"),
        (["engines", "install", "etcd", "zookeeper"], "no recipe for 'zookeeper'; there is etcd, kubernetes, kwok"),
        (["engines", "install", "etcd-3.5"], "no recipe for 'etcd-3.5'"),
        (["engines", "install", "kwok", "--state"], "expected one argument"),
        (["completion", "csh"], "invalid choice: 'csh'"),
        (["up", "--state", "/tmp/" + "x" * 100], "too long for a socket's path"),
        ([], "the cockpit needs a terminal"),
        (["notes"], "the speaker notes need a terminal"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(tmp_path: Path, arguments: list[str], words: str) -> None:
    finished = rwk_tui(*arguments, home=tmp_path)
    assert words in one_line(finished)
    assert finished.returncode == 2
    assert finished.stdout == ""


@pytest.mark.parametrize("arguments", [["env"], ["notes"], ["notes", "--read-only"]])
def test_where_no_lab_runs_one_line_says_so(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for stream in (sys.stdin, sys.stdout):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    assert cli.main([*arguments, "--state", str(tmp_path / "s")]) == 1
    printed = capsys.readouterr()
    assert printed.err == f"rwk-tui: no lab is running in {tmp_path / 's'}\n"
    assert printed.out == ""


@pytest.mark.process
def test_a_bad_settings_file_in_the_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "rwk-tui.toml").write_text("theme = 'dark'\nsubnet = 'x'\n")
    finished = rwk_tui("engines", home=tmp_path)
    assert f"{tmp_path / 'rwk-tui.toml'}:2: subnet:" in one_line(finished)
    assert finished.returncode == 2


@pytest.mark.process
def test_settings_flags_work_before_and_after_the_command(tmp_path: Path) -> None:
    for name in ("etcd", "etcdctl", "etcdutl"):
        fake_engine(tmp_path / "given" / name, "3.6.9")
    flag = ["--engines", str(tmp_path / "given")]
    for arguments in ([*flag, "engines"], ["engines", *flag], [*flag, "engines", "--json"]):
        finished = rwk_tui(*arguments, home=tmp_path)
        assert finished.returncode == 0, finished.stderr
        assert "3.6.9" in finished.stdout
        assert "wheel" not in finished.stdout


@pytest.mark.process
def test_engines_as_json(tmp_path: Path) -> None:
    finished = rwk_tui("engines", "--json", home=tmp_path)
    assert finished.returncode == 0
    found = json.loads(finished.stdout)
    assert found["problem"] == ""
    by_name = {engine["name"]: engine for engine in found["engines"]}
    assert by_name["etcdutl"]["version"] == "3.5.1"
    assert (by_name["etcd"]["source"], by_name["etcd"]["used"], by_name["etcd"]["good"]) == ("wheel", True, False)
    assert "can lose consistency" in by_name["etcd"]["remark"]


@pytest.mark.process
def test_engines_says_how_to_get_kubernetes_and_that_the_lab_can_start_without(tmp_path: Path) -> None:
    finished = rwk_tui("engines", home=tmp_path)
    assert finished.returncode == 0
    assert "– Kubernetes is not installed; `rwk-tui engines install kubernetes` gets it" in finished.stdout
    missing = json.loads(rwk_tui("engines", "--json", home=tmp_path).stdout)["missing"]
    assert {"kubernetes", "kwok", "kubernetes-1.36"} <= set(missing)
    finished = rwk_tui("doctor", home=tmp_path)
    assert "`rwk-tui engines install kubernetes` gets it" in finished.stdout


@pytest.mark.process
def test_an_install_as_json_lines(tmp_path: Path) -> None:
    with serving() as mirror:
        publish(mirror, engine_pins("linux")["kwok-0.8"])
        command = ("engines", "install", "kwok", "--from", "download", "--json")
        finished = rwk_tui(*command, home=tmp_path, RWK_MIRRORS_KWOK=mirror.url)
    assert finished.returncode == 0, finished.stderr
    lines = [json.loads(line) for line in finished.stdout.splitlines()]
    assert {tuple(line) for line in lines} == {("engine", "version", "state", "done", "left_s", "text")}
    assert (lines[0]["state"], lines[0]["done"], lines[-1]["state"], lines[-1]["done"]) == ("installing", 0, "ready", 1)
    assert {line["engine"] for line in lines} == {"kwok-0.8"}
    assert "downloading kwok-0.8" in finished.stderr


@pytest.mark.process
def test_an_install_that_fails_is_exit_1_and_says_so_in_both_ways(tmp_path: Path) -> None:
    with serving() as mirror:
        command = ("engines", "install", "kwok", "--from", "download")
        finished = rwk_tui(*command, home=tmp_path, RWK_MIRRORS_KWOK=mirror.url)
        as_json = rwk_tui(*command, "--json", home=tmp_path, RWK_MIRRORS_KWOK=mirror.url)
    assert finished.returncode == as_json.returncode == 1
    assert "kwok-linux" in one_line(finished) and "(404)" in one_line(finished)
    assert json.loads(as_json.stdout.splitlines()[-1])["state"] == "failed"


@pytest.mark.process
def test_clean_frees_what_installing_left(tmp_path: Path) -> None:
    left = tmp_path / "cache" / "partial"
    left.mkdir(parents=True)
    (left / "file").write_bytes(bytes(2_000_000))
    finished = rwk_tui("engines", "clean", home=tmp_path, RWK_ENGINE_CACHE=str(left.parent))
    assert finished.returncode == 0
    assert "freed 2 MB in all" in finished.stdout
    assert not left.exists()


@pytest.mark.process
def test_a_garbage_engine_is_a_line_in_the_list_and_exit_1(tmp_path: Path) -> None:
    script(tmp_path / "given" / "etcd", "echo moo")
    finished = rwk_tui("engines", home=tmp_path, RWK_ENGINES=str(tmp_path / "given"))
    assert finished.returncode == 1
    assert finished.stderr == ""
    assert "✗ etcd" in finished.stdout
    assert "is no etcd that works here; asked for its version it said 'moo'" in finished.stdout


@pytest.mark.process
def test_doctor_fails_where_the_lab_could_not_start(tmp_path: Path, subnet: int) -> None:
    finished = rwk_tui("doctor", "--subnet", str(subnet), home=tmp_path)
    assert finished.returncode == 0, finished.stdout
    finished = rwk_tui("doctor", "--engines", str(tmp_path), home=tmp_path)
    assert finished.returncode == 1
    assert "✗ engines" in finished.stdout


@pytest.mark.process
def test_check_reads_chapters(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("title: x\nsteps:\n\t- no\n")
    finished = rwk_tui("check", "bad.yaml", home=tmp_path)
    assert finished.returncode == 2
    assert "bad.yaml:3" in one_line(finished)


@pytest.mark.process
def test_completions_are_scripts_that_the_shell_takes(tmp_path: Path) -> None:
    for shell in ("bash", "zsh", "fish"):
        finished = rwk_tui("completion", shell, home=tmp_path)
        assert finished.returncode == 0
        assert "chapters" in finished.stdout
        if shutil.which(shell):
            path = tmp_path / f"completion.{shell}"
            path.write_text(finished.stdout, "utf-8")
            subprocess.run([shell, "-n", str(path)], check=True, timeout=20)


@pytest.mark.process
def test_a_reader_that_goes_away_is_no_traceback(tmp_path: Path) -> None:
    command = f"{sys.executable} -m rwk_tui completion bash | head -c 1 > /dev/null"
    finished = subprocess.run(
        ["/bin/sh", "-c", command], env=environment(tmp_path), capture_output=True, text=True, timeout=30, check=False
    )
    assert finished.stderr == ""


@pytest.mark.process
@pytest.mark.parametrize(
    ("line", "code", "out", "complaint"),
    [
        ("chapters >&-", 0, "", ""),
        ("--version >&- 2>&-", 0, "", ""),
        ("<&-", 2, "", "rwk-tui: the cockpit needs a terminal; `rwk-tui play --all` does without\n"),
        ("chapters > /dev/full", 1, "", "rwk-tui: No space left on device\n"),
    ],
)
def test_closed_and_full_streams_are_no_traceback(
    tmp_path: Path, line: str, code: int, out: str, complaint: str
) -> None:
    finished = subprocess.run(
        ["/bin/sh", "-c", f"{sys.executable} -m rwk_tui {line}"],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (finished.returncode, finished.stdout, finished.stderr) == (code, out, complaint)


@pytest.mark.process
def test_a_terminal_without_our_glyphs_gets_escapes(tmp_path: Path) -> None:
    finished = rwk_tui("engines", home=tmp_path, PYTHONIOENCODING="ascii", RWK_ENGINES=str(tmp_path))
    assert finished.returncode == 1
    assert finished.stderr == ""
    assert "\\u2717 etcd" in finished.stdout


def test_every_error_for_people_that_is_named_exists() -> None:
    found: set[str] = set()
    for path in Path(package.__file__).parent.rglob("*.py"):
        found |= {
            line.split()[1].partition("(")[0] for line in path.read_text("utf-8").splitlines() if line[:6] == "class "
        }
    assert set(cli._PLAIN) <= found


def test_every_command_is_where_it_is_looked_for() -> None:
    names = re.findall(r"\b(?:command\(|set_defaults\(run=)\"([a-z-]+)\"", inspect.getsource(usage))
    assert len(names) > 15
    for name in {"cockpit", *names} - {"tape"}:
        assert callable(cli.command(name)), name


@pytest.mark.process
def test_ctrl_c_is_130(tmp_path: Path) -> None:
    script(tmp_path / "given" / "etcd", "kill -INT $PPID; sleep 20")
    process = subprocess.Popen(
        [sys.executable, "-m", "rwk_tui", "engines", "--engines", str(tmp_path / "given")],
        env=environment(tmp_path),
        stderr=subprocess.PIPE,
        text=True,
    )
    _, complaint = process.communicate(timeout=20)
    assert (process.returncode, complaint) == (130, "")


@pytest.mark.parametrize(
    ("kind", "code"), [("BadInput", 2), ("EngineError", 1), ("LabError", 1), ("DaemonError", 1), ("OSError", 1)]
)
def test_errors_for_people_are_one_line_whatever_room_they_come_from(
    kind: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    base = OSError if kind == "OSError" else type(kind, (Exception,), {"__module__": "rwk_tui.somewhere"})
    error = (
        OSError(28, "No space left on device", "/x") if kind == "OSError" else type("Sub", (base,), {})("two\nlines")
    )

    def fail(_: object) -> int:
        raise error

    monkeypatch.setattr("rwk_tui.commands.chapters.chapters", fail)
    assert cli.main(["chapters"]) == code
    said = capsys.readouterr().err
    assert said == ("rwk-tui: /x: No space left on device\n" if kind == "OSError" else "rwk-tui: two lines\n")


def test_a_mistake_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr("rwk_tui.commands.chapters.chapters", fail)
    with pytest.raises(ZeroDivisionError):
        cli.main(["chapters"])
