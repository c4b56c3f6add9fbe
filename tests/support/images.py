"""Container images of a few lines, as archives like those of `docker save`: from one static program, offline."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Sequence
from pathlib import Path

PAUSE = "registry.k8s.io/pause:3.10"
WEB = "docker.io/library/nginx:1.29"
"""What the deployments of the chapters run, by its full name: here it is a server that says on which pod it is."""
PORT = 80

# Process 1 of a container takes no signal that it does not ask for.
_PAUSE = ("/bin/busybox", "sh", "-c", "trap 'exit 0' TERM INT; while :; do sleep 3600 & wait $!; done")
_WEB = (
    "/bin/busybox",
    "sh",
    "-c",
    f"trap 'exit 0' TERM INT; mkdir -p /www; echo \"hello from $(hostname)\" > /www/index.html; "
    f"httpd -f -p {PORT} -h /www & wait",
)


def make_images(directory: Path) -> Path | None:
    """Write an archive of each image into that directory; None where there is no static busybox to make them of."""
    busybox = shutil.which("busybox")
    if busybox is None or b"/ld-linux" in Path(busybox).read_bytes():
        return None
    directory.mkdir(parents=True, exist_ok=True)
    layer = _layer(Path(busybox))
    (directory / "pause.tar").write_bytes(_archive(PAUSE, layer, _PAUSE))
    (directory / "web.tar").write_bytes(_archive(WEB, layer, _WEB))
    return directory


def _layer(busybox: Path) -> bytes:
    """The only layer: the program, under every name that the images call it by."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as tar:
        for name in ("bin", "tmp", "etc"):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(folder)
        _add(tar, "bin/busybox", busybox.read_bytes(), 0o755)
        for name in ("sh", "sleep", "httpd", "hostname", "mkdir", "wget", "cat", "ls", "ip"):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    return written.getvalue()


def _archive(name: str, layer: bytes, command: Sequence[str]) -> bytes:
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Cmd": list(command), "Env": ["PATH=/bin"], "WorkingDir": "/"},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        "history": [{"created_by": "the lab's tests"}],
    }
    encoded = json.dumps(config).encode()
    described = f"{hashlib.sha256(encoded).hexdigest()}.json"
    manifest = [{"Config": described, "RepoTags": [name], "Layers": ["layer.tar"]}]
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as tar:
        _add(tar, described, encoded)
        _add(tar, "layer.tar", layer)
        _add(tar, "manifest.json", json.dumps(manifest).encode())
    return written.getvalue()


def _add(tar: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), mode
    tar.addfile(info, io.BytesIO(content))
