"""Settings: which source wins, and what is said about values that can't be used."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rwk_tui.settings import BadInput, Mirrors, Settings, Timeouts, Vagrant, as_environment, check_socket, load_settings


def load(directory: Path, toml: str | None = None, env: dict[str, str] | None = None, **flags: str) -> Settings:
    if toml is not None:
        (directory / "rwk-tui.toml").write_text(toml, "utf-8")
    return load_settings(flags, environment=env or {}, directory=directory)


def test_defaults_are_those_of_the_dataclass_and_lie_in_the_users_directories(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    found = load(tmp_path)
    assert found == Settings(state=tmp_path / "state" / "rwk-tui", engine_cache=tmp_path / "cache" / "rwk-tui")


def test_file_beats_default_environment_beats_file_flag_beats_environment(tmp_path: Path) -> None:
    toml = 'subnet = 20\nlinger = 5\ntheme = "light"\n[timeouts]\ncheck = 3\n'
    found = load(tmp_path, toml, {"RWK_SUBNET": "21", "RWK_LINGER": "6.5"}, subnet="22")
    assert (found.subnet, found.linger, found.theme) == (22, 6.5, "light")
    assert found.timeouts == Timeouts(check=3.0)
    assert load(tmp_path, None, {"RWK_TIMEOUTS_CHECK": "4"}).timeouts.check == 4.0


def test_paths_start_where_they_were_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "my.toml").write_text('scenarios = "mine"\n', "utf-8")
    found = load_settings({"state": "s"}, config=Path("conf/my.toml"), environment={}, directory=tmp_path)
    assert found.scenarios == tmp_path / "conf" / "mine"
    assert found.state == tmp_path / "s"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load(tmp_path, None, {"RWK_STATE": "~/x"}).state == tmp_path / "x"


@pytest.mark.parametrize(
    ("toml", "line", "words"),
    [
        ("subnet = 8\nsubnets = 9\n", 2, "subnets: there is no such setting"),
        ("\n\nsubnet = 'eight'\n", 3, "subnet: must be a whole number, not 'eight'"),
        ("subnet = 8.5\n", 1, "subnet: must be a whole number"),
        ("subnet = true\n", 1, "subnet: must be a whole number"),
        ("subnet = 300\n", 1, "subnet: must be from 0 to 255"),
        ("linger = inf\n", 1, "linger: must be from"),
        ("subnet = nan\n", 1, "subnet: must be a whole number"),
        ("theme = 'plaid'\n", 1, "theme: must be one of dark"),
        ("theme = ['dark']\n", 1, "theme: must be one of dark"),
        ("state = 4\n", 1, "state: must be a path"),
        ("tape = '.'\n", 1, "tape: must be a file, and . is a directory"),
        ("linger = 3\n[timeouts]\naction = 5\nlinger = 4\n", 4, "timeouts.linger: there is no such setting"),
        ("[timeouts]\ncheck = 'soon'\n", 2, "timeouts.check: must be a number"),
        ("timeouts = 3\n", 1, "timeouts: there is no such setting"),
        ('"state.action" = 3\n', 1, "state.action: there is no such setting"),
        ('state = "a\\u0000b"\n', 1, "state: must be a path"),
        ('state = "~nobody-of-that-name/x"\n', 1, "state: ~nobody-of-that-name is nobody"),
        ("subnet = 8\nlinger = = 3\n", 2, "Invalid value"),
        ("subnet = 8\nsubnet = 9\n", 2, "overwrite"),
    ],
)
def test_a_bad_file_is_named_with_line_and_key(tmp_path: Path, toml: str, line: int, words: str) -> None:
    with pytest.raises(BadInput) as caught:
        load(tmp_path, toml)
    text = str(caught.value)
    assert text.startswith(f"{tmp_path / 'rwk-tui.toml'}:{line}: "), text
    assert words in text
    assert "\n" not in text


def test_bad_variables_and_flags_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="^RWK_BASE_PORT: must be a whole number, not 'high'$"):
        load(tmp_path, None, {"RWK_BASE_PORT": "high"})
    with pytest.raises(BadInput, match="^--backend: must be one of local, vagrant, ssh, not 'cloud'$"):
        load(tmp_path, None, None, backend="cloud")
    with pytest.raises(BadInput, match="election_ms"):
        load(tmp_path, None, {"RWK_HEARTBEAT_MS": "500", "RWK_ELECTION_MS": "1000"})


@pytest.mark.parametrize("value", ["[" * 5000, "9" * 6000])
def test_a_file_that_no_parser_takes_is_one_line(tmp_path: Path, value: str) -> None:
    with pytest.raises(BadInput, match="rwk-tui.toml: ") as caught:
        load(tmp_path, f"subnet = {value}\n")
    assert "\n" not in str(caught.value)


def test_a_path_that_the_stream_could_not_carry_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="RWK_STATE: must be a path in UTF-8"):
        load(tmp_path, None, {"RWK_STATE": "/tmp/\udcff"})


def test_mirrors_are_urls_in_a_table_of_their_own(tmp_path: Path) -> None:
    toml = '[mirrors]\netcd = "https://mirror.example/etcd/"\n'
    found = load(tmp_path, toml, {"RWK_MIRRORS_KWOK": "http://127.0.0.1:8000"})
    assert found.mirrors == Mirrors(etcd="https://mirror.example/etcd", kwok="http://127.0.0.1:8000")
    assert load_settings(environment=as_environment(found), directory=tmp_path).mirrors == found.mirrors
    for value in ("ftp://x", "mirror.example", "https://", "https://a b", ""):
        with pytest.raises(BadInput, match=r"rwk-tui.toml:2: mirrors.kwok: must be a URL that starts with http"):
            load(tmp_path, f'[mirrors]\nkwok = "{value}"\n')
    with pytest.raises(BadInput, match=r":3: mirrors.check: there is no such setting; .*\[timeouts\], \[mirrors\]"):
        load(tmp_path, "[mirrors]\n\ncheck = 3\n")


def test_a_switch_is_true_or_false_wherever_it_is_set(tmp_path: Path) -> None:
    assert load(tmp_path).fast is False
    assert load(tmp_path, None, {"RWK_FAST": "true"}).fast is True
    assert load(tmp_path, "fast = true\n").fast is True
    assert load(tmp_path, None, {"RWK_FAST": "False"}).fast is False
    assert load(tmp_path, None, None, fast="true").fast is True
    for fast in (True, False):
        there = replace(load(tmp_path), fast=fast)
        assert load_settings(environment=as_environment(there), directory=tmp_path).fast is fast
    with pytest.raises(BadInput, match="^RWK_FAST: must be true or false, not 'soon'$"):
        load(tmp_path, None, {"RWK_FAST": "soon"})


def test_a_named_file_must_be_there_and_be_text(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No such file"):
        load_settings(config=Path("missing.toml"), environment={}, directory=tmp_path)
    (tmp_path / "rwk-tui.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="UTF-8"):
        load(tmp_path)


def test_a_child_process_loads_the_same_from_the_environment(tmp_path: Path) -> None:
    there = load(tmp_path, "subnet = 33\nlinger = 1.5\n[timeouts]\nstop = 2\n", None, state="s", theme="light")
    (tmp_path / "rwk-tui.toml").write_text("subnet = 44\n", "utf-8")
    assert load_settings(environment=as_environment(there), directory=tmp_path) == there


def test_every_setting_can_be_told_as_text(tmp_path: Path) -> None:
    everything = as_environment(load(tmp_path))
    assert len(everything) > 30
    for name in everything.keys() - {"RWK_CONFIG"}:
        # No setting takes this: the ones that are text must begin with a letter, the others are something else.
        with pytest.raises(BadInput, match=f"^{name}: must be "):
            load(tmp_path, None, {name: "\0"})


def test_a_socket_path_that_is_too_long_says_what_to_do(tmp_path: Path) -> None:
    check_socket(load(tmp_path, None, None, state="/tmp/short"))
    with pytest.raises(BadInput, match=r"too long for a socket's path.*--state DIR"):
        check_socket(load(tmp_path, None, None, state="/tmp/" + "é" * 50))


def test_virtual_machines_have_a_table_of_their_own(tmp_path: Path) -> None:
    text = '[vagrant]\nbox = "ubuntu/noble64"\naddress = "10.1.2.252"\nmemory = 1024\nfile = "mine/Vagrantfile"\n'
    found = load(tmp_path, text, {"RWK_VAGRANT_CPUS": "1"}).vagrant
    assert found == Vagrant("ubuntu/noble64", "", "10.1.2.252", 1024, 1, tmp_path / "mine" / "Vagrantfile")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('box = "two words"', "must be the name of a box"),
        ("box = 3", "must be the name of a box"),
        ('provider = "vm;ware"', "must be the name of a provider"),
        ('address = "192.168.56.253"', "with room for two more after it"),
        ('address = "192.168.56"', "must be an IPv4 address"),
        ('address = "192.168.256.1"', "must be an IPv4 address"),
        ('address = "192.168.05.101"', "must be an IPv4 address"),
        ('address = "192.168.5.01"', "must be an IPv4 address"),
        ("memory = 100", "must be from 256"),
        ("cpus = 1.5", "must be a whole number"),
        ("ram = 3", "there is no such setting"),
    ],
)
def test_bad_virtual_machines_are_named_with_their_line(tmp_path: Path, line: str, words: str) -> None:
    with pytest.raises(BadInput, match=f"rwk-tui.toml:2: vagrant.{line.split()[0]}: .*{words}"):
        load(tmp_path, f"[vagrant]\n{line}\n", {})


def test_a_theme_of_ones_own_must_have_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    assert load(tmp_path, 'theme = "light"\n').theme_file is None
    for place, plum in (
        ("rwk-tui.toml:2: theme", "\ntheme = 'plum'\n"),
        ("RWK_THEME", None),
    ):
        (tmp_path / "rwk-tui.toml").unlink()
        with pytest.raises(BadInput, match=f"{place}: must be one of dark, .*, not 'plum': there is no .*plum.toml$"):
            load(tmp_path, plum, {} if plum else {"RWK_THEME": "plum"})
        (tmp_path / "rwk-tui.toml").touch()
    themes = tmp_path / "config" / "rwk-tui" / "themes"
    themes.mkdir(parents=True)
    (themes / "plum.toml").touch()
    found = load(tmp_path, "", None, theme="plum")
    assert (found.theme, found.theme_file) == ("plum", themes / "plum.toml")
    with pytest.raises(BadInput, match="^--theme: .*there is no .*mine/plum.toml$"):
        load(tmp_path, 'themes = "mine"\n', None, theme="plum")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "plum.toml").touch()
    found = load(tmp_path, 'themes = "mine"\n', None, theme="plum")
    assert found.theme_file == tmp_path / "mine" / "plum.toml"
    assert load_settings(environment=as_environment(found), directory=tmp_path / "mine") == found


@pytest.mark.parametrize("name", ["../dark", "a/b", ".hidden", "", "two words"])
def test_the_name_of_a_theme_leads_nowhere_else(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match="rwk-tui.toml:1: theme: must be one of dark"):
        load(tmp_path, f'theme = "{name}"\n')
