"""A section of the report is one entry and its template."""

from __future__ import annotations

import shutil

from extended import ROOT, asked, changed, extended

ENTRY = """    Section("customers", lambda index, _: sum(arm.n for arm in index.analysis.arms)),
"""
TEMPLATE = """<section aria-labelledby="customers">
<h2 id="customers">Customers</h2>
<p>{{ part }} customers took part.</p>
</section>
"""
SCRIPT = """
import json
from pathlib import Path
from worlds import analysed, assigned
from upliftlab.report.render import render
from upliftlab.results.analysis import VerdictCode

analysis = analysed(assigned(Path(), 2000))
invalid = analysis.verdict.model_copy(update={"code": VerdictCode.invalid})
pages = [render(analysis), render(analysis.model_copy(update={"verdict": invalid}))]
print(json.dumps([page.partition("<main ")[2].split("<section ")[1:] for page in pages]))
"""


def test_an_entry_and_a_template_are_a_section(tmp_path):
    root = extended(tmp_path / "tree", "report/view.py", '    Section("money"', ENTRY)
    for shipped in ("experiments", "configs"):
        shutil.copytree(ROOT / shipped, root / shipped)
    (root / "templates" / "customers.html.j2").write_text(TEMPLATE, encoding="utf-8")
    assert changed(root) == ["report/view.py"]

    page, withheld = asked(root, SCRIPT, tmp_path)
    shown, titles = (
        [section.partition('aria-labelledby="')[2].partition('"')[0] for section in part]
        for part in (page, withheld)
    )
    at = shown.index("customers")
    assert shown[at + 1] == "money"
    assert "customers took part." in page[at]
    assert "customers" in titles
    assert "money" not in titles
