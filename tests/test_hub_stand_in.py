"""The stand-in for the Hugging Face Hub, as the real client library sees it.

What a Hub does is known to the library: these tests say nothing about its protocol, only what comes out at the end.
"""

from __future__ import annotations

import hashlib
import random
import subprocess
import sys
import urllib.request

import pytest
from huggingface_hub import HfApi, constants, get_token
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from milestone2.space.hub_stand_in import Account, HubStandIn

ADA = Account("ada", "hf_ada", organisations=("class-2026",))
BOB = Account("bob", "hf_bob", paid=True)
READER = Account("eve", "hf_eve", role="read")
LARGE = random.Random(0).randbytes(11_000_000)


@pytest.fixture
def hub(monkeypatch, tmp_path):
    with HubStandIn(ADA, BOB, READER) as stand_in:
        stand_in.log_in(None, tmp_path)
        yield stand_in


def login(hub: HubStandIn, account: Account | None = ADA) -> HfApi:
    return HfApi(endpoint=hub.endpoint, token=account.token if account else False)


@pytest.fixture
def folder(tmp_path):
    """A small model with a weight file that is too large for plain git."""
    folder = tmp_path / "model"
    (folder / "onnx").mkdir(parents=True)
    (folder / "config.json").write_text('{"labels": 6}')
    (folder / "README.md").write_text("---\nlicense: mit\n---\nWith an accent: caf\u00e9\n", encoding="utf-8")
    (folder / "onnx" / "weights.data").write_bytes(LARGE)
    (folder / "empty.safetensors").touch()
    return folder


def test_says_who_is_logged_in(hub):
    answer = login(hub).whoami()
    assert answer["name"] == "ada"
    assert [group["name"] for group in answer["orgs"]] == ["class-2026"]


@pytest.mark.parametrize("kind", ["model", "dataset", "space"])
def test_an_uploaded_folder_comes_back_byte_by_byte(hub, folder, tmp_path, kind):
    ada = login(hub)
    sdk = "static" if kind == "space" else None
    url = ada.create_repo("ada/demo", repo_type=kind, space_sdk=sdk, private=True)
    assert (url.repo_id, url.repo_type) == ("ada/demo", kind)
    if kind == "space":
        (folder / "README.md").write_text("---\ntitle: Demo\nsdk: static\n---\n")
    ada.upload_folder(repo_id="ada/demo", repo_type=kind, folder_path=folder)
    sent = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert set(ada.list_repo_files("ada/demo", repo_type=kind)) == {*sent, ".gitattributes"}
    place = ada.snapshot_download("ada/demo", repo_type=kind, cache_dir=tmp_path / "cache")
    for path, content in sent.items():
        with open(f"{place}/{path}", "rb") as stream:
            assert stream.read() == content, path
    info = ada.repo_info("ada/demo", repo_type=kind)
    assert info.private and place.endswith(info.sha)
    assert getattr(info, "sdk", None) == sdk


def test_a_large_file_goes_by_the_large_file_protocol_and_only_once(hub, folder):
    ada = login(hub)
    ada.create_repo("ada/demo")
    ada.upload_folder(repo_id="ada/demo", folder_path=folder)
    entry = next(entry for entry in ada.list_repo_tree("ada/demo", recursive=True) if entry.path.endswith(".data"))
    assert entry.lfs.sha256 == hashlib.sha256(LARGE).hexdigest()
    assert entry.lfs.size == len(LARGE)
    (folder / "config.json").write_text("{}")
    ada.upload_folder(repo_id="ada/demo", folder_path=folder)
    assert sum(request.method == "PUT" for request in hub.requests) == 1


def test_an_update_changes_adds_and_deletes_in_one_commit(hub, folder):
    ada = login(hub)
    ada.create_repo("ada/demo")
    first = ada.upload_folder(repo_id="ada/demo", folder_path=folder)
    (folder / "config.json").write_text("{}")
    (folder / "new.txt").write_text("new")
    (folder / "onnx" / "weights.data").unlink()
    ada.upload_folder(repo_id="ada/demo", folder_path=folder, delete_patterns="*", commit_message="Second")
    repository = hub.repository("ada/demo")
    assert repository.files["config.json"] == b"{}"
    assert sorted(repository.files) == [".gitattributes", "README.md", "config.json", "empty.safetensors", "new.txt"]
    titles = [commit.title for commit in ada.list_repo_commits("ada/demo")]
    assert titles == ["Second", "Upload folder using huggingface_hub", "initial commit"]
    assert "onnx/weights.data" in ada.list_repo_files("ada/demo", revision=first.oid)


def test_an_upload_without_changes_makes_no_commit(hub, folder):
    ada = login(hub)
    ada.create_repo("ada/demo")
    for _ in range(2):
        ada.upload_folder(repo_id="ada/demo", folder_path=folder)
    assert len(hub.repository("ada/demo").commits) == 2


def test_folders_and_repositories_can_be_deleted(hub, folder):
    ada = login(hub)
    ada.create_repo("ada/demo")
    ada.upload_folder(repo_id="ada/demo", folder_path=folder)
    ada.delete_folder("onnx", repo_id="ada/demo")
    assert not ada.file_exists("ada/demo", "onnx/weights.data")
    with pytest.raises(EntryNotFoundError):
        ada.delete_file("never-there.txt", repo_id="ada/demo")
    ada.delete_repo("ada/demo")
    assert not ada.repo_exists("ada/demo")


