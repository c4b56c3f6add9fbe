"""Official files from a server of the test's own: whatever it does, an engine is whole and verified or not there."""

from __future__ import annotations

import errno
import io
import json
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from types import SimpleNamespace
from urllib.request import Request

import pytest
from support.engines_fake import ARCH, Mirror, Notes, archive, digest, program_body, publish, serving
from support.programs import environment

from rwk_tui.engines import download, fetch
from rwk_tui.engines.ask import EngineError
from rwk_tui.engines.cache import MANIFEST
from rwk_tui.engines.download import PARTIAL, DownloadSource, checksum_of
from rwk_tui.engines.install import install
from rwk_tui.engines.pins import choose_pins, engine_pins
from rwk_tui.engines.room import NoRoom
from rwk_tui.settings import Mirrors, Settings

KUBERNETES, ETCD, KWOK = (engine_pins("linux")[name] for name in ("kubernetes-1.37", "etcd-3.7", "kwok-0.8"))
APISERVER = f"/release/v{KUBERNETES.version}/bin/linux/{ARCH}/kube-apiserver"
ETCD_FILE = f"/v{ETCD.version}/etcd-v{ETCD.version}-linux-{ARCH}.tar.gz"
KWOK_FILE = f"/v{KWOK.version}/kwok-linux-{ARCH}"


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """A server with all releases; no test here reaches for another host."""
    monkeypatch.setattr(fetch, "_PAUSE", 0.0)
    with serving() as server:
        for pin in engine_pins("linux").values():
            publish(server, pin)
        yield server


@pytest.fixture
def here(tmp_path: Path, mirror: Mirror) -> Settings:
    mirrors = Mirrors(etcd=mirror.url, kubernetes=mirror.url, kwok=mirror.url)
    return Settings(state=tmp_path, engine_cache=tmp_path / "cache", mirrors=mirrors)


def get(settings: Settings, *names: str) -> Notes:
    notes = Notes()
    install(names, settings, notes, origin="download")
    return notes


def in_cache(settings: Settings) -> list[str]:
    return sorted(p.name for p in settings.engine_cache.iterdir() if p.name not in (".install.lock", "known.json"))


@pytest.mark.process
def test_the_whole_set_comes_verified_and_says_so(here: Settings) -> None:
    notes = get(here)
    pins = choose_pins(())
    assert in_cache(here) == sorted(pin.directory for pin in pins)
    for pin in pins:
        manifest = json.loads((here.engine_cache / pin.directory / MANIFEST).read_text())
        assert sorted(manifest["files"]) == sorted(pin.programs)
        assert manifest["source"] == "download"
        assert notes.states(pin.name) == ["installing", "ready"]
    assert "GB" in notes.said[0] and "stay" in notes.said[0]


@pytest.mark.process
def test_a_file_that_breaks_off_is_gone_on_with_in_the_same_run(here: Settings, mirror: Mirror) -> None:
    publish(mirror, KUBERNETES, padding=100_000)
    mirror.breaks[APISERVER] = [40_000, 30_000]
    get(here, "kubernetes")
    assert mirror.ranges(APISERVER) == ["", "bytes=40000-", "bytes=70000-"]
    assert in_cache(here) == [KUBERNETES.directory]


@pytest.mark.process
def test_what_an_interrupted_run_fetched_is_not_fetched_again(here: Settings, mirror: Mirror) -> None:
    publish(mirror, KUBERNETES, padding=100_000)
    scheduler = APISERVER.replace("apiserver", "scheduler")
    mirror.breaks[scheduler] = [60_000, 0]
    with pytest.raises(EngineError, match=r"kube-scheduler: broke off after 0\.1 of 0\.1 MB; try again"):
        get(here, "kubernetes")
    assert in_cache(here) == [PARTIAL]
    mirror.asked.clear()
    get(here, "kubernetes")
    assert mirror.ranges(APISERVER) == []
    assert mirror.ranges(scheduler) == ["bytes=60000-"]
    assert in_cache(here) == [KUBERNETES.directory]


@pytest.mark.process
def test_ctrl_c_leaves_no_engine_and_the_next_run_goes_on(here: Settings, mirror: Mirror, tmp_path: Path) -> None:
    publish(mirror, KWOK, padding=600_000)
    mirror.stalls[KWOK_FILE] = 300_000
    process = subprocess.Popen(
        [sys.executable, "-m", "rwk_tui", "engines", "install", "kwok", "--from", "download"],
        env=environment(tmp_path, RWK_ENGINE_CACHE=str(here.engine_cache), RWK_MIRRORS_KWOK=mirror.url),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + 20
    while not size_of_parts(here) and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=20)
    assert (process.returncode, complaint) == (130, "")
    assert in_cache(here) == [PARTIAL]
    have = size_of_parts(here)
    get(here, "kwok")
    assert mirror.ranges(KWOK_FILE) == ["", f"bytes={have}-"]
    assert in_cache(here) == [KWOK.directory]


