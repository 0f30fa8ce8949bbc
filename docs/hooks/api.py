"""Hook: a page for each package, with a section for each module, from their docstrings."""

from __future__ import annotations

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from project import ROOT

PACKAGES = {
    "course": "What every notebook shares, and the launcher.",
    "milestone1": "Behind milestone 1: the environment's doctor.",
    "milestone2": "Behind milestone 2: models, classifiers, their export, and the apps.",
    "milestone3": "Behind milestone 3: comments, encoding, fine-tuning, evaluation.",
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages, which exist nowhere as files."""
    for package, summary in PACKAGES.items():
        modules = modules_of(package)
        if modules:
            lines = [f"# {package}", "", summary, "", *(f"::: {module}\n" for module in modules)]
            files.append(File.generated(config, f"api/{package}.md", content="\n".join(lines)))
    return files


def modules_of(package: str) -> list[str]:
    """The dotted names of a package's modules that say what they are for."""
    found = []
    for path in sorted((ROOT / package).rglob("*.py")):
        inside = path.relative_to(ROOT).with_suffix("")
        is_module = all((ROOT / parent / "__init__.py").is_file() for parent in inside.parents[:-1])
        if is_module and not any(part.startswith("_") for part in inside.parts) and says_something(path):
            found.append(".".join(inside.parts))
    return found


def says_something(path: Path) -> bool:
    """Whether a file begins with a docstring."""
    return path.read_text(encoding="utf-8").lstrip().startswith('"""')
