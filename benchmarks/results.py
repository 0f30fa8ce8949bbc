"""Fill the tables of docs/results.md from the reports in milestone3/measured: `python -m benchmarks.results`.

A table stands between `<!-- measured: NAME -->` and `<!-- end -->`. A test compares them: no figure there is typed in.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from milestone3.measured import measured
from milestone3.tables import evaluation_table, sentiment_table

PAGE = Path(__file__).resolve().parent.parent / "docs" / "results.md"
_TABLE = re.compile(r"(<!-- measured: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def fill(page: str) -> str:
    """The page with every table made anew from its report."""
    return _TABLE.sub(lambda found: f"{found[1]}\n{table(measured(found[2]))}\n{found[3]}", page)


def table(report: dict) -> str:
    """Markdown for one report, whichever command wrote it."""
    if "comments" in report:
        return evaluation_table(report)
    return sentiment_table(report) if "tweets" in report else _comparison(report)


def _comparison(report: dict) -> str:
    settings, summary = report["settings"], report["summary"]
    lines = ["| recipe | rows per second | peak memory | validation mean ROC-AUC |", "|---|---|---|---|"]
    for name in ("2023", "course"):
        row = summary[name]
        memory = f"{row['peak_memory_bytes'] / 1e6:,.0f} MB"
        lines.append(f"| {name} | {row['rows_per_second']:.2f} | {memory} | {row['validation_mean_roc_auc']:.3f} |")
    first = f"{settings['rows']} training rows, {settings['epochs']} epoch, {settings['threads']} thread(s)."
    last = (
        f"The course's recipe trains {summary['speedup']:.1f} times as many rows a second, and "
        f"{summary['processor_speedup']:.1f} times as many in a second of processor time."
    )
    return "\n".join([first, "", *lines, "", last])


def main() -> int:
    PAGE.write_text(fill(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"Filled {PAGE.name}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