def test_a_broken_download_goes_on_where_it_stopped(hub, folder, tmp_path):
    ada = login(hub)
    ada.create_repo("ada/demo")
    ada.upload_folder(repo_id="ada/demo", folder_path=folder)
    chunk = constants.DOWNLOAD_CHUNK_SIZE  # what the library writes at once
    hub.cut_after = chunk + 1000
    with open(ada.hf_hub_download("ada/demo", "onnx/weights.data", cache_dir=tmp_path / "cache"), "rb") as stream:
        assert stream.read() == LARGE
    asked = [request.range for request in hub.requests if request.method == "GET" and "large-files" in request.path]
    assert asked == [None, f"bytes={chunk}-"]
    assert {request.user for request in hub.requests if "large-files" in request.path} == {None}
    address = f"{hub.storage}/large-files/{hashlib.sha256(LARGE).hexdigest()}"
    rest = urllib.request.urlopen(urllib.request.Request(address, headers={"Range": f"bytes={chunk}-"}))
    assert (rest.status, rest.read()) == (206, LARGE[chunk:])


def test_other_revisions_can_be_read(hub, folder, tmp_path):
    ada = login(hub)
    ada.create_repo("ada/demo")
    repository = hub.repository("ada/demo")
    ada.upload_folder(repo_id="ada/demo", folder_path=folder)
    repository.branches["refs/pr/1"] = repository.commits[-1]
    assert ada.hf_hub_download("ada/demo", "config.json", revision="refs/pr/1", cache_dir=tmp_path / "cache")
    with pytest.raises(RevisionNotFoundError):
        ada.model_info("ada/demo", revision="refs/pr/2")


def test_a_repository_can_be_made_private_and_gated(hub, folder, tmp_path):
    ada = login(hub)
    ada.create_repo("ada/demo")
    ada.upload_folder(repo_id="ada/demo", folder_path=folder)
    ada.update_repo_settings("ada/demo", gated="manual")
    for account in (None, BOB):
        with pytest.raises(GatedRepoError):
            login(hub, account).hf_hub_download("ada/demo", "config.json", cache_dir=tmp_path / "cache")
    hub.repository("ada/demo").readers.add("bob")
    assert login(hub, BOB).hf_hub_download("ada/demo", "config.json", cache_dir=tmp_path / "cache")
    ada.update_repo_settings("ada/demo", private=True)
    for account in (None, BOB):
        with pytest.raises(RepositoryNotFoundError):
            login(hub, account).model_info("ada/demo")


def status_of(call, *arguments, **options) -> int:
    with pytest.raises(HfHubHTTPError) as refused:
        call(*arguments, **options)
    return refused.value.response.status_code


def test_creating_is_refused_without_token_right_or_plan(hub):
    space = {"repo_type": "space", "space_sdk": "docker"}
    assert status_of(login(hub, None).create_repo, "ada/demo") == 401
    assert status_of(login(hub, READER).create_repo, "eve/demo") == 403
    assert status_of(login(hub).create_repo, "adda/demo") == 403
    assert status_of(login(hub).create_repo, "ada/demo", **space) == 402
    assert login(hub, BOB).create_repo("bob/demo", **space)
    assert login(hub).create_repo("class-2026/demo")
    assert status_of(login(hub).create_repo, "class-2026/demo") == 409
    assert login(hub).create_repo("class-2026/demo", exist_ok=True).repo_id == "class-2026/demo"


def test_writing_is_refused_without_token_or_right(hub, folder):
    login(hub).create_repo("ada/demo")
    assert status_of(login(hub, BOB).upload_folder, repo_id="ada/demo", folder_path=folder) == 403
    assert status_of(login(hub, None).upload_folder, repo_id="ada/demo", folder_path=folder) == 401
    assert status_of(HfApi(endpoint=hub.endpoint, token="hf_expired").whoami) == 401
    assert len(hub.repository("ada/demo").commits) == 1
    assert [request.user for request in hub.requests][-1] is None


def test_a_wrong_readme_of_a_space_is_refused(hub, tmp_path):
    ada = login(hub)
    ada.create_repo("ada/demo", repo_type="space", space_sdk="static")
    (tmp_path / "README.md").write_text("---\ntitle: Demo\nsdk: streamlit\ncolorFrom: orange\n---\n")
    with pytest.raises(ValueError, match="sdk"):
        ada.upload_folder(repo_id="ada/demo", repo_type="space", folder_path=tmp_path)


def test_a_login_of_this_process_replaces_every_other_one_and_ends_with_the_stand_in(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_TOKEN", "hf_own")
    before = {name: getattr(constants, name) for name in ("ENDPOINT", "HF_HUB_OFFLINE", "HF_TOKEN_PATH")}
    with HubStandIn(ADA, BOB) as stand_in:
        stand_in.log_in("hf_ada", tmp_path)
        stand_in.log_in("hf_bob", tmp_path)
        assert HfApi().whoami()["name"] == "bob"
        command = [sys.executable, "-c", "import huggingface_hub as hub; print(hub.whoami()['name'])"]
        assert subprocess.run(command, capture_output=True, text=True).stdout == "bob\n"
        stand_in.log_in(None, tmp_path)
        assert get_token() is None
    assert get_token() == "hf_own"
    assert {name: getattr(constants, name) for name in before} == before
