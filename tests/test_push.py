"""`push_to_hub` of milestone 3, with the real client library, against a stand-in for the Hub."""

from __future__ import annotations

import json

import pytest
from huggingface_hub import constants

from milestone2.space.hub_stand_in import Account, HubStandIn
from milestone3.finetune import push_to_hub

TOKEN = "hf_" + "adaAdaAda" * 4
READ_ONLY = "hf_" + "eveEveEve" * 4


@pytest.fixture
def hub(monkeypatch, tmp_path):
    with HubStandIn(Account("ada", TOKEN, ("class-2026",)), Account("eve", READ_ONLY, role="read")) as stand_in:
        stand_in.log_in(TOKEN, tmp_path)
        yield stand_in


@pytest.fixture
def checkpoint(tmp_path):
    """A folder such as a run leaves behind."""
    folder = tmp_path / "my-model"
    (folder / "checkpoints" / "checkpoint-5").mkdir(parents=True)
    (folder / "checkpoints" / "checkpoint-5" / "optimizer.pt").write_bytes(b"0" * 100)
    (folder / "model.safetensors").write_bytes(b"1" * 1000)
    (folder / "README.md").write_text("---\nlicense: mit\n---\n# Model card\n")
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "run.json"):
        (folder / name).write_text(json.dumps({"name": name}))
    return folder


def test_a_checkpoint_becomes_a_private_model_repository(hub, checkpoint, capfd):
    assert push_to_hub(checkpoint, "ada/my-model") == f"{hub.endpoint}/ada/my-model"
    output = "".join(capfd.readouterr())
    assert TOKEN not in output
    repository = hub.repository("ada/my-model")
    assert repository.private
    expected = {"README.md", "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    assert set(repository.files) == {".gitattributes", *expected}
    assert all(repository.files[name] == (checkpoint / name).read_bytes() for name in expected)
    assert all(TOKEN.encode() not in content for content in repository.files.values())


def test_the_same_command_updates_the_repository(hub, checkpoint):
    push_to_hub(checkpoint, "class-2026/my-model")
    (checkpoint / "model.safetensors").write_bytes(b"2" * 1000)
    push_to_hub(checkpoint, "class-2026/my-model")
    repository = hub.repository("class-2026/my-model")
    assert repository.files["model.safetensors"] == b"2" * 1000
    assert len(repository.commits) == 3


@pytest.mark.parametrize(
    "token, name, error, says",
    [
        (None, "ada/my-model", PermissionError, "`hf auth login`"),
        ("hf_" + "goneGone" * 5, "ada/my-model", PermissionError, "does not accept your token"),
        (READ_ONLY, "eve/my-model", PermissionError, "may only read"),
        (TOKEN, "adda/my-model", PermissionError, "ada or class-2026"),
        (TOKEN, "my model", ValueError, "OWNER/NAME"),
        (TOKEN, "https://huggingface.co/ada/my-model", ValueError, "OWNER/NAME"),
    ],
)
def test_a_refusal_is_one_line_without_the_token(hub, checkpoint, monkeypatch, tmp_path, token, name, error, says):
    hub.log_in(token, tmp_path)
    with pytest.raises(error) as refused:
        push_to_hub(checkpoint, name)
    message = str(refused.value)
    assert says in message
    assert "\n" not in message
    assert token is None or token not in message
    assert not hub.repositories


def test_without_network_a_push_says_so(hub, checkpoint, monkeypatch):
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ConnectionError, match=r"The Hub \(http://127.0.0.1:9\) cannot be reached"):
        push_to_hub(checkpoint, "ada/my-model")


def test_a_push_in_offline_mode_says_so(hub, checkpoint, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ConnectionError, match="HF_HUB_OFFLINE is set"):
        push_to_hub(checkpoint, "ada/my-model")


def test_an_unfinished_checkpoint_is_not_pushed(hub, checkpoint):
    (checkpoint / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match="it lacks model.safetensors"):
        push_to_hub(checkpoint, "ada/my-model")
    assert not hub.requests


def test_a_checkpoint_with_a_token_in_a_file_is_not_pushed(hub, checkpoint):
    (checkpoint / "README.md").write_text(f"My token is {TOKEN}")
    with pytest.raises(ValueError, match="README.md holds an access token") as refused:
        push_to_hub(checkpoint, "ada/my-model")
    assert TOKEN not in str(refused.value)
    assert not hub.requests
