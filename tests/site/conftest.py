"""The site, built once for all tests, and the browser that reads it."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import pytest
from browser import chromium, served
from site_build import HOOKS, build

from course.locking import only_one


def pytest_collection_modifyitems(config, items):
    """Without the packages of the extra `site`, its tests are left out, but never in CI."""
    if importlib.util.find_spec("mkdocs") is None and not os.environ.get("CI"):
        here = [item for item in items if item.path.parent == Path(__file__).parent]
        config.hook.pytest_deselected(items=here)
        items[:] = [item for item in items if item not in here]


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Path:
    """The built site, in a subfolder, as on GitHub Pages. Several workers share one.

    COURSE_SITE names one that is built already, for who works on these tests.
    """
    if "COURSE_SITE" in os.environ:
        return Path(os.environ["COURSE_SITE"])
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared
    folder, finished = shared / "host" / "course", shared / "site-is-built"
    with only_one(shared / "site.lock"):
        if not finished.exists():
            done = build(folder)
            assert done.returncode == 0, done.stdout + done.stderr
            finished.touch()
    return folder


@pytest.fixture(scope="session")
def pages(site) -> dict[str, Path]:
    """Every page of the site by its address, without the page in the demo's frame."""
    found = {path.relative_to(site).as_posix().removesuffix("index.html"): path for path in site.rglob("index.html")}
    del found["demo/app/"]
    assert len(found) > 25
    return dict(sorted(found.items()))


@pytest.fixture(scope="session")
def address(site):
    with served(site.parent) as root:
        yield f"{root}course/"


@pytest.fixture(scope="module")  # a second file's browser could not start beside it
def browser():
    # A busy computer gives hidden pages no time at all.
    with chromium("--disable-renderer-backgrounding", "--disable-backgrounding-occluded-windows") as running:
        yield running


@pytest.fixture(scope="session")
def hooks():
    """The folder of the site's hooks, from which tests may import."""
    sys.path.insert(0, str(HOOKS))
    yield HOOKS
    sys.path.remove(str(HOOKS))


@pytest.fixture(scope="session")
def axe(hooks, tmp_path_factory) -> str:
    from libraries import fetch

    packages = fetch(["axe-core"], tmp_path_factory.mktemp("axe"))
    return (packages / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
