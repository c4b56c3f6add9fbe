"""What goes wrong with Vagrant is one line that says what to do. The texts are those of Vagrant and its providers."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from rwk_tui.lab.protocol import MachineDown
from rwk_tui.lab.vagrant.errors import explain
from rwk_tui.lab.vagrant.vagrantfile import Place
from rwk_tui.settings import Settings

FILE = "/lab/vagrant/Vagrantfile"
CASES = {
    "no box on the internet": (
        """The box 'bento/debian-13' could not be found or
could not be accessed in the remote catalog. If this is a private
box on HashiCorp's Vagrant Cloud, please verify you're logged in via
`vagrant login`. Also, please double-check the name. The expanded
URL and error message are shown below:

URL: ["https://vagrantcloud.com/bento/debian-13"]
Error: Could not resolve host: vagrantcloud.com
""",
        "the box bento/debian-13 can't be downloaded (Could not resolve host: vagrantcloud.com): mend the way to the "
        "internet, `vagrant box add` it from a file, or name another (box in [vagrant]); many boxes of "
        "today need Vagrant 2.4 or newer",
    ),
    "a download that broke": (
        """An error occurred while downloading the remote file. The error
message, if any, is reproduced below. Please fix this error and try
again.

The requested URL returned error: 404
""",
        "the box bento/debian-13 can't be downloaded (The requested URL returned error: 404): mend",
    ),
    "a box for other providers": (
        """The box you're attempting to add doesn't support the provider
you requested. Please find an alternate box or use an alternate
provider. Double-check your requested provider to verify you didn't
simply misspell it.

If you're adding a box from HashiCorp's Vagrant Cloud, make sure the box is
released.

Name: bento/debian-13
Address: https://vagrantcloud.com/bento/debian-13
Requested provider: ["lxc"]
""",
        "there is no box bento/debian-13 for this provider, computer and version of Vagrant (The box you're attempting "
        "to add doesn't support the provider you requested): name another (box in [vagrant]); many boxes of",
    ),
    "no such provider": (
        """The provider 'libvirt' could not be found, but was requested to
back the machine 'core-01'. Please use a provider that exists.

Vagrant knows about the following providers: virtualbox, docker, hyperv
""",
        "Vagrant knows no provider libvirt (it knows virtualbox, docker, hyperv): `vagrant plugin install "
        "vagrant-libvirt`, or choose another one (provider in [vagrant])",
    ),
    "no VirtualBox": (
        """The provider 'virtualbox' that was requested to back the machine
'core-01' is reporting that it isn't usable on this system. The
reason is shown below:

Vagrant could not detect VirtualBox! Make sure VirtualBox is properly installed.
Vagrant uses the `VBoxManage` binary that ships with VirtualBox, and requires
this to be available on the PATH. If VirtualBox is installed, please find the
`VBoxManage` binary and add it to the PATH environmental variable.
""",
        "the provider virtualbox is of no use here (Vagrant could not detect VirtualBox): mend it, or name another",
    ),
    "no provider at all": (
        """No usable default provider could be found for your system.

Vagrant relies on interactions with 3rd party systems, known as
"providers", to provide Vagrant with resources to run development
environments. Examples are VirtualBox, VMware, Hyper-V.
""",
        "there is no provider that could make the machines: install VirtualBox, or libvirt with vagrant-libvirt",
    ),
    "VirtualBox's ranges": (
        """The IP address configured for the host-only network is not within the
allowed ranges. Please update the address used to be within the allowed
ranges and run the command again.

  Address: 172.17.8.101
  Ranges: 192.168.56.0/21

Valid ranges can be modified in the /etc/vbox/networks.conf file. For
more information including valid format see:

  https://www.virtualbox.org/manual/ch06.html#network_hostonly
""",
        "VirtualBox allows no host-only network at 172.17.8.101, only 192.168.56.0/21: take an address in there "
        "(address in [vagrant]), or allow it with a line such as `* 172.17.8.0/24` in /etc/vbox/networks.conf",
    ),
    "a network that is taken": (
        """The specified host network collides with a non-hostonly network!
This will cause your specified IP to be inaccessible. Please change
the IP or name of your host only network so that it no longer matches that of
a bridged or non-hostonly network.

Bridged Network Address: '192.168.56.0'
Host-only Network 'wlan0': '192.168.56.0'
""",
        "the network of 192.168.56.101 is taken by something else on this computer (The specified host network "
        "collides with a non-hostonly network): choose another address (address in [vagrant])",
    ),
    "a network of libvirt that is taken": (
        """Error while activating network: Call to virNetworkCreate failed:
internal error: Network is already in use by interface eth0.
""",
        "(Network is already in use by interface eth0): choose another address (address in [vagrant])",
    ),
    "memory of VirtualBox": (
        """There was an error while executing `VBoxManage`, a CLI used by Vagrant
for controlling VirtualBox. The command and stderr is shown below.

Command: ["startvm", "4b7fa1f2", "--type", "headless"]

Stderr: VBoxManage: error: Failed to allocate memory for the VM (VERR_NO_MEMORY)
VBoxManage: error: Details: code NS_ERROR_FAILURE (0x80004005), component ConsoleWrap
""",
        "this computer has too little memory for it (Failed to allocate memory for the VM (VERR_NO_MEMORY)): close",
    ),
    "memory of libvirt": (
        """There was an error talking to Libvirt. The error message is shown
below:

Call to virDomainCreateWithFlags failed: internal error: qemu unexpectedly
closed the monitor: cannot set up guest memory 'pc.ram': Cannot allocate memory
""",
        "(cannot set up guest memory 'pc.ram'): close something, or have machines with less than 2048 MB "
        "(memory in [vagrant])",
    ),
    "no SSH": (
        """Timed out while waiting for the machine to boot. This means that
Vagrant was unable to communicate with the guest machine within
the configured ("config.vm.boot_timeout" value) time period.

If you look above, you should be able to see the error(s) that
Vagrant had when attempting to connect to the machine. These errors
are usually good hints as to what may be wrong.
""",
        "core-01 was switched on, but SSH did not answer in Vagrant's boot_timeout: look at its console, then `vagrant "
        "halt --force core-01` and try again",
    ),
    "it does not boot": (
        """The guest machine entered an invalid state while waiting for it
to boot. Valid states are 'starting, running'. The machine is in the
'aborted' state. Please verify everything is configured
properly and try again.
""",
        "core-01 did not boot (it is aborted): look at its console; a computer without virtualization or memory",
    ),
    "no virtualization": (
        """There was an error while executing `VBoxManage`, a CLI used by Vagrant
for controlling VirtualBox. The command and stderr is shown below.

Command: ["startvm", "4b7fa1f2", "--type", "headless"]

Stderr: VBoxManage: error: VT-x is disabled in the BIOS for all CPU modes (VERR_VMX_MSR_ALL_VMX_DISABLED)
""",
        "this computer's processor can't run virtual machines now (VT-x is disabled in the BIOS for all CPU modes",
    ),
    "libvirt is not there": (
        """Error while connecting to Libvirt: Error making a connection to libvirt URI qemu:///system:
Call to virConnectOpen failed: Failed to connect socket to '/var/run/libvirt/libvirt-sock': No such file or directory
""",
        "libvirt does not answer (Failed to connect socket to '/var/run/libvirt/libvirt-sock': No such file or "
        "directory): start it (sudo systemctl start libvirtd)",
    ),
    "locked": (
        """An action 'up' was attempted on the machine 'core-01',
but another process is already executing an action on the machine.
Vagrant locks each machine for access by only one process at a time.
Please wait until the other Vagrant process finishes modifying this
machine, then try again.

If you believe this message is in error, please check the process
listing for any "ruby" or "vagrant" processes and kill them. Then
try again.
""",
        "another vagrant command is at work on core-01; wait until it has ended, then try again",
    ),
    "a machine that its file lacks": (
        "The machine with the name 'core-01' was not found configured for\nthis Vagrant environment.\n",
        f"{FILE} defines no machine of that name; it needs core-01, core-02 and core-03",
    ),
    "syntax": (
        f"""Vagrant failed to initialize at a very early stage:

There is a syntax error in the following Vagrantfile. The syntax error
message is reproduced below for convenience:

