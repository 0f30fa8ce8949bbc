"""Every page of the site in a real Chromium: no error, no other host, nothing that a reader could stumble over."""

from __future__ import annotations

import json
import re
import shutil

import pytest
from browser import WAIT_MILLISECONDS, watched_page
from playwright.sync_api import expect
from site_build import ROOT, SCREENSHOTS

from course.badges import launch_links, read_repository

pytestmark = pytest.mark.browser

PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 900}
PICTURED = (
    "",
    "start/",
    "milestone3/",
    "notebooks/3_1_explore_the_comments/",
    "notebooks/3_4_evaluate_honestly/",
    "demo/",
    "glossary/",
    "faq/",
    "results/",
    "api/milestone3/",
    "content-note/",
)


def take_picture(page, name: str, kind: str) -> None:
    """Keep what a person can look at afterwards, in .cache/screenshots."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name.strip('/').replace('/', '_') or 'home'}_{kind}.png")


def test_every_page_loads_without_an_error_a_failed_request_or_another_host(browser, address, pages):
    shutil.rmtree(SCREENSHOTS, ignore_errors=True)
    for name in pages:
        with watched_page(browser, viewport=DESK) as page:
            page.goto(address + name, wait_until="networkidle")
            assert page.locator("h1").count() == 1, name
            if name in PICTURED:
                take_picture(page, name, "light")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_problem_on_any_page(browser, address, pages, axe, scheme):
    found = {}
    with browser.new_context(color_scheme=scheme, viewport=DESK) as context:
        page = context.new_page()
        page.set_default_timeout(WAIT_MILLISECONDS)
        for name in pages:
            page.goto(address + name, wait_until="networkidle")
            shown = page.get_attribute("body", "data-md-color-scheme")
            assert shown == {"light": "default", "dark": "slate"}[scheme]
            page.evaluate(axe)
            violations = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
            serious = [each for each in violations if each["impact"] in ("serious", "critical")]
            found |= {(name, each["id"]): [node["html"][:120] for node in each["nodes"][:3]] for each in serious}
            if scheme == "dark" and name in PICTURED:
                take_picture(page, name, "dark")
    assert found == {}


def test_no_page_scrolls_sideways_on_a_phone(browser, address, pages):
    wide = {}
    with browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True) as context:
        page = context.new_page()
        page.set_default_timeout(WAIT_MILLISECONDS)
        for name in pages:
            page.goto(address + name, wait_until="networkidle")
            width = page.evaluate("document.documentElement.scrollWidth")
            if width > PHONE["width"]:
                wide[name] = width
            if name in PICTURED:
                take_picture(page, name, "phone")
    assert wide == {}


def test_the_search_finds_a_word_that_only_a_notebook_has(browser, address, site):
    entries = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))["docs"]
    notebook = "notebooks/3_1_explore_the_comments/"
    words: dict[bool, set] = {True: set(), False: set()}
    for entry in entries:
        words[entry["location"].startswith(notebook)].update(re.findall(r"\b[a-z]{8,12}\b", entry["text"]))
    stems = {word[:6] for word in words[False]}
    word = min(word for word in words[True] if word[:6] not in stems)
    with watched_page(browser, viewport=DESK) as page:
        page.goto(address, wait_until="networkidle")
        page.get_by_role("textbox", name="Search").fill(word)
        first = page.locator(".md-search-result__item a").first
        first.wait_for()
        assert notebook in first.get_attribute("href")
        take_picture(page, "search", "light")


def test_the_theme_can_be_switched_stays_and_reaches_the_demo(browser, address):
    with watched_page(browser, color_scheme="light", viewport=DESK) as page:
        page.goto(f"{address}demo/", wait_until="networkidle")
        page.locator("label[title='Switch to dark']").click()
        expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "slate")
        inside = page.frame_locator(".course-demo").locator("html")
        expect(inside).to_have_attribute("data-theme", "dark")
        page.reload(wait_until="networkidle")
        expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "slate")
        expect(inside).to_have_attribute("data-theme", "dark")


def test_each_notebook_has_its_launch_buttons_and_the_download_is_the_notebook(browser, address, pages):
    repository = read_repository(ROOT)
    notebooks = sorted((ROOT / "notebooks").rglob("[0-9]_*.ipynb"))
    assert notebooks
    with watched_page(browser) as page:
        for notebook in notebooks:
            path = notebook.relative_to(ROOT).as_posix()
            page.goto(address + path.removesuffix(".ipynb") + "/")
            links = launch_links(repository, path)
            bar = page.get_by_role("group", name="Open this notebook")
            assert bar.get_by_role("link", name="Open in Colab").get_attribute("href") == links["Colab"]
            assert bar.get_by_role("link", name="Open in Binder").get_attribute("href") == links["Binder"]
            with page.expect_download() as download:
                bar.get_by_role("link", name="Download").click()
            assert download.value.path().read_bytes() == notebook.read_bytes()


def test_a_starred_word_is_shown_by_keyboard_and_starred_again(browser, address):
    with watched_page(browser) as page:
        page.goto(f"{address}content-note/", wait_until="networkidle")
        word = page.locator("button.masked").first
        starred = word.text_content()
        assert re.fullmatch(r"\w\*+\w", starred)
        for _ in range(200):
            page.keyboard.press("Tab")
            if word.evaluate("word => word === document.activeElement"):
                break
        assert word.evaluate("word => getComputedStyle(word).outlineStyle") != "none"
        page.keyboard.press("Enter")
        assert word.text_content() == "idiot"
        page.keyboard.press("Enter")
        assert word.text_content() == starred
        page.get_by_role("button", name="Show the starred words of this page").press("Enter")
        assert "*" not in "".join(page.locator("button.masked").all_text_contents())
        take_picture(page, "content-note", "shown")


def test_a_notebook_can_be_printed(browser, address):
    with watched_page(browser) as page:
        page.goto(f"{address}notebooks/3_1_explore_the_comments/", wait_until="networkidle")
        page.emulate_media(media="print")
        assert not page.locator(".md-header").is_visible() and not page.locator(".md-sidebar--primary").is_visible()
        assert page.locator(".course-output img").first.is_visible()
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.pdf(path=SCREENSHOTS / "3_1_printed.pdf")
