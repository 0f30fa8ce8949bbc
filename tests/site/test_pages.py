"""Every page of the site in a real Chromium: no error, no other host, nothing that a reader could stumble over."""

from __future__ import annotations

import json
import re

import pytest
from browser import watched_page
from playwright.sync_api import expect
from site_build import ROOT, SCREENSHOTS

from course.badges import launch_links, read_repository

pytestmark = pytest.mark.browser

PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 900}
# What does not depend on colours is the same in the dark.
AXE = {
    "light": {"resultTypes": ["violations"]},
    "dark": {"resultTypes": ["violations"], "runOnly": ["color-contrast", "link-in-text-block"]},
}
COLOURS = {"light": "default", "dark": "slate"}  # the theme's names
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


@pytest.fixture(scope="module")
def visits(browser, address, pages, axe) -> dict[str, dict]:
    """What a reader could stumble over on each page: opened once, in light, in dark, and at a phone's width.

    One visit serves several tests, because loading a page takes longer than looking at it.
    """
    found = {}
    with watched_page(browser, viewport=DESK, color_scheme="light") as page:
        for name in pages:
            page.goto(address + name, wait_until="networkidle")
            found[name] = look_at(page, name, axe)
    return found


def look_at(page, name: str, axe: str) -> dict:
    """One page's troubles, its headings of first rank, what axe finds in light and in dark, and its width."""
    seen = {"headings": page.locator("h1").count(), "axe": {}}
    page.evaluate(axe)
    for scheme in ("light", "dark"):
        wear(page, scheme)
        for each in page.evaluate("options => axe.run(document, options)", AXE[scheme])["violations"]:
            if each["impact"] in ("serious", "critical"):
                seen["axe"][f"{scheme} {each['id']}"] = [node["html"][:120] for node in each["nodes"][:3]]
        if name in PICTURED:
            take_picture(page, name, scheme)
    wear(page, "light")
    page.set_viewport_size(PHONE)
    seen["width"] = page.evaluate("document.documentElement.scrollWidth")
    seen["margin"] = page.locator("h1").bounding_box()["x"]
    if name in PICTURED:
        take_picture(page, name, "phone")
    page.set_viewport_size(DESK)
    seen["troubles"] = page.troubles[:]
    page.troubles.clear()
    return seen


def wear(page, scheme: str) -> None:
    """Press the theme's switch if the page has other colours."""
    if page.get_attribute("body", "data-md-color-scheme") != COLOURS[scheme]:
        page.locator(f"label[title='Switch to {scheme}']").click()
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", COLOURS[scheme])


def test_every_page_loads_without_an_error_a_failed_request_or_another_host(visits):
    assert {name: seen["troubles"] for name, seen in visits.items() if seen["troubles"]} == {}
    assert {name for name, seen in visits.items() if seen["headings"] != 1} == set()


def test_axe_finds_no_serious_problem_on_any_page_in_light_and_in_dark(visits):
    assert {name: seen["axe"] for name, seen in visits.items() if seen["axe"]} == {}


def test_no_page_scrolls_sideways_on_a_phone_or_sticks_to_its_edge(visits):
    assert {name: seen["width"] for name, seen in visits.items() if seen["width"] > PHONE["width"]} == {}
    assert {name: seen["margin"] for name, seen in visits.items() if seen["margin"] < 8} == {}


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
            page.goto(address + path.removesuffix(".ipynb") + "/", wait_until="domcontentloaded")
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


PAPER = {"width": 673, "height": 1002}  # A4 without its margins, in pixels of 1/96 inch


@pytest.mark.parametrize(
    "path, pictures",
    [("notebooks/3_1_explore_the_comments/", 3), ("notebooks/1_1_set_up_wsl_and_docker/", 2), ("results/", 0)],
)
def test_a_page_can_be_printed(browser, address, path, pictures):
    with watched_page(browser, viewport=PAPER, color_scheme="dark") as page:
        page.goto(f"{address}{path}", wait_until="networkidle")
        assert page.locator("body").get_attribute("data-md-color-scheme") == "slate"
        page.emulate_media(media="print")
        assert not page.locator(".md-header").is_visible() and not page.locator(".md-sidebar--primary").is_visible()
        # A page that is wider than the paper would be shrunk until nobody can read it.
        assert page.evaluate("document.documentElement.scrollWidth") <= PAPER["width"]
        text = page.locator("article p").first.evaluate("text => ({...getComputedStyle(text)})")
        assert float(text["fontSize"].removesuffix("px")) * 0.75 >= 9
        # Paper is white: what is light on dark on the screen must be dark here.
        assert max(map(int, re.findall(r"\d+", text["color"]))) < 100
        images = page.locator("article img")
        assert images.count() >= pictures
        assert all(images.nth(number).is_visible() for number in range(images.count()))
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.pdf(path=SCREENSHOTS / f"{path.strip('/').replace('/', '_')}.pdf", prefer_css_page_size=True)


def test_a_code_blocks_button_copies_the_code(browser, address):
    with watched_page(browser) as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.goto(f"{address}notebooks/3_1_explore_the_comments/", wait_until="networkidle")
        block = page.locator(".highlight", has=page.locator("code")).first
        block.hover()
        block.get_by_role("button", name="Copy to clipboard").click()
        expect(page.get_by_text("Copied to clipboard")).to_be_visible()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied.strip() == block.locator("code").text_content().strip()


def test_a_notebooks_widgets_are_drawn_as_they_were_with_a_note(browser, address):
    with watched_page(browser, viewport=DESK) as page:
        page.goto(f"{address}notebooks/2_2_build_a_widget_app/", wait_until="networkidle")
        drawn = page.locator(".course-widget .jupyter-widgets")
        drawn.first.wait_for()
        note = page.locator(".course-kernel")
        assert "answer only in a running notebook" in note.text_content()
        assert page.locator(".course-widget button").first.is_visible()
        assert page.locator(".course-widget textarea").first.is_visible()


def test_a_diagram_is_drawn_and_says_what_it_shows(browser, address):
    with watched_page(browser, viewport=DESK) as page:
        page.goto(f"{address}milestone3/", wait_until="networkidle")
        assert page.locator("div.mermaid").bounding_box()["height"] > 200
        # The theme draws it in a closed shadow tree, which only the browser's tree for screen readers shows.
        tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
        names = {node.get("name", {}).get("value") for node in tree}
        assert "The way of a comment through the course" in names


def test_the_keyboards_focus_can_be_seen_wherever_it_goes(browser, address):
    with watched_page(browser, viewport=DESK) as page:
        page.goto(f"{address}notebooks/2_1_classify_sentiment/", wait_until="networkidle")
        unseen = []
        for _ in range(40):
            page.keyboard.press("Tab")
            seen = page.evaluate(
                """() => { const style = getComputedStyle(document.activeElement);
                return [style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0,
                        document.activeElement.outerHTML.slice(0, 120)]; }"""
            )
            if not seen[0]:
                unseen.append(seen[1])
        assert unseen == []
