"""Files and profiles that places are given: what is put there, when it is made, and what is shown of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from support.ops import quiet
from support.story_fakes import StageLab

from rwk_tui.cluster import roles
from rwk_tui.cluster.files import File, ProfileOp, PutOp, certificates, in_words
from rwk_tui.cluster.pki import Pki
from rwk_tui.lab.protocol import LabError


async def test_files_are_made_when_they_are_put_and_not_when_that_is_planned(tmp_path: Path) -> None:
    machine = StageLab().stage["core-01"]
    made: list[str] = []

    def content() -> bytes:
        made.append("made")
        return b"text"

    op = PutOp(machine, (File("a/b", content), File("c", lambda: b"", 0o644)), "two files")
    await op.resolve()
    assert (op.machine, op.command()) == ("core-01", "# core-01 gets two files")
    assert made == [] and machine.files == {}
    assert (await op.run(quiet)).exit_code == 0
    assert machine.files == {"a/b": (b"text", 0o600), "c": (b"", 0o644)}


async def test_a_file_that_can_not_be_made_says_why(tmp_path: Path) -> None:
    def content() -> bytes:
        raise LabError("no such snapshot")

    machine = StageLab().stage["core-01"]
    with pytest.raises(LabError, match="no such snapshot"):
        await PutOp(machine, (File("a", content),), "a file").run(quiet)
    assert machine.files == {}


async def test_a_profile_is_set_as_a_whole_with_what_is_known_then(tmp_path: Path) -> None:
    lab = StageLab()
    variables = {"A": "1"}
    op = ProfileOp(lab.desk, "A", lambda: variables)
    variables["A"] = "2"
    assert (op.machine, op.command()) == ("presenter", "# presenter: the profile sets A")
    await op.resolve()
    assert lab.desk.profile == {}
    await op.run(quiet)
    assert lab.desk.profile == {"A": "2"}


async def test_certificates_come_with_their_authorities_and_only_keys_are_secret(tmp_path: Path) -> None:
    lab = StageLab()
    machine = lab.stage["core-01"]
    pki = Pki(tmp_path)
    papers = roles.api_server(machine, lab)
    files = certificates(pki, papers)
    assert not pki.exists("etcd"), "planning makes nothing"
    assert [file.path for file in files] == [
        "pki/kubernetes/ca.crt",
        "pki/etcd/ca.crt",
        "pki/front-proxy/ca.crt",
        "pki/kubernetes/apiserver.crt",
        "pki/kubernetes/apiserver.key",
        "pki/etcd/apiserver.crt",
        "pki/etcd/apiserver.key",
        "pki/front-proxy/client.crt",
        "pki/front-proxy/client.key",
    ]
    assert {file.mode for file in files if file.path.endswith(".key")} == {0o600}
    assert not [file for file in files if file.path.endswith("ca.key")], "no machine can vouch for others"
    await PutOp(machine, files, in_words(papers)).run(quiet)
    cert = x509.load_pem_x509_certificate(machine.files["pki/kubernetes/apiserver.crt"][0])
    key = serialization.load_pem_private_key(machine.files["pki/kubernetes/apiserver.key"][0], None)
    assert cert.public_key() == key.public_key()
    cert.verify_directly_issued_by(x509.load_pem_x509_certificate(machine.files["pki/kubernetes/ca.crt"][0]))


def test_people_are_told_whom_certificates_name() -> None:
    assert in_words((roles.ADMIN, roles.PRESENTER)) == (
        "certificates for kubernetes-admin (kubernetes CA), presenter (etcd CA)"
    )
