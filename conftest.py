"""For every test, notebooks included: a folder for what is trained, and a word on what cannot be tested here."""

import os
import shutil
import tempfile

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def cannot_browse() -> str | None:
    """Say what the tests marked `browser` lack here; None where they can run, and in CI, where they must."""
    if os.environ.get("CI"):
        return None
    lacking = [] if any(map(shutil.which, BROWSERS)) else ["Chromium"]
    lacking += [] if shutil.which("npm") else ["npm"]
    return " and ".join(lacking) or None


def pytest_configure(config):
    # One folder for each worker process, so that two notebooks never train in the same one at once.
    config.course_runs = tempfile.mkdtemp(prefix="course-runs-")
    os.environ["COURSE_RUNS"] = config.course_runs


def pytest_unconfigure(config):
    shutil.rmtree(config.course_runs, ignore_errors=True)


def pytest_report_header():
    lacking = cannot_browse()
    return f"LEFT OUT: the tests of pages in a browser, because {lacking} is not installed here." if lacking else None


def pytest_collection_modifyitems(config, items):
    if cannot_browse():
        left_out = [item for item in items if item.get_closest_marker("browser")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
