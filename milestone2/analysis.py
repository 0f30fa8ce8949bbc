"""What the apps do, whoever shows it: text and model in, labels with confidence out, as plain values and safe HTML."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from course import PALETTE, mask
from milestone2.catalogue import Entry
from milestone2.classifier import Classifier, load_classifier

MAX_CHARACTERS = 5_000
MODELS_KEPT = 3
_QUOTE_STYLE = 'style="white-space:pre-wrap;overflow-wrap:anywhere"'
_LEFT = 'style="text-align:left"'


@dataclass(frozen=True)
class Analysis:
    """What a model says of a text.

    Attributes
    ----------
    text : str
    scores : tuple of (str, float)
        Every label with its probability, the highest first.
    given : tuple of str
        Labels that reach their threshold; for a single-label model the highest alone.
    multi_label : bool
    truncated : bool
        Whether the model read only the beginning of the text.
    """

    text: str
    scores: tuple[tuple[str, float], ...]
    given: tuple[str, ...]
    multi_label: bool
    truncated: bool

    @property
    def headline(self) -> tuple[tuple[str, float], ...]:
        """The label with its confidence; of a model with several labels a text, the two highest."""
        return self.scores[: 2 if self.multi_label else 1]


@lru_cache(maxsize=MODELS_KEPT)
def kept_classifier(name: str) -> Classifier:
    """Load a model once and keep it, so that a click costs a forward pass and not a load."""
    return load_classifier(name)


def check_text(text: str) -> str:
    """The text; `ValueError` with a sentence for its author if there is nothing to read, or too much."""
    if not text.strip():
        raise ValueError("There is nothing to analyze yet. Write a text first.")
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"The text has {len(text):,} characters; {MAX_CHARACTERS:,} is the most. Please shorten it.")
    return text


def analyze(classifier: Classifier, text: str) -> Analysis:
    """Score one text.

    Raises
    ------
    ValueError
        If the text is empty or too long.
    """
    return analyze_many(classifier, [check_text(text)])[0]


def analyze_many(classifier: Classifier, texts: Sequence[str]) -> list[Analysis]:
    """Score texts together, which is faster than one at a time."""
    rows = classifier.score(texts)
    return [
        _analysis(classifier, text, row.tolist(), truncated)
        for text, row, truncated in zip(texts, rows, classifier.truncated(texts).tolist())
    ]


def _analysis(classifier: Classifier, text: str, row: list[float], truncated: bool) -> Analysis:
    scores = sorted(zip(classifier.labels, row), key=lambda pair: -pair[1])
    reached = dict(zip(classifier.labels, classifier.thresholds))
    given = [label for label, score in scores if score >= reached[label]] if classifier.multi_label else [scores[0][0]]
    return Analysis(text, tuple(scores), tuple(given), classifier.multi_label, truncated)


def summary(analysis: Analysis) -> str:
    """One sentence for people and screen readers, as plain text."""
    parts = ", ".join(f"{label} {score:.1%}" for label, score in analysis.headline)
    if not analysis.multi_label:
        return f"{parts}."
    verdict = f"Labels given: {', '.join(analysis.given)}." if analysis.given else "No label reaches its threshold."
    return f"{verdict} The two highest: {parts}."


def analysis_html(analysis: Analysis) -> str:
    """The result: the sentence, the text as the model got it, and a bar for every label. Everything is escaped."""
    cut = "<p>The text is long: the model read only its beginning.</p>" if analysis.truncated else ""
    bars = "".join(_bar(label, score) for label, score in analysis.scores)
    return (
        f'<div class="course-result"><p><strong>{html.escape(summary(analysis))}</strong></p>{cut}'
        f"<blockquote {_QUOTE_STYLE}>{html.escape(mask(analysis.text))}</blockquote>"
        f'<table style="width:100%"><caption>Score of every label</caption>{bars}</table></div>'
    )


def _bar(label: str, score: float) -> str:
    filled = f'<div style="height:1em;width:{score:.1%};background:{PALETTE[0]}"></div>'
    return (
        f'<tr><th scope="row" style="text-align:left;width:9em">{html.escape(label)}</th>'
        f'<td><div aria-hidden="true" style="border:1px solid {PALETTE[0]}">{filled}</div></td>'
        f'<td style="text-align:right;width:5em">{score:.1%}</td></tr>'
    )


def examples_html(texts: Sequence[str], analyses: Sequence[Analysis] = ()) -> str:
    """A table of examples, coarse words masked: with the two highest labels of each once there are `analyses`."""
    heads = ("Comment", "Highest label", "Score", "Second label", "Score") if analyses else ("Comment",)
    rows = [[mask(text)] for text in texts]
    for row, analysis in zip(rows, analyses):
        for label, score in analysis.scores[:2]:
            row += [label, f"{score:.1%}"]
    head = "".join(f'<th scope="col" {_LEFT}>{name}</th>' for name in heads)
    lines = ("".join(f"<td {_LEFT}>{html.escape(cell)}</td>" for cell in row) for row in rows)
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table><caption>Examples</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def entry_html(entry: Entry, reason: str | None = None) -> str:
    """Description of a model; grey, with the reason, if it cannot be used now."""
    labels = f"Labels: {', '.join(entry.labels)}. " if entry.labels else ""
    size = f"{entry.size_mb} MB. " if entry.size_mb else ""
    facts = f"{labels}{size}Licence: {entry.licence}. Source: {entry.source}."
    text = f"<p>{html.escape(entry.description)}<br><small>{html.escape(facts)}</small></p>"
    if reason is None:
        return text
    return f'<div style="color:#6b6b6b">{text}<p>Not available: {html.escape(reason)}.</p></div>'


def option_title(entry: Entry, reasons: dict[str, str]) -> str:
    """An entry's title in a list, which says if it cannot be used now (a list can grey out no single line)."""
    return f"{entry.title} – not available" if entry.name in reasons else entry.title


def error_sentence(error: Exception) -> str:
    """What went wrong, for people. Our own errors are sentences already; others say at least what kind they are."""
    if isinstance(error, (OSError, ValueError)) and str(error):
        return str(error)
    return f"The analysis failed ({type(error).__name__}: {error}). Try another model or a shorter text."
