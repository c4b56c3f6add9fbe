#!/bin/sh
# Installs the tools that the lab uses on a machine, where they are missing. Runs as root, as often as one likes.
set -eu

PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
missing=""

# needs COMMAND PACKAGE
needs() {
  command -v "$1" >/dev/null || missing="$missing $2"
}

if command -v dnf >/dev/null; then
  network=iproute
  traffic=iproute-tc
else
  network=iproute2
  traffic=iproute2
fi
needs python3 python3
needs nft nftables
needs ss "$network"
needs tc "$traffic"
needs strace strace
[ -n "$missing" ] || exit 0

echo "installing$missing"
# The names are ours, without blanks: they are meant to be split.
# shellcheck disable=SC2086
if command -v apt-get >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update
  apt-get -qq -y --no-install-recommends install $missing >/dev/null
elif command -v dnf >/dev/null; then
  dnf -q -y install $missing
elif command -v zypper >/dev/null; then
  zypper -n -q install $missing
elif command -v pacman >/dev/null; then
  pacman -Sy --noconfirm --needed --quiet $missing
else
  echo "install these packages on the machine yourself:$missing" >&2
  exit 1
fi
