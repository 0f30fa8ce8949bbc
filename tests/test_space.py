"""`python -m milestone2.space publish`, with the real client library, against a stand-in for the Hub."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from milestone2.space.__main__ import main
from milestone2.space.hub_stand_in import Account, HubStandIn

ROOT = Path(__file__).resolve().parent.parent
TOKEN = "hf_" + "adaAdaAda" * 4
PAID = "hf_" + "bobBobBob" * 4
READ_ONLY = "hf_" + "eveEveEve" * 4
EXPIRED = "hf_" + "goneGone" * 5


@pytest.fixture
def hub():
    ada, bob = Account("ada", TOKEN, ("class-2026",)), Account("bob", PAID, paid=True)
    with HubStandIn(ada, bob, Account("eve", READ_ONLY, role="read")) as stand_in:
        yield stand_in


@pytest.fixture
def publish(hub, tmp_path, monkeypatch, capfd):
    """Run `publish` with the login of `token`; returns its exit status and output, which never shows a token."""

    def run(folder: Path, space: str, *options: str, token: str | None = TOKEN, workflow: str = "") -> tuple[int, str]:
        hub.log_in(token, tmp_path / "home")
        monkeypatch.setenv("HF_OIDC_RESOURCE", workflow)
        monkeypatch.setenv("HF_OIDC_ID_TOKEN", "from-github")
        capfd.readouterr()
        status = main(["publish", "--folder", str(folder), "--space", space, *options])
        output = "".join(capfd.readouterr())
        assert "hf_" not in output
        return status, output

    return run


@pytest.fixture
def page(tmp_path):
    """What a build of kind static looks like, with a model that is large enough for the large-file protocol."""
    folder = tmp_path / "page"
    (folder / "models" / "tiny" / "onnx").mkdir(parents=True)
    (folder / "README.md").write_text("---\ntitle: Tiny\nsdk: static\ncolorFrom: blue\n---\n")
    (folder / "index.html").write_text("<title>Tiny</title>")
    (folder / "models" / "tiny" / "onnx" / "model_quantized.onnx").write_bytes(bytes(range(256)) * 100)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_publish_is_a_command(hub, page, tmp_path):
    command = [sys.executable, "-m", "milestone2.space", "publish", "--folder", page, "--space", "ada/tiny"]
    environment = hub.environment(tmp_path / "home", TOKEN)
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(f"Published: {hub.endpoint}/spaces/ada/tiny\n")
    assert hub.repository("ada/tiny", "space").files.items() >= contents(page).items()
    done = subprocess.run([*command, "--token", TOKEN], env=environment, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2  # a token is never an argument


def test_publish_makes_a_space_then_updates_it_and_removes_what_is_gone(hub, page, publish):
    status, output = publish(page, "ada/tiny")
    assert status == 0, output
    assert "Making the public static Space ada/tiny" in output
    assert f"Published: {hub.endpoint}/spaces/ada/tiny" in output
    space = hub.repository("ada/tiny", "space")
    attributes = {".gitattributes": space.files[".gitattributes"]}
    assert space.files == contents(page) | attributes
    assert (space.sdk, space.private) == ("static", False)

    (page / "index.html").rename(page / "start.html")
    (page / "README.md").write_text("---\ntitle: Tinier\nsdk: static\n---\n")
    status, output = publish(page, "ada/tiny")
    assert status == 0, output
    assert "Removed, because the folder has them no more: index.html." in output
    assert space.files == contents(page) | attributes

    commits = len(space.commits)
    status, output = publish(page, "ada/tiny")
    assert (status, len(space.commits)) == (0, commits)
    assert "nothing has changed" in output


def test_a_space_can_be_private_and_an_organisations(hub, page, publish):
    status, output = publish(page, "class-2026/tiny", "--private")
    assert status == 0, output
    assert hub.repository("class-2026/tiny", "space").private


def test_publish_takes_the_login_of_hf_auth_login(hub, page, publish, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "token").write_text(TOKEN)
    status, output = publish(page, "ada/tiny", token=None)
    assert status == 0, output
    assert ("space", "ada/tiny") in hub.repositories


@pytest.mark.parametrize(
    "token, space, says",
    [
        (None, "ada/tiny", "not logged in"),
        (EXPIRED, "ada/tiny", "does not accept your token"),
        (READ_ONLY, "eve/tiny", "may only read"),
        (TOKEN, "adda/tiny", "the OWNER in OWNER/NAME can be ada or class-2026"),
        (TOKEN, "bob/theirs", "You may not write to the Space bob/theirs"),
        (TOKEN, "bob/hidden", "You may not write to the Space bob/hidden"),
        (TOKEN, "tiny", "'tiny' is not the name of a Space: it must read OWNER/NAME"),
        (TOKEN, "ada/my space", "it must read OWNER/NAME"),
    ],
)
def test_a_refusal_is_one_sentence(hub, page, publish, token, space, says):
    assert publish(page, "bob/theirs", token=PAID)[0] == 0
    assert publish(page, "bob/hidden", "--private", token=PAID)[0] == 0
    before = {key: len(repository.commits) for key, repository in hub.repositories.items()}
    (page / "index.html").write_text("<title>Changed</title>")
    status, output = publish(page, space, token=token)
    assert status == 1
    lines = output.splitlines()
    assert [line.startswith("error: ") for line in lines] == [*[False] * (len(lines) - 1), True], output
    assert says in lines[-1]
    assert {key: len(repository.commits) for key, repository in hub.repositories.items()} == before


def test_a_space_with_another_sdk_is_left_alone(hub, page, publish):
    assert publish(page, "bob/tiny", token=PAID)[0] == 0
    (page / "README.md").write_text("---\ntitle: Tiny\nsdk: docker\n---\n")
    status, output = publish(page, "bob/tiny", token=PAID)
    assert status == 1
    assert "exists already, with the SDK static, and this folder is for docker" in output
    assert "/spaces/bob/tiny/settings" in output
    assert len(hub.repository("bob/tiny", "space").commits) == 2


def test_a_docker_space_without_a_paid_plan_is_refused_with_the_free_way(hub, page, publish):
    (page / "README.md").write_text("---\ntitle: Tiny\nsdk: docker\n---\n")
    status, output = publish(page, "ada/tiny")
    assert status == 1
    assert "paid plan" in output and "--kind static" in output


def test_without_network_publish_says_so(hub, page, publish):
    address = hub.endpoint
    hub.__exit__()
    status, output = publish(page, "ada/tiny")
    assert status == 1
    assert output.startswith(f"error: The Hub ({address}) cannot be reached.")


def test_a_workflow_publishes_as_trusted_publisher_without_a_secret(hub, page, publish):
    status, output = publish(page, "ada/tiny", token=None, workflow="spaces/ada/tiny")
    assert (status, "trusted publisher" in output) == (1, True), output
    hub.trusted["from-github"] = "spaces/ada/tiny"
    status, output = publish(page, "ada/tiny", token=None, workflow="spaces/ada/tiny")
    assert (status, "Publish once from your own computer" in output) == (1, True), output
    assert publish(page, "ada/tiny")[0] == 0
    (page / "index.html").write_text("<title>From a workflow</title>")
    status, output = publish(page, "ada/tiny", token=None, workflow="spaces/ada/tiny")
    assert status == 0, output
    newest = hub.repository("ada/tiny", "space").commits[-1]
    assert (newest.author, newest.files["index.html"]) == ("github-actions", b"<title>From a workflow</title>")


@pytest.mark.parametrize("name, text", [("app.py", f"TOKEN = '{TOKEN}'"), (".env", "SECRET=1"), ("sub/.env.local", "")])
def test_a_folder_with_a_secret_is_not_published(hub, page, publish, name, text):
    (page / name).parent.mkdir(exist_ok=True)
    (page / name).write_text(text)
    status, output = publish(page, "ada/tiny")
    assert status == 1
    assert str(page / name) in output
    assert not hub.requests


@pytest.mark.parametrize("readme", [None, "# No header", "---\nsdk: streamlit\n---\n", "---\nsdk: [\n---\n"])
def test_a_folder_that_is_no_space_is_not_published(hub, page, publish, readme):
    (page / "README.md").unlink()
    if readme is not None:
        (page / "README.md").write_text(readme)
    status, output = publish(page, "ada/tiny")
    assert status == 1
    assert output.startswith("error: ") and "README.md" in output and output.count("\n") == 1
    assert not hub.requests