def size_of_parts(settings: Settings) -> int:
    """Bytes that unfinished downloads have on disk."""
    return sum(path.stat().st_size for path in (settings.engine_cache / PARTIAL).glob("*.part"))


@pytest.mark.process
def test_a_server_that_ignores_range_serves_from_the_start(here: Settings, mirror: Mirror) -> None:
    publish(mirror, KWOK, padding=50_000)
    mirror.ignores_range = True
    mirror.breaks[KWOK_FILE] = [20_000]
    get(here, "kwok")
    assert mirror.ranges(KWOK_FILE) == ["", "bytes=20000-"]
    assert (here.engine_cache / KWOK.directory / "kwok").read_bytes() == mirror.files[KWOK_FILE]


@pytest.mark.process
def test_a_wrong_checksum_leaves_nothing_at_all(here: Settings, mirror: Mirror) -> None:
    mirror.files[APISERVER] += b"tampered"
    with pytest.raises(EngineError, match="kube-apiserver: is damaged or not the real one: its SHA-256 is") as caught:
        get(here, "kubernetes")
    assert "\n" not in str(caught.value)
    assert in_cache(here) == [PARTIAL]
    assert list((here.engine_cache / PARTIAL).iterdir()) == []


@pytest.mark.process
def test_a_part_that_belongs_to_another_file_is_thrown_away(here: Settings, mirror: Mirror) -> None:
    partial = here.engine_cache / PARTIAL
    body = mirror.files[KWOK_FILE]
    part = partial / f"{KWOK.directory}-kwok-linux-{ARCH}-{digest(body)[:12]}.part"
    for left in (b"not of this file", b"longer than the whole file: " + b"x" * len(body)):
        partial.mkdir(parents=True)
        part.write_bytes(left)
        install(["kwok"], here, Notes(), origin="download", force=True)
        assert (here.engine_cache / KWOK.directory / "kwok").read_bytes() == body


@pytest.mark.process
@pytest.mark.parametrize(("status", "words"), [(404, r"no such file \(404\)"), (500, "says 500")])
def test_a_server_that_refuses_is_one_line_with_the_url(
    here: Settings, mirror: Mirror, status: int, words: str
) -> None:
    mirror.status = status
    with pytest.raises(EngineError, match=words) as caught:
        get(here, "etcd")
    assert mirror.url in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.process
def test_without_a_checksum_nothing_is_taken(here: Settings, mirror: Mirror) -> None:
    del mirror.files[f"{KWOK_FILE}.sha256"]
    with pytest.raises(EngineError, match="without a checksum nothing is taken"):
        get(here, "kwok")
    mirror.files[f"{KWOK_FILE}.sha256"] = b"<html>hello</html>"
    with pytest.raises(EngineError, match=f"has no SHA-256 of kwok-linux-{ARCH}"):
        get(here, "kwok")
    assert mirror.ranges(KWOK_FILE) == []


@pytest.mark.process
def test_redirects_are_followed_but_not_out_of_a_protected_connection(here: Settings, mirror: Mirror) -> None:
    mirror.files["/elsewhere"] = mirror.files[KWOK_FILE]
    mirror.redirects[KWOK_FILE] = f"{mirror.url}/elsewhere"
    get(here, "kwok")
    request = Request("https://example.invalid/kwok")
    with pytest.raises(EngineError, match="which is not protected"):
        fetch._Redirects().redirect_request(request, io.BytesIO(), 302, "", Message(), "http://example.invalid/kwok")


@pytest.mark.process
def test_programs_of_another_version_are_not_installed(here: Settings, mirror: Mirror) -> None:
    publish(mirror, KWOK, version="0.7.0")
    with pytest.raises(EngineError, match=r"says that it is 0\.7\.0, not 0\.8\.0"):
        get(here, "kwok")
    assert KWOK.directory not in in_cache(here)


