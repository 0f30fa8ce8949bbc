"""What notebook 2_3 says of the workflow and of the README header is so."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from huggingface_hub import metadata_load

from milestone2.space.card import write_card

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def prose() -> str:
    notebook = json.loads((ROOT / "notebooks" / "2_3_publish_a_space.ipynb").read_text(encoding="utf-8"))
    return "\n".join("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown")


def test_the_workflow_has_every_line_that_is_shown_of_it(prose):
    workflow = (ROOT / ".github" / "workflows" / "publish.yml").read_text(encoding="utf-8")
    lines = {line.strip().removeprefix("- ") for line in workflow.splitlines()}
    (shown,) = re.findall(r"```yaml\n(.*?)```", prose, re.DOTALL)
    assert len(shown.splitlines()) > 10
    assert [line for line in shown.splitlines() if line.strip().removeprefix("- ") not in lines] == []
    assert yaml.safe_load(shown)["jobs"]["space"]["permissions"]["id-token"] == "write"


@pytest.mark.parametrize("kind", ["static", "docker"])
def test_every_field_of_the_course_s_own_header_is_explained(prose, kind, tmp_path):
    fields = metadata_load(write_card(tmp_path, "sentiment", "sentiment", kind))
    table = "".join(line.split("|")[1] for line in prose.splitlines() if line.startswith("| `"))
    assert [field for field in fields if f"`{field}`" not in table] == []


def test_commands_name_options_that_exist(prose):
    from milestone2.space.__main__ import build_parser

    commands = re.findall(r"^python -m milestone2\.space (.+)$", prose, re.MULTILINE)
    assert len(commands) >= 2
    for command in commands:
        build_parser().parse_args(command.split())
