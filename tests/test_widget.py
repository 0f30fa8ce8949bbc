"""The widget app: by its own button in this process, and by keyboard in a real browser."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from importlib.util import find_spec

import ipywidgets as widgets
import nbformat
import pytest
from app_server import free_port, running_server
from browser import WAIT_MILLISECONDS, chromium, watched_page
from playwright.sync_api import expect
from tiny_models import finish_run, make_checkpoint

from milestone2 import widget
from milestone2.analysis import MAX_CHARACTERS, examples_html, summary
from milestone2.catalogue import HUB_MODELS, own_models
from milestone2.examples import EXAMPLES
from milestone2.widget import App

ATTACK = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


@pytest.fixture(scope="module")
def models_folder(tmp_path_factory):
    """Two finished runs: six labels a text, and one of three."""
    folder = tmp_path_factory.mktemp("models")
    finish_run(make_checkpoint(folder / "many"))
    finish_run(make_checkpoint(folder / "one", ("negative", "neutral", "positive"), multi_label=False))
    return folder


@pytest.fixture
def entries(models_folder, monkeypatch):
    monkeypatch.setenv("COURSE_MODELS", str(models_folder))
    return own_models()


@pytest.fixture
def app(entries):
    return App(entries, {})


def test_a_click_shows_the_two_highest_labels_and_a_bar_for_every_one(app):
    app.text.value = "What a nice day"
    app.button.click()
    assert app.status.value == ""
    assert "The two highest:" in app.result.value
    assert app.result.value.count('<th scope="row"') == 6
    assert not app.button.disabled and app.button.description == "Analyze"


def test_a_model_of_one_label_shows_it_with_its_confidence(app):
    app.model.value = next(name for name in app.entries if name.endswith("one"))
    app.text.value = "What a nice day"
    app.button.click()
    assert re.search(r"<strong>(negative|neutral|positive) \d+\.\d%\.</strong>", app.result.value)
    assert app.result.value.count('<th scope="row"') == 3


def test_examples_are_masked_and_scored_once_a_model_is_used(app):
    assert app.examples.value == examples_html(EXAMPLES)
    app.text.value = "Hello"
    app.button.click()
    assert app.examples.value.count("<tr>") == 11 and app.examples.value.count("<td") == 50
    assert "idiot" not in app.examples.value


def test_typed_html_is_escaped(app):
    app.text.value = ATTACK
    app.button.click()
    assert "&lt;img src=x" in app.result.value and "<img" not in app.result.value


@pytest.mark.parametrize(
    ("text", "sentence"), [("", "Write a text"), ("a" * (MAX_CHARACTERS + 1), "5,000 is the most")]
)
def test_a_text_that_cannot_be_analyzed_is_said_and_replaces_the_old_result(app, text, sentence):
    app.text.value = "Hello"
    app.button.click()
    app.text.value = text
    app.button.click()
    assert sentence in app.status.value and 'role="alert"' in app.status.value
    assert app.result.value == "" and not app.button.disabled


def test_a_model_that_is_gone_is_said_escaped_and_another_can_be_used(entries):
    gone = replace(entries[0], name="<b>no-such-model</b>")
    app = App([gone, *entries], {})
    app.text.value = "Hello"
    app.button.click()
    assert "&lt;b&gt;no-such-model" in app.status.value and "<b>" not in app.status.value
    app.model.value = entries[0].name
    app.button.click()
    assert app.status.value == "" and "The two highest" in app.result.value


def test_a_model_that_cannot_be_used_is_grey_with_its_reason_and_no_button(entries):
    app = App([HUB_MODELS[0], entries[0]], {HUB_MODELS[0].name: "needs the Hub"})
    assert app.model.value == entries[0].name, "a usable model is chosen at first"
    app.model.value = HUB_MODELS[0].name
    assert "Not available: needs the Hub" in app.description.value and "#6b6b6b" in app.description.value
    assert app.button.disabled
    assert [title.endswith("not available") for title, _ in app.model.options] == [True, False]
    app.model.value = entries[0].name
    assert not app.button.disabled


def test_the_button_is_busy_while_a_model_works(app, monkeypatch):
    seen = []
    load = widget.kept_classifier

    def watched(name):
        seen.append((app.button.disabled, app.button.description, app.status.value))
        return load(name)

    monkeypatch.setattr(widget, "kept_classifier", watched)
    app.text.value = "Hello"
    app.button.click()
    ((disabled, description, status),) = seen
    assert disabled and description == "Analyzing ..." and 'role="status"' in status


def test_the_model_is_loaded_once_and_not_at_each_click(app, monkeypatch):
    loads = []
    monkeypatch.setattr("milestone2.analysis.load_classifier", lambda name: loads.append(name))
    app.text.value = "Hello"
    for _ in range(3):
        app.button.click()
    assert len(loads) <= 1


def test_only_widgets_that_ipywidgets_7_has_too(app):
    used = {type(child) for child in app.children}
    assert used <= {widgets.Dropdown, widgets.Textarea, widgets.Button, widgets.HTML}
    assert app.trait_values()["_model_name"] == "VBoxModel"


@pytest.mark.slow
@pytest.mark.skipif(find_spec("voila") is None, reason="voila is not installed")
@pytest.mark.browser
def test_in_a_browser_by_keyboard_alone_and_typed_html_never_runs(models_folder, tmp_path, offline_environment):
    cell = nbformat.v4.new_code_cell("from milestone2.widget import app\napp()")
    notebook = nbformat.v4.new_notebook(
        cells=[cell], metadata={"kernelspec": {"name": "python3", "display_name": "Python"}}
    )
    nbformat.write(notebook, tmp_path / "app.ipynb")
    port = free_port()
    command = [sys.executable, "-m", "voila", "app.ipynb", "--no-browser", f"--port={port}", "--Voila.ip=127.0.0.1"]
    environment = offline_environment(COURSE_MODELS=str(models_folder), PYTHONWARNINGS="ignore")
    health = f"http://127.0.0.1:{port}/voila/static/voila.js"
    with running_server(command, health, environment, tmp_path), chromium() as browser, watched_page(browser) as page:
        page.route(re.compile("^https:"), lambda route: route.abort())
        page.goto(f"http://127.0.0.1:{port}/")
        page.get_by_role("combobox").select_option("many (yours)")
        page.get_by_role("textbox").focus()
        page.keyboard.type(ATTACK)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent").strip() == "Analyze"
        page.keyboard.press("Enter")
        page.get_by_text("The two highest").wait_for()
        assert page.locator(".course-result blockquote").inner_text() == ATTACK
        assert page.locator("img[src=x]").count() == 0
        assert page.title() != "owned"
        assert page.locator(".course-result tr").count() == 6
        page.get_by_role("combobox").select_option("one (yours)")
        page.get_by_role("button", name="Analyze").click()
        expect(page.locator(".course-result tr")).to_have_count(3, timeout=WAIT_MILLISECONDS)
        # Voilà's own page asks another host for icons, and loads JupyterLab's extensions, of which the package
        # notebook has one that finds no JupyterLab around it. The app asks for nothing.
        known = ("awesome", "ERR_FAILED", "/voila/labextensions/")
        page.troubles[:] = [trouble for trouble in page.troubles if not any(part in trouble for part in known)]


def test_summary_is_what_the_result_says_first(app):
    app.text.value = "Hello"
    app.button.click()
    from milestone2.analysis import analyze, kept_classifier

    assert summary(analyze(kept_classifier(app.model.value), "Hello")) in app.result.value
