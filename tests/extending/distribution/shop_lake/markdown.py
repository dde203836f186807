"""An output format: the findings as a table in Markdown."""

from __future__ import annotations

from upliftlab.report.formats import OutputFormat


def _write(analysis, lang):
    lines = [f"<!-- {lang} -->", "| metric | arm | estimate |", "|---|---|---|"]
    lines += [f"| {f.metric} | {f.arm} | {f.estimate} |" for f in analysis.findings]
    return ("\n".join(lines) + "\n").encode()


markdown = OutputFormat(".md", _write)