{FILE}:4: syntax error, unexpected `end', expecting end-of-input
end end
^~~
""",
        f"{FILE}:4: syntax error, unexpected `end', expecting end-of-input",
    ),
    "an unknown name": (
        f"""Vagrant failed to initialize at a very early stage:

There was an error loading a Vagrantfile. The file being loaded
and the error message are shown below. This is usually caused by
an invalid or undefined variable.

Path: {FILE}
Line number: 3
Message: undefined local variable or method `foo_bar'

 foo_bar
 ^^^^^^^
""",
        f"{FILE}:3: undefined local variable or method `foo_bar'",
    ),
    "an unknown setting": (
        """There are errors in the configuration of this machine. Please fix
the following errors and try again:

vm:
* The following settings shouldn't exist: boxx
* A box must be specified.

""",
        f"{FILE}: The following settings shouldn't exist: boxx; A box must be specified.",
    ),
    "no file": (
        "A Vagrant environment or target machine is required to run this\ncommand. Run `vagrant init` to create a new",
        f"there is no {FILE}; put it back",
    ),
    "an old Vagrant": (
        """This Vagrant environment has specified that it requires the Vagrant
version to satisfy the following version requirements:

  >= 2.4

You are running Vagrant 2.3.4, which does not satisfy
these requirements. Please change your Vagrant version or update
the Vagrantfile to allow this Vagrant version.
""",
        f"{FILE}: it needs Vagrant >= 2.4, this is 2.3.4: install a newer one from "
        "https://developer.hashicorp.com/vagrant/install",
    ),
    "a full disk": (
        """There was an error while executing `VBoxManage`, a CLI used by Vagrant
for controlling VirtualBox. The command and stderr is shown below.

Stderr: Progress state: VBOX_E_FILE_ERROR
VBoxManage: error: Could not create the clone medium '/vms/disk.vmdk' (VERR_DISK_FULL)
""",
        "the disk of this computer is full (Could not create the clone medium '/vms/disk.vmdk' (VERR_DISK_FULL)): make "
        "room, then try again",
    ),
    "a full disk of ruby": (
        "/usr/lib/ruby/fileutils.rb:1387:in `initialize': No space left on device @ rb_sysopen - /x (Errno::ENOSPC)",
        "the disk of this computer is full (",
    ),
    "another provider": (
        """An active machine was found with a different provider. Vagrant
currently allows each machine to be brought up with only a single
provider at a time. A future version will remove this limitation.

Machine name: core-01
Active provider: lxc
Requested provider: libvirt
""",
        "it exists already with lxc: go on with that, or `vagrant destroy core-01` first",
    ),
    "a disk that is left": (
        "Volume for domain is already created. Please run 'vagrant destroy' first.\n",
        "there is a disk of an earlier core-01 that somebody removed without Vagrant, or of another lab's: if nobody "
        "needs it, `vagrant destroy core-01`, then start it",
    ),
    "a name that is taken": (
        "Name `rwk-core-01` of domain about to create is already taken. Please try to run\n`vagrant up` command again.",
        "another lab has a machine of that name (Name `rwk-core-01` of domain about to create is already taken)",
    ),
    "something else": (
        """\x1b[31mAn error nobody has seen before happened while doing
something unusual.

It goes on for long.

Error: out of luck\x1b[0m
""",
        "An error nobody has seen before happened while doing something unusual. Error: out of luck",
    ),
}


def failure(said: str = "", out: str = "", code: int = 1) -> subprocess.CalledProcessError:
    return subprocess.CalledProcessError(code, ["vagrant", "up", "core-01"], out, said)


def place() -> Place:
    return Place(Settings(Path("/lab"), Path("/lab")).vagrant, Path("/lab/vagrant"), Path(FILE))


@pytest.mark.parametrize("name", CASES)
def test_one_line_with_what_to_do(name: str) -> None:
    said, words = CASES[name]
    error = str(explain(failure(said), "up", "core-01", place()))
    assert error.startswith("vagrant up core-01: ")
    assert words in error, error
    assert "\n" not in error and "\x1b" not in error and len(error) <= 300


def test_a_machine_that_is_not_up() -> None:
    error = explain(
        failure("The provider for this Vagrant-managed machine is reporting that it\nis not yet ready for SSH."),
        "ssh-config",
        "core-01",
        place(),
    )
    assert isinstance(error, MachineDown) and str(error) == "core-01 is not up"


def test_errors_of_machine_readable_commands_are_found_in_their_output() -> None:
    out = (
        "1795537185,,ui,error,The machine with the name 'core-09' was not found configured for\\nthis Vagrant.\n"
        "1795537185,,error-exit,Vagrant::Errors::MachineNotFound,The machine with the name 'core-09' was not found "
        "configured for\\nthis Vagrant environment.\n"
    )
    assert "defines no machine of that name" in str(explain(failure(out=out), "status", "core-09", place()))


def test_what_a_script_on_the_machine_says_is_not_said_of_this_computer() -> None:
    out = "==> core-01: Running provisioner: tools (shell)...\n    core-01: dpkg: error: No space left on device\n"
    said = "The SSH command responded with a non-zero exit status. Vagrant\nassumes that this means the command failed."
    error = str(explain(failure(said, out), "up", "core-01", place()))
    assert error.startswith(
        "vagrant up core-01: core-01 runs, but a tool that it needs could not be installed (dpkg: error: No space left "
        "on device): give it a way to the internet"
    )


def test_it_may_say_nothing_at_all() -> None:
    assert str(explain(failure(code=3), "halt", "core-01", place())) == (
        "vagrant halt core-01: exit code 3, and not a word"
    )
    assert str(explain(failure(out="==> core-01: last words\n"), "halt", "core-01", place())).endswith(": last words")
