"""The file of pins is whole: each minor has its go.mod, whose hashes are of the very versions that are pinned."""

from __future__ import annotations

import re

import pytest

from rwk_tui.engines.pins import EnginePin, choose_pins, default_pins, engine_pins, go_pin
from rwk_tui.engines.upstreams import UPSTREAMS
from rwk_tui.engines.verdict import bad_pair, minor_of, parse_version
from rwk_tui.settings import BadInput

PINS = engine_pins("linux")


@pytest.mark.parametrize("pin", PINS.values(), ids=list(PINS))
def test_a_pin_fits_its_go_mod_and_go_sum(pin: EnginePin) -> None:
    upstream = UPSTREAMS[pin.engine]
    assert set(pin.programs) == {*upstream.programs, *upstream.extra}
    assert pin.name == f"{pin.engine}-{minor_of(pin.version)}"
    go_mod, go_sum = ((pin.module / name).read_text() for name in ("go.mod", "go.sum"))
    for package in pin.programs.values():
        assert re.search(rf"^(tool )?\s*{re.escape(package)}$", go_mod, re.MULTILINE)
        module = next(
            line.split()[0]
            for line in go_mod.splitlines()[::-1]
            if package.startswith(line.split(" ")[0].strip()) and f" v{pin.version}" in line
        )
        assert f"{module} v{pin.version} h1:" in go_sum
    assert "replace ../" not in go_mod and "=> ./" not in go_mod
    assert "{" not in pin.ldflags
    assert min(pin.minutes, pin.minutes_after, pin.packages, pin.modules, pin.build_mb, pin.download_mb) > 0


def test_the_newest_of_each_upstream_go_together() -> None:
    newest = default_pins()
    assert set(newest) == set(UPSTREAMS)
    for name, pin in newest.items():
        assert parse_version(pin.version) == max(
            parse_version(one.version) for one in PINS.values() if one.engine == name
        )
    for name in ("kubernetes-1.37", "kubernetes-1.36"):
        assert bad_pair(newest["etcd"].version, PINS[name].version) == ""
        assert bad_pair(PINS["etcd-3.6"].version, PINS[name].version) == ""


def test_names_of_pins() -> None:
    assert [pin.name for pin in choose_pins(())][:3] == ["etcd-3.7", "kubernetes-1.37", "kwok-0.8"]
    assert {pin.name for pin in choose_pins(())} == set(PINS)
    assert [pin.name for pin in choose_pins(["etcd-3.6", "etcd", "etcd-3.7"])] == ["etcd-3.6", "etcd-3.7"]
    with pytest.raises(BadInput, match="no recipe for 'etcd-3.5'"):
        choose_pins(["etcd-3.5"])


def test_elsewhere_than_on_linux_there_is_no_kubelet() -> None:
    pin = engine_pins("darwin")["kubernetes-1.37"]
    assert "kubelet" not in pin.programs
    assert pin.linux_only == ("kubelet",)


def test_go_itself_is_pinned_by_hash() -> None:
    assert all(one.startswith("sha256:") and len(one) == 71 for one in go_pin().hashes)
