"""The app as Jupyter widgets, for JupyterLab, Notebook, Colab and Voilà.

It uses only what ipywidgets 7 (Colab) and 8 share, and everything it shows of a text is escaped.
"""

from __future__ import annotations

import html
from collections.abc import Sequence

import ipywidgets as widgets

from milestone2.analysis import (
    MAX_CHARACTERS,
    analysis_html,
    analyze,
    analyze_many,
    check_text,
    entry_html,
    error_sentence,
    examples_html,
    kept_classifier,
    option_title,
)
from milestone2.catalogue import Entry, catalogue, why_unavailable
from milestone2.examples import EXAMPLES

_WIDE = widgets.Layout(width="100%")


class App(widgets.VBox):
    """Text in, model chosen, Analyze, label and confidence.

    By keyboard: Tab goes from the model to the text to the button, where Enter or Space analyzes. (A text area of
    ipywidgets reports no key strokes to Python, so there is no Ctrl+Enter.)

    Attributes
    ----------
    model, text, button : ipywidgets.Dropdown, Textarea, Button
        What a person uses, in this order.
    description, status, result, examples : ipywidgets.HTML
        What the app answers.
    """

    def __init__(self, entries: Sequence[Entry], reasons: dict[str, str]):
        self.entries = {entry.name: entry for entry in entries}
        self.reasons = reasons
        usable = [entry.name for entry in entries if entry.name not in reasons]
        self.model = widgets.Dropdown(
            options=[(option_title(entry, reasons), entry.name) for entry in entries],
            value=(usable or list(self.entries))[0],
            description="Model",
            layout=_WIDE,
        )
        hint = f"Write a comment, up to {MAX_CHARACTERS:,} characters"
        # Sent when the text area is left, not at each letter: of many letters the last ones reach Python after a click.
        self.text = widgets.Textarea(
            description="Text", placeholder=hint, rows=4, layout=_WIDE, continuous_update=False
        )
        self.button = widgets.Button(description="Analyze", button_style="primary")
        self.description, self.status, self.result = widgets.HTML(), widgets.HTML(), widgets.HTML(layout=_WIDE)
        self.examples = widgets.HTML(examples_html(EXAMPLES), layout=_WIDE)
        asked = [self.model, self.description, self.text, self.button]
        super().__init__([*asked, self.status, self.result, self.examples], layout=_WIDE)
        self._examples_of = None
        self.button.on_click(self._analyze)
        self.model.observe(self._describe, names="value")
        self._describe()

    def _describe(self, change: object = None) -> None:
        """Show the chosen model, and whether it can be used."""
        entry, reason = self.entries[self.model.value], self.reasons.get(self.model.value)
        self.description.value = entry_html(entry, reason)
        self.button.disabled = reason is not None
        self.status.value = self.result.value = ""

    def _analyze(self, button: object) -> None:
        """Answer a click. Whatever fails is said in the app, and the app can be used again."""
        if self.button.disabled:
            return
        entry = self.entries[self.model.value]
        self._set_busy(f"Analyzing with {entry.title} ...")
        try:
            text = check_text(self.text.value)  # before a model is loaded for nothing
            classifier = kept_classifier(entry.name)
            self.result.value = analysis_html(analyze(classifier, text))
            if self._examples_of != entry.name:
                self.examples.value = examples_html(EXAMPLES, analyze_many(classifier, EXAMPLES))
                self._examples_of = entry.name
            self.status.value = ""
        except Exception as error:  # an app has no traceback to show
            self.result.value = ""
            self.status.value = f'<p role="alert"><strong>{html.escape(error_sentence(error))}</strong></p>'
        finally:
            self.button.disabled = False
            self.button.description = "Analyze"

    def _set_busy(self, sentence: str) -> None:
        self.button.disabled = True
        self.button.description = "Analyzing ..."
        self.result.value = ""
        self.status.value = f'<p role="status">{html.escape(sentence)}</p>'


def app(entries: Sequence[Entry] | None = None) -> App:
    """The app, ready to be shown as the last line of a cell.

    Parameters
    ----------
    entries : sequence of Entry, optional
        Models to offer; the whole catalogue by default. Those that cannot be used now are greyed out; finding that out
        takes two seconds at most.
    """
    entries = list(catalogue() if entries is None else entries)
    return App(entries, why_unavailable(entries))
