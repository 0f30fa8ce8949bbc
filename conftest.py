"""For every test, notebooks included: what is trained goes into a folder of its own, made anew and removed at the end."""

import os
import shutil
import tempfile


def pytest_configure(config):
    # One folder for each worker process, so that two notebooks never train in the same one at once.
    config.course_runs = tempfile.mkdtemp(prefix="course-runs-")
    os.environ["COURSE_RUNS"] = config.course_runs


def pytest_unconfigure(config):
    shutil.rmtree(config.course_runs, ignore_errors=True)
