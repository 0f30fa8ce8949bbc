"""A headless Chromium that keeps watch, and a web server on the loopback, for tests of pages."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NAMES = ("chromium", "chromium-browser", "google-chrome")
WAIT_MILLISECONDS = 300_000  # a busy computer is slow; no test waits for so long unless something is broken


def find_chromium() -> str:
    """Path of the browser; the test fails, rather than being skipped, where there is none."""
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    if found is None:
        pytest.fail("This test needs Chromium. Run: apt-get install chromium (Debian), brew install chromium (Mac).")
    return found


@contextmanager
def chromium(*flags: str, beside=None) -> Iterator:
    """A running browser, a Playwright `Browser`; `beside` is one that runs already, if there is one."""
    if beside is not None:  # Playwright cannot be started twice in one thread
        browser = beside.browser_type.launch(executable_path=find_chromium(), args=[*FLAGS, *flags])
        try:
            yield browser
        finally:
            browser.close()
        return
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        pytest.fail("This test needs Playwright: python -m pip install playwright.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=[*FLAGS, *flags])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def watched_page(browser, **options) -> Iterator:
    """A page of its own profile; at the end, the test fails if anything went wrong unnoticed.

    That is: an error in the console, an exception that nothing caught, a request that failed, or one to another host.
    What the test expects is taken off `page.troubles`, a list of texts. Options are those of Playwright's `new_page`.
    """
    page = browser.new_page(**options)
    page.set_default_timeout(WAIT_MILLISECONDS)
    page.troubles, page.requests = [], []
    page.on("console", lambda said: page.troubles.append(f"console: {said.text}") if said.type == "error" else None)
    page.on("pageerror", lambda error: page.troubles.append(f"exception: {error}"))
    page.on("requestfailed", lambda request: page.troubles.append(f"failed: {request.url}"))
    page.on("request", lambda request: _note(page, request.url))
    page.on("response", lambda answer: _check(page, answer))
    try:
        yield page
        assert page.troubles == [], page.troubles
    finally:
        page.close()


def _check(page, answer) -> None:
    if answer.status >= 400:
        page.troubles.append(f"{answer.status}: {answer.url}")


def _note(page, url: str) -> None:
    page.requests.append(url)
    if not url.startswith(("http://127.0.0.1:", "file:", "data:", "blob:http://127.0.0.1:")):
        page.troubles.append(f"other host: {url}")


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def copyfile(self, source, outputfile):
        # A page that is closed while it downloads hangs up, which is no news.
        with suppress(ConnectionError):
            super().copyfile(source, outputfile)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Address of a server for a folder, as plain as a static host: no headers of its own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