def hostile(kind: bytes, target: str = "") -> bytes:
    """An archive whose etcd is no plain file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        entry = tarfile.TarInfo(
            ETCD.release.member.format(version=ETCD.version, system="linux", arch=ARCH, program="etcd")
        )
        entry.type, entry.linkname = kind, target
        tar.addfile(entry)
    return out.getvalue()


@pytest.mark.process
@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"no archive at all", "can't be unpacked"),
        (archive({"../../etcd": b"x", "/etcd": b"x"}), "has no .*etcd"),
        (hostile(tarfile.SYMTYPE, "/bin/sh"), "is no plain file"),
        (hostile(tarfile.LNKTYPE, "/bin/sh"), "is no plain file"),
        (hostile(tarfile.DIRTYPE), "is no plain file"),
        (hostile(tarfile.REGTYPE)[:40], "can't be unpacked"),
    ],
    ids=["no archive", "elsewhere", "symbolic link", "hard link", "directory", "cut off"],
)
def test_an_archive_that_is_none_or_hostile_gives_nothing(
    here: Settings, mirror: Mirror, body: bytes, words: str
) -> None:
    mirror.files[ETCD_FILE] = body
    mirror.files[f"/v{ETCD.version}/SHA256SUMS"] = f"{digest(body)}  {ETCD_FILE.rpartition('/')[2]}\n".encode()
    with pytest.raises(EngineError, match=words) as caught:
        get(here, "etcd")
    assert "\n" not in str(caught.value)
    assert ETCD.directory not in in_cache(here)


@pytest.mark.process
def test_only_the_programs_leave_an_archive(here: Settings, mirror: Mirror, tmp_path: Path) -> None:
    top = f"etcd-v{ETCD.version}-linux-{ARCH}"
    members = {f"{top}/{name}": program_body(name, ETCD.version) for name in ETCD.programs}
    body = archive({"../../evil": b"x", f"{top}/other": b"x", **members})
    mirror.files[ETCD_FILE] = body
    mirror.files[f"/v{ETCD.version}/SHA256SUMS"] = f"{digest(body)}  {ETCD_FILE.rpartition('/')[2]}\n".encode()
    get(here, "etcd")
    assert sorted(p.name for p in (here.engine_cache / ETCD.directory).iterdir()) == sorted([*ETCD.programs, MANIFEST])
    assert not list(tmp_path.rglob("evil"))


@pytest.mark.process
def test_a_host_that_nobody_answers_at_is_tried_once(tmp_path: Path, mirror: Mirror) -> None:
    with serving() as gone:
        url = gone.url
    dead = Settings(
        state=tmp_path, engine_cache=tmp_path / "cache", mirrors=Mirrors(etcd=url, kubernetes=url, kwok=url)
    )
    with pytest.raises(EngineError, match="can't be reached"):
        get(dead)
    source = DownloadSource(tmp_path / "cache", dead.mirrors, lambda _: None)
    source._dead[url.removeprefix("http://")] = "nobody there"
    with pytest.raises(EngineError, match="nobody there"):
        source.make(KWOK, tmp_path / "out", SimpleNamespace())  # type: ignore[arg-type]


@pytest.mark.process
def test_a_disk_that_is_full_is_said_before_and_in_between(
    here: Settings, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=7_000_000))
        with pytest.raises(EngineError, match="7 MB are free, but downloading kwok-0.8 takes"):
            get(here, "kwok")
    assert mirror.asked == []

    class Full(io.BytesIO):
        def write(self, _: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "open", lambda *_, **__: Full())
    with pytest.raises(NoRoom, match="no space left on device; make room"), fetch._said_plainly("http://x"):
        fetch._one_try(f"{mirror.url}{KWOK_FILE}", here.engine_cache / "part", lambda *_: None)


@pytest.mark.process
def test_a_full_disk_ends_the_whole_run_and_every_engine_is_told(
    here: Settings, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise NoRoom("no space left on device")

    monkeypatch.setattr(download, "fetch", full)
    notes = Notes()
    with pytest.raises(EngineError, match="etcd-3.7: no space left"):
        install((), here, notes, origin="download")
    assert {progress.engine for progress in notes.shown if progress.state == "failed"} == set(engine_pins())
    assert sum(path.endswith("SHA256SUMS") for path, _ in mirror.asked) == 1


def test_elsewhere_than_on_linux_the_servers_of_kubernetes_are_not_published(tmp_path: Path) -> None:
    source = DownloadSource(tmp_path, Mirrors(), lambda _: None, system="darwin", machine="arm64")
    pins = engine_pins("darwin")
    assert source.files(pins["etcd-3.7"]) == [f"v{ETCD.version}/etcd-v{ETCD.version}-darwin-arm64.zip"]
    assert "kubelet" not in pins["kubernetes-1.37"].programs
    with pytest.raises(EngineError, match="Kubernetes publishes no programs for darwin; `--from go` builds them"):
        source.files(pins["kubernetes-1.37"])
    odd = DownloadSource(tmp_path, Mirrors(), lambda _: None, system="linux", machine="sparc64")
    with pytest.raises(EngineError, match="no official programs for sparc64"):
        odd.files(KWOK)


def test_lists_of_checksums() -> None:
    one, other = "a" * 64, "B" * 64
    assert checksum_of("x", f"{one}\n") == one
    assert checksum_of("x", f"{one}  y\n{other} *bin/x\n") == "b" * 64
    assert checksum_of("x", f"{one}  y\n") is None
    assert checksum_of("x", "") is None
