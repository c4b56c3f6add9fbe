"""How a machine is emptied of what is ours."""

from __future__ import annotations

from rwk_tui.lab.protocol import LabError
from rwk_tui.lab.remote import layout, shaper
from rwk_tui.lab.remote.deadman import heal
from rwk_tui.lab.remote.host import RemoteHost

_WITHIN = 60.0

# Units of the lab are told from helpers of ours by what they hold. They are killed: nobody needs their last words. But
# containers and routes outlive the programs that made them, and only these know how to clean up, so they are asked to.
# A kubelet leaves mounts below its directory.
_UNITS = """
test -e "$3" || { echo "$3 is missing: what is there may be somebody else's" >&2; exit 1; }
cd "$1" || exit 1
units=$(grep -lsF '[X-Rwk]' rwk-*.service)
if [ -n "$units" ]; then
  killed=$(echo "$units" | grep -vxF -e rwk-containerd.service -e rwk-pod-routes.service)
  if [ -n "$killed" ]; then
    systemctl kill --signal=KILL -- $killed 2>/dev/null
    systemctl stop -- $killed
  fi
  systemctl stop -- $units
  for unit in $units; do rm -f -- "$unit" "multi-user.target.wants/$unit"; done
  systemctl daemon-reload
  systemctl reset-failed -- $units 2>/dev/null
fi
grep -o " $2/[^ ]*" /proc/mounts | sort -r | while read -r mount; do umount -l -- "$mount"; done
journalctl --sync
rm -rf -- "$2"
mkdir -m 0700 -- "$2"
"""
_EVERYTHING = """
cd "$1" || exit 1
systemctl stop 'rwk-heal-*' 2>/dev/null
for unit in rwk-*.service; do
  systemctl disable --now --no-reload -- "$unit" 2>/dev/null
  rm -f -- "$unit"
done
systemctl daemon-reload
rm -rf -- "$2" /run/rwk-*
test ! -e "$2"
"""


async def wipe(host: RemoteHost) -> None:
    """End and remove all units of the lab there and empty its disk; what was brought there stays. Raises LabError."""
    await _do(host, _UNITS, layout.DISK)


async def remove_all(host: RemoteHost) -> None:
    """Leave nothing of ours there. Raises LabError."""
    await wipe(host)
    devices = shaper.shaped((await host.exec(*shaper.SHOW)).out) if not host.lacks("delay") else ()
    await host.exec(*heal(devices))
    await _do(host, _EVERYTHING, layout.ROOT)


async def _do(host: RemoteHost, script: str, directory: str) -> None:
    done = await host.exec("/bin/sh", "-c", script, "wipe", layout.UNIT_FILES, directory, layout.MARKER, within=_WITHIN)
    if done.code:
        raise LabError(f"{host.name} can't be emptied: {' '.join((done.err or done.out).split())}")
