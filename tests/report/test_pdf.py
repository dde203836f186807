"""The page on paper: what Chromium prints, read page by page."""

import io
import re
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from pypdf import PdfReader

from upliftlab.cli import commands
from upliftlab.errors import OutputError
from upliftlab.report.browser import VARIABLE
from upliftlab.report.export import to_json
from upliftlab.report.formats import output_format
from upliftlab.report.pdf import printed
from upliftlab.report.render import render

HEADINGS = re.compile(r"<h[23][^>]*>(.*?)</h[23]>", re.DOTALL)


def plain(text):
    """A text without marks, in one spelling: ligatures are letters."""
    text = re.sub(r"<[^>]+>", "", text).replace("\ufb01", "fi").replace("\ufb00", "ff")
    return " ".join(text.replace("\ufb02", "fl").replace("\ufb03", "ffi").split())


def pages_of(analysis, lang):
    reader = PdfReader(io.BytesIO(output_format("pdf").write(analysis, lang)))
    assert all(abs(float(p.mediabox.width) - 595) < 1 for p in reader.pages)
    assert all(abs(float(p.mediabox.height) - 842) < 1 for p in reader.pages)
    return [plain(page.extract_text()) for page in reader.pages]


@pytest.mark.browser
@pytest.mark.usefixtures("browser_is_there")
def test_a_page_on_paper(make_analysis):
    analysis = make_analysis()
    pages = pages_of(analysis, "en")
    assert 3 < len(pages) < 20
    for number, text in enumerate(pages, 1):
        assert f"{number} / {len(pages)}" in text
    assert "Mens E-Mail pays: incremental profit $4,430 ($2,004 to $6,857), ROI 208%." in pages[0]
    html = render(analysis)
    formulae = html[html.index('class="formulae"') :]
    folded = plain(formulae[formulae.index("<dd>") : formulae.index("</dd>")])[:40]
    assert folded
    assert not any(folded in text for text in pages), "folded tables stay folded"
    headings = [plain(one) for one in HEADINGS.findall(html)]
    for text in pages:
        assert not any(text.endswith(one) for one in headings if len(one) > 3), "a stranded heading"


@pytest.mark.browser
@pytest.mark.usefixtures("browser_is_there")
def test_no_small_table_is_cut_and_every_level_has_its_numbers(make_analysis):
    analysis = make_analysis()
    pages = pages_of(analysis, "en")
    levels = {}
    for one in analysis.findings:
        if one.dimension and one.level and one.kind.value == "incremental_profit":
            levels.setdefault(one.dimension, set()).add(one.level)
    assert levels
    starts = [text.count("Incremental margin") for text in pages]
    assert sum(starts) == len(analysis.bridges)
    assert [text.count("what ROI divides profit by") for text in pages] == starts, "a waterfall"
    for dimension, names in levels.items():
        assert any(all(plain(name) in text for name in names) for text in pages[1:]), dimension
    forests = " ".join(pages[1:])
    amounts = re.findall(r"[+−]?\$[\d,.]+K? to [+−]?\$[\d,.]+K?", forests)
    assert len(amounts) >= sum(map(len, levels.values()))


@pytest.mark.browser
@pytest.mark.usefixtures("browser_is_there")
def test_the_command_writes_it_beside_the_analysis_in_either_language(make_analysis, tmp_path):
    numbers = tmp_path / "analysis.json"
    numbers.write_bytes(to_json(make_analysis()))
    done = CliRunner().invoke(commands, ["report", str(numbers), "--pdf", "--lang", "zh"])
    assert done.exit_code == 0, done.output
    content = (tmp_path / "report.pdf").read_bytes()
    assert content.startswith(b"%PDF-")
    assert "增量利润" in plain(PdfReader(io.BytesIO(content)).pages[0].extract_text())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["analysis.json", "report.pdf"]


def test_without_a_browser_the_way_on_is_said(tmp_path):
    with pytest.raises(OutputError, match=rf"UL484 .* none is on this machine; .*{VARIABLE}"):
        printed(b"<p>x", {"PATH": str(tmp_path)})
    with pytest.raises(OutputError, match=f"UL484 {VARIABLE} names no program"):
        printed(b"<p>x", {VARIABLE: str(tmp_path / "none")})


@pytest.mark.parametrize(("body", "why"), [("exit 3", "ended with 3"), ("exit 0", "no PDF")])
def test_a_browser_that_prints_nothing_is_told(tmp_path, body, why):
    program = tmp_path / "browser"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    with pytest.raises(OutputError, match=f"UL485 .*{why}"):
        printed(b"<p>x", {VARIABLE: str(program)})


def runs(status):
    """Whether a process is more than an entry that nobody has read."""
    try:
        return "zombie" not in status.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_browser_that_does_not_end_is_ended_with_its_children(tmp_path, monkeypatch):
    monkeypatch.setattr("upliftlab.report.pdf.PATIENCE", 2.0)
    program, child = tmp_path / "browser", tmp_path / "child"
    program.write_text(f"#!/bin/sh\nsleep 600 &\necho $! > {child}\nwait\n")
    program.chmod(0o755)
    with pytest.raises(OutputError, match=r"UL485 .*did not end within"):
        printed(b"<p>x", {VARIABLE: str(program)})
    status = Path(f"/proc/{child.read_text().strip()}/status")
    until = time.monotonic() + 30  # it was killed, and the system takes its time to clear it away
    while runs(status) and time.monotonic() < until:
        time.sleep(0.05)
    assert not runs(status)
