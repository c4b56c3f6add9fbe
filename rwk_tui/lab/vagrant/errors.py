"""What went wrong with Vagrant, in one line with what to do: by the words of Vagrant and its providers."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from itertools import product

from rwk_tui.lab.protocol import LabError, MachineDown
from rwk_tui.lab.vagrant.output import cleaned
from rwk_tui.lab.vagrant.vagrantfile import Place

NO_VAGRANT = (
    "there is no vagrant on PATH: install it from https://developer.hashicorp.com/vagrant/install with a provider such "
    "as VirtualBox, or take --backend local, which needs neither"
)
_BOXES = "name another (box in [vagrant])"
_LONGEST, _DETAIL = 300, 140
_ENDS = re.compile(r"[.;!:] |\.$")
_NEEDED = "core-01, core-02 and core-03"


def explain(failed: subprocess.CalledProcessError, verb: str, machine: str, place: Place) -> LabError:
    """The error of `vagrant VERB MACHINE`."""
    said = _said(failed)
    flat = " ".join(said.split()).replace(" VBoxManage: error:", "; ")
    out = [line for line in map(cleaned, str(failed.output or "").splitlines()) if line]
    if "is not yet ready for SSH" in flat or "VM must be running" in flat or "must be created before" in flat:
        return MachineDown(f"{machine} is not up")
    # What is printed comes second, and not at all from a script on the machine, which knows nothing of this computer.
    printed = "" if "non-zero exit status" in flat else " ".join(out)
    for text, (pattern, words) in product((flat, printed), _KNOWN):
        found = re.search(pattern, text)
        if found:
            case = _Case(machine, place, said, flat, out, found)
            return LabError(_cut(f"vagrant {verb} {machine}: {words(case)}", _LONGEST))
    told = _first_paragraph(said) or (out[-1] if out else f"exit code {failed.returncode}, and not a word")
    return LabError(_cut(f"vagrant {verb} {machine}: {told}", _LONGEST))


def cannot_run(error: OSError) -> LabError:
    """Vagrant is there, but the system can't run it."""
    return LabError(f"vagrant can't be run: {error.strerror or error}")


class _Case:
    """What is known of one failure: all that was said, the same on one line, the clean output, and what matched."""

    def __init__(self, machine: str, place: Place, said: str, flat: str, out: list[str], found: re.Match[str]) -> None:
        self.machine = machine
        self.place = place
        self.said = said
        self.flat = flat
        self.out = out
        self.found = found

    def after(self, pattern: str, otherwise: str = "") -> str:
        """The rest of the line on which that stands."""
        found = re.search(rf"{pattern}\s*(.+)", self.said)
        return found[1].strip() if found else otherwise

    def near(self) -> str:
        """The sentence that matched, or its end."""
        text = self.found.string
        begin = max((mark.end() for mark in _ENDS.finditer(text, 0, self.found.start())), default=0)
        end = _ENDS.search(text, self.found.end())
        return _cut(text[begin : end.start() if end else None].strip(), _DETAIL)


def _said(failed: subprocess.CalledProcessError) -> str:
    """What Vagrant said on stderr, or for machine-readable commands the error among its output."""
    said = str(failed.stderr or "")
    for line in str(failed.output or "").splitlines():
        _, _, kind, *rest = [*line.split(",", 3), "", "", ""]
        if kind == "error-exit" and rest:
            said += "\n" + rest[0].partition(",")[2].replace("%!(VAGRANT_COMMA)", ",").replace("\\n", "\n")
    return "\n".join(line.rstrip() for line in map(_plain, said.splitlines()))


def _plain(line: str) -> str:
    indent = line[: len(line) - len(line.lstrip())]
    return indent + cleaned(line)


def _first_paragraph(said: str) -> str:
    """The first paragraph that says something, with a last line that gives the reason."""
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n", said) if part.strip()]
    paragraphs = [part for part in paragraphs if not part.startswith("Vagrant failed to initialize")]
    reasons = [line.strip() for line in said.splitlines() if re.match(r"\s*(Error|Message|Stderr|Reason):", line)]
    return " ".join([*paragraphs[:1], *[reason for reason in reasons[-1:] if reason not in paragraphs[0]]])


