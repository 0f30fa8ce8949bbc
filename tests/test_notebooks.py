"""What can be seen in the notebooks without running them. nbval runs them and compares their outputs."""

from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path

import pytest
from matplotlib.image import imread
from slurs import contains_slur

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# With nbval-check-output, an output is compared on real comments, too (--nbval-lax): it is a claim, not a figure.
TAGS = {"nbval-ignore-output", "nbval-check-output", "raises-exception"}
TOKEN = re.compile(r"\bhf_[A-Za-z0-9]{20,}|\bgh[pousr]_[A-Za-z0-9]{30,}")
# /mnt/c is where every WSL shows the Windows drive.
MACHINE_PATH = re.compile(r"/(?:home|Users|root|tmp|private|work|opt|usr|mnt(?!/c\b))/\w|[A-Z]:\\{1,2}Users")
PICTURE = re.compile(r"data:image/png;base64,([A-Za-z0-9+/=]+)")


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return json.loads(request.param.read_text(encoding="utf-8")) | {"path": request.param}


def code_cells(notebook: dict) -> list[dict]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def source(cell: dict) -> str:
    return "".join(cell["source"])


def tags(cell: dict) -> set[str]:
    return set(cell["metadata"].get("tags", []))


def html_of(cell: dict) -> str:
    return "".join("".join(output.get("data", {}).get("text/html", "")) for output in cell["outputs"])


def test_there_are_notebooks():
    assert len(NOTEBOOKS) >= 4


def test_was_run_from_top_to_bottom(notebook):
    """A cell without a count is run by nbval but never compared."""
    counts = [cell["execution_count"] for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))


def test_every_cell_that_shows_something_has_its_output(notebook):
    for cell in code_cells(notebook):
        last = source(cell).strip().splitlines()[-1]
        shows = re.match(
            r"(print|course\.show|display)\b|[\w.]+(\.round\(\d\)|\.to_frame\(.*\)|\.set_index\(.*\))?$", last
        )
        if shows:
            assert cell["outputs"], f"no output is stored for: {last}"


def test_no_output_is_an_error_or_a_warning(notebook):
    for cell in code_cells(notebook):
        for output in cell["outputs"]:
            assert output["output_type"] != "error" or "raises-exception" in tags(cell)
            assert output.get("name") != "stderr", output


def test_holds_no_token_no_path_of_a_machine_and_no_slur(notebook):
    text = PICTURE.sub("", notebook["path"].read_text(encoding="utf-8"))
    assert not TOKEN.search(text)
    assert not MACHINE_PATH.search(text), MACHINE_PATH.search(text)
    assert not contains_slur(text)


def test_every_picture_says_what_it_shows(notebook):
    """Pictures come from course.show, which asks for an alternative text."""
    for cell in code_cells(notebook):
        pictures = re.findall(r"<img\b[^>]*>", html_of(cell))
        assert all(re.search(r'alt="[^"]{40,}"', picture) for picture in pictures)
        assert not any("image/png" in output.get("data", {}) for output in cell["outputs"])
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            assert not re.search(r"!\[\s*\]\(", source(cell))


def test_no_picture_is_cut_off(notebook):
    """Whatever a picture shows, a title that is too long above all, leaves its edge white."""
    for cell in code_cells(notebook):
        found = PICTURE.findall(html_of(cell))
        assert len(found) == html_of(cell).count('src="data:image/png')
        for data in found:
            pixels = imread(io.BytesIO(base64.b64decode(data)))[..., :3]
            edges = [pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]
            assert all((edge == 1).all() for edge in edges), source(cell)


def test_shell_commands_cannot_fail_unseen(notebook):
    """nbval lets a failing `!command` pass; the one line allowed installs the course on Colab."""
    for cell in code_cells(notebook):
        lines = [line.strip() for line in source(cell).splitlines() if line.lstrip().startswith(("!", "%"))]
        assert all(line.startswith("%pip install -q ") for line in lines), lines


def test_what_is_not_compared_is_followed_by_what_is(notebook):
    ignored = ["nbval-ignore-output" in tags(cell) for cell in code_cells(notebook)]
    assert not ignored[-1]
    assert not any(all(ignored[start : start + 3]) for start in range(len(ignored) - 2))


def test_only_known_tags_are_used(notebook):
    assert set().union(*(tags(cell) for cell in notebook["cells"])) <= TAGS


def test_code_cells_are_short(notebook):
    for cell in code_cells(notebook):
        assert len(source(cell).splitlines()) <= 20, source(cell)


def test_metadata_is_the_same_everywhere(notebook):
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert "version" not in notebook["metadata"]["language_info"]
    assert notebook["path"].stat().st_size < 500_000


def test_tells_one_story_from_a_title_to_a_quiz(notebook):
    text = "\n".join(source(cell) for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    assert source(notebook["cells"][0]).startswith("# ")
    for part in (
        "**What you'll do**",
        "**What you'll learn**",
        "**What you'll need**",
        "## Recap",
        "## Check yourself",
        "**Next:**",
    ):
        assert part in text, part
    assert len(re.findall("<details>", text)) >= 3


def test_launch_links_name_this_notebook(notebook):
    first = source(notebook["cells"][0])
    links = re.findall(r"\]\((https://[^)]+)\)", first)
    assert len(links) == 3
    assert all(link.endswith(f"notebooks/{notebook['path'].name}") for link in links)
