"""The Vagrantfile: made from the settings, readable, true for Vagrant itself, and never taken from its user."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from support.programs import script
from support.tools import unavailable

from rwk_tui.data import data_dir
from rwk_tui.lab.protocol import LabError
from rwk_tui.lab.vagrant.vagrantfile import Place, addresses, check_own_file, rendered
from rwk_tui.settings import BadInput, Settings, Vagrant


def settings(state: Path, **vagrant: object) -> Settings:
    made = Vagrant(**vagrant)  # type: ignore[arg-type]
    return Settings(state=state, engine_cache=state, backend="vagrant", vagrant=made)


def make(place: Place, machine: str, provider: str = "virtualbox") -> None:
    file = place.directory / ".vagrant" / "machines" / machine / provider / "id"
    file.parent.mkdir(parents=True)
    file.write_text("1234")


def test_addresses_count_up() -> None:
    assert list(addresses(Vagrant(address="10.1.2.252")).values()) == ["10.1.2.252", "10.1.2.253", "10.1.2.254"]


def test_it_says_what_the_settings_say() -> None:
    text = rendered(Vagrant(box="debian/trixie64", address="172.17.8.101", memory=4096, cpus=3))
    assert 'config.vm.box = "debian/trixie64"' in text
    assert '"core-03" => "172.17.8.103"' in text
    assert text.count("memory = 4096") == 3 and text.count("cpus = 3") == 3
    assert 'vmx["memsize"] = "4096"' in text and 'vmx["numvcpus"] = "3"' in text
    assert "@" not in text


@pytest.mark.process
def test_vagrant_itself_takes_it(tmp_path: Path) -> None:
    if shutil.which("vagrant") is None:
        unavailable("there is no vagrant on PATH")
    place = Place.of(settings(tmp_path / "state"))
    assert place.prepare() == ""
    environment = place.environment(os.environ) | {"VAGRANT_HOME": str(tmp_path / "home")}

    def vagrant(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["vagrant", *words], cwd=place.directory, env=environment, capture_output=True, text=True, check=False
        )

    # What a provider is told is only checked with that provider there, which --ignore-provider replaces.
    finished = vagrant("validate", "--ignore-provider")
    assert finished.returncode == 0, finished.stdout + finished.stderr
    known = vagrant("status", "--machine-readable", "core-03")
    assert ",core-03,state,not_created" in known.stdout, known.stdout + known.stderr
    broken = place.file.read_text().replace("config.vm.box =", "config.vm.boxx =")
    place.file.write_text(broken)
    assert vagrant("validate", "--ignore-provider").returncode != 0


def test_it_follows_the_settings_while_no_machine_exists(tmp_path: Path) -> None:
    before, after = Place.of(settings(tmp_path)), Place.of(settings(tmp_path, memory=4096))
    assert before.prepare() == "" and before.file.read_text() == rendered(before.settings)
    assert (before.directory / "tools.sh").read_bytes() == (data_dir("assets") / "vagrant" / "tools.sh").read_bytes()
    assert after.prepare() == "" and after.file.read_text() == rendered(after.settings)


def test_with_machines_it_stays_and_says_what_differs(tmp_path: Path) -> None:
    place = Place.of(settings(tmp_path))
    place.prepare()
    make(place, "core-02")
    other = Place.of(settings(tmp_path, memory=4096, box="debian/trixie64"))
    assert other.prepare() == (
        "the Vagrantfile stays as it is (box bento/debian-13, not debian/trixie64; 2048 MB, not 4096): destroy core-02 "
        "with `vagrant destroy` to have it follow the settings"
    )
    assert place.file.read_text() == rendered(place.settings)
    assert place.prepare() == ""


def test_what_a_person_wrote_is_never_written_over(tmp_path: Path) -> None:
    place = Place.of(settings(tmp_path))
    place.prepare()
    mine = place.file.read_text().replace("virtualbox.memory = 2048", "virtualbox.memory = 3000")
    place.file.write_text(mine)
    assert place.prepare() == ""
    other = Place.of(settings(tmp_path, cpus=4))
    assert other.prepare() == (
        f"the Vagrantfile stays as it is (2 CPUs, not 4): remove {place.file} to have it follow the settings"
    )
    assert place.file.read_text() == mine
    place.file.write_text("# all my own\n")
    assert other.prepare() == "" and place.file.read_text() == "# all my own\n"
    place.file.unlink()
    assert other.prepare() == "" and place.file.read_text() == rendered(other.settings)


def test_a_file_that_is_gone_comes_back_even_with_machines(tmp_path: Path) -> None:
    place = Place.of(settings(tmp_path))
    make(place, "core-01")
    assert place.prepare() == "" and place.file.is_file()


def test_a_file_of_the_user_is_used_where_it_is(tmp_path: Path) -> None:
    own = tmp_path / "mine" / "Vagrantfile.lab"
    place = Place.of(settings(tmp_path / "state", file=own))
    with pytest.raises(LabError, match=f"there is no {own}, which is to be the Vagrantfile"):
        place.prepare()
    with pytest.raises(BadInput, match=f"{own}: No such file or directory"):
        check_own_file(settings(tmp_path, file=own))
    own.parent.mkdir()
    own.write_text("# mine\n")
    check_own_file(settings(tmp_path, file=own))
    assert place.prepare() == "" and place.directory == own.parent
    assert [path.name for path in own.parent.iterdir()] == ["Vagrantfile.lab"] and not (tmp_path / "state").exists()
    assert place.environment({})["VAGRANT_VAGRANTFILE"] == "Vagrantfile.lab"


def test_what_leads_vagrant_elsewhere_does_not_get_in(tmp_path: Path) -> None:
    led_astray = {"VAGRANT_CWD": "/x", "VAGRANT_VAGRANTFILE": "y", "VAGRANT_DOTFILE_PATH": "z", "VAGRANT_HOME": "/h"}
    ours = Place.of(settings(tmp_path)).environment(led_astray)
    assert not {"VAGRANT_CWD", "VAGRANT_VAGRANTFILE", "VAGRANT_DOTFILE_PATH"} & set(ours)
    assert ours["VAGRANT_HOME"] == "/h" and ours["VAGRANT_NO_COLOR"] == "1"


def test_who_exists(tmp_path: Path) -> None:
    place = Place.of(settings(tmp_path))
    assert place.provider_of("core-01") == ""
    make(place, "core-01", "libvirt")
    assert place.provider_of("core-01") == "libvirt" and place.provider_of("core-02") == ""


@pytest.mark.process
def test_the_tools_are_installed_only_where_they_are_missing(tmp_path: Path) -> None:
    tools = data_dir("assets") / "vagrant" / "tools.sh"
    for name in ("python3", "nft", "ss", "tc", "strace"):
        script(tmp_path / "all" / name, "exit 0")
    script(tmp_path / "some" / "apt-get", f'echo "$@" >>{tmp_path / "apt"}')
    for name in ("python3", "nft", "ss"):
        script(tmp_path / "some" / name, "exit 0")

    def run(place: str) -> subprocess.CompletedProcess[str]:
        # The tools of this computer are not to be found: only what the script itself calls.
        text = tools.read_text().replace('PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"', "")
        assert text != tools.read_text()
        environment = {"PATH": str(tmp_path / place)}
        return subprocess.run(
            ["/bin/sh", "-c", text], env=environment, capture_output=True, text=True, check=False, timeout=20
        )

    found = run("all")
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")
    found = run("some")
    assert (found.returncode, found.stdout) == (0, "installing iproute2 strace\n")
    assert (tmp_path / "apt").read_text().splitlines() == [
        "-qq update",
        "-qq -y --no-install-recommends install iproute2 strace",
    ]
    (tmp_path / "some" / "apt-get").unlink()
    found = run("some")
    assert found.returncode == 1 and "install these packages on the machine yourself: iproute2 strace" in found.stderr