def _cut(text: str, longest: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def _syntax(case: _Case) -> str:
    where = re.search(r"(\S+):(\d+): (.+)", case.said)
    if where is None:
        where = re.search(r"Path: (.+)\nLine number: (\d+)\nMessage: (.+)", case.said)
    return f"{where[1]}:{where[2]}: {where[3]}" if where else _first_paragraph(case.said)


def _configuration(case: _Case) -> str:
    return f"{case.place.file}: " + "; ".join(line[2:] for line in case.said.splitlines() if line.startswith("* "))


def _not_defined(case: _Case) -> str:
    return f"{case.place.file} defines no machine of that name; it needs {_NEEDED}"


def _locked(case: _Case) -> str:
    return f"another vagrant command is at work on {case.machine}; wait until it has ended, then try again"


def _provisioning(case: _Case) -> str:
    words = next((line for line in reversed(case.out) if line), "")
    return (
        f"{case.machine} runs, but a tool that it needs could not be installed ({_cut(words, _DETAIL)}): give it a way "
        f"to the internet, or a box that has them, then `vagrant provision {case.machine}`"
    )


def _disk_full(case: _Case) -> str:
    return f"the disk of this computer is full ({case.near()}): make room, then try again"


def _memory(case: _Case) -> str:
    return (
        f"this computer has too little memory for it ({case.near()}): close something, or have machines with less than "
        f"{case.place.settings.memory} MB (memory in [vagrant])"
    )


def _version(case: _Case) -> str:
    found = re.search(r"requirements: (.+?) You are running Vagrant (\S+?),", case.flat)
    needs = f"it needs Vagrant {found[1]}, this is {found[2]}" if found else "it needs another version of Vagrant"
    return f"{case.place.file}: {needs}: install a newer one from https://developer.hashicorp.com/vagrant/install"


def _no_such_provider(case: _Case) -> str:
    name = case.found[1]
    known = case.after("Vagrant knows about the following providers:")
    plugin = "vagrant-" + {"vmware_desktop": "vmware-desktop"}.get(name, name)
    return (
        f"Vagrant knows no provider {name} (it knows {known}): `vagrant plugin install {plugin}`, or choose another "
        "one (provider in [vagrant])"
    )


def _unusable_provider(case: _Case) -> str:
    reason = re.split(r"[.!](?: |$)", case.flat.partition("reason is shown below: ")[2])[0]
    return (
        f"the provider {case.found[1]} is of no use here ({_cut(reason, _DETAIL)}): mend it, or name another "
        "(provider in [vagrant])"
    )


def _no_provider(_: _Case) -> str:
    return "there is no provider that could make the machines: install VirtualBox, or libvirt with vagrant-libvirt"


def _virtualization(case: _Case) -> str:
    return (
        f"this computer's processor can't run virtual machines now ({case.near()}): switch VT-x or AMD-V on in its "
        "firmware, and end other hypervisors"
    )


def _libvirt(case: _Case) -> str:
    return (
        f"libvirt does not answer ({_cut(case.found[1], _DETAIL)}): start it (sudo systemctl start libvirtd), "
        "and be in the group libvirt"
    )


def _download(case: _Case) -> str:
    box = re.search(r"[Bb]ox '([^']+)'", f"{case.flat} {' '.join(case.out)}")
    reason = case.after("Error:") or (case.said.strip().splitlines() or [""])[-1].strip()
    name = box[1] if box else case.place.settings.box
    return (
        f"the box {name} can't be downloaded ({_cut(reason, _DETAIL)}): mend the way to the internet, "
        f"`vagrant box add` it from a file, or {_BOXES}; many boxes of today need Vagrant 2.4 or newer"
    )


def _no_box(case: _Case) -> str:
    return (
        f"there is no box {case.place.settings.box} for this provider, computer and version of Vagrant "
        f"({case.near()}): {_BOXES}; many boxes of today need Vagrant 2.4 or newer"
    )


def _range(case: _Case) -> str:
    address = case.after("Address:", case.place.settings.address)
    ranges = case.after("Ranges:", "192.168.56.0/21")
    return (
        f"VirtualBox allows no host-only network at {address}, only {ranges}: take an address in there (address in "
        f"[vagrant]), or allow it with a line such as `* {address.rpartition('.')[0]}.0/24` in /etc/vbox/networks.conf"
    )


def _collision(case: _Case) -> str:
    return (
        f"the network of {case.place.settings.address} is taken by something else on this computer ({case.near()}): "
        "choose another address (address in [vagrant])"
    )


def _no_ssh(case: _Case) -> str:
    return (
        f"{case.machine} was switched on, but SSH did not answer in Vagrant's boot_timeout: look at its console, then "
        f"`vagrant halt --force {case.machine}` and try again; a slow computer needs a longer config.vm.boot_timeout"
    )


def _bad_state(case: _Case) -> str:
    state = re.search(r"in the '([^']+)' state", case.flat)
    return (
        f"{case.machine} did not boot{f' (it is {state[1]})' if state else ''}: look at its console; a computer "
        "without virtualization or memory to spare can't run it"
    )


def _other_provider(case: _Case) -> str:
    active = case.after("Active provider:", "another provider")
    return f"it exists already with {active}: go on with that, or `vagrant destroy {case.machine}` first"


def _left_disk(case: _Case) -> str:
    return (
        f"there is a disk of an earlier {case.machine} that somebody removed without Vagrant, or of another lab's: "
        f"if nobody needs it, `vagrant destroy {case.machine}`, then start it"
    )


def _name_taken(case: _Case) -> str:
    return f"another lab has a machine of that name ({case.near()}): remove it, or use that lab"


def _gone(case: _Case) -> str:
    return f"there is no {case.place.file}; put it back"


_Words = Callable[[_Case], str]
_KNOWN: tuple[tuple[str, _Words], ...] = (
    (r"another process is already executing an action|because it is locked!|held by another instance", _locked),
    (r"There is a syntax error in|There was an error loading a Vagrantfile", _syntax),
    (r"was not found configured for this Vagrant environment", _not_defined),
    (r"There are errors in the configuration of this machine", _configuration),
    (r"A Vagrant environment or target machine is required", _gone),
    (r"requires the Vagrant version to satisfy", _version),
    (r"responded with a non-zero exit status", _provisioning),
    (r"No space left on device|VERR_DISK_FULL|[Nn]ot enough (free )?disk space|Disk quota exceeded", _disk_full),
    (
        r"Cannot allocate memory|VERR_NO_MEMORY|VERR_EM_NO_MEMORY|cannot set up guest memory|"
        r"[Nn]ot enough (physical )?memory|insufficient memory",
        _memory,
    ),
    (r"The provider '([^']+)' could not be found", _no_such_provider),
    (r"The provider '([^']+)' that was requested to back the machine '[^']+' is reporting", _unusable_provider),
    (r"No usable default provider", _no_provider),
    (r"VT-x is|AMD-V is|VERR_VMX|VERR_SVM|VMX root mode", _virtualization),
    (r"Error while connecting to [Ll]ibvirt: .*?(?:Call to \w+ failed: )?([^:]+: [^:]+)$", _libvirt),
    (
        r"could not be accessed in the remote catalog|error occurred while downloading the remote file|"
        r"error while downloading the metadata",
        _download,
    ),
    (
        r"doesn't support the provider you requested|has no available version that|Box '[^']+' does not exist|"
        r"box '[^']+' does not exist|isn't installed for the provider|doesn't support the architecture",
        _no_box,
    ),
    (r"not within the allowed ranges", _range),
    (
        r"collides with a non-hostonly network|[Nn]etwork is already in use|[Aa]ddress already in use|"
        r"is already in use by (network|interface|bridge)|already defined with|is used by another",
        _collision,
    ),
    (r"Timed out while waiting for the machine to boot|timed out while attempting to connect via SSH", _no_ssh),
    (r"entered an invalid state while waiting for it to boot", _bad_state),
    (r"Volume for domain is already created", _left_disk),
    (r"about to create is already taken", _name_taken),
    (r"An active machine was found with a different provider", _other_provider),
)
