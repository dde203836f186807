"""Each picture of the page as a PNG: what Chromium takes, looked at pixel by pixel."""

import io
import os
import re
import zipfile

import pytest
from click.testing import CliRunner
from PIL import Image

from upliftlab.cli import commands
from upliftlab.errors import OutputError
from upliftlab.report.browser import VARIABLE
from upliftlab.report.export import to_json
from upliftlab.report.pictures import pictures
from upliftlab.report.render import render

REFUSAL = '{"id": 1, "error": {"message": "no"}}'
MARKED = re.compile(r'data-picture="(\w+)"')


def read(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: Image.open(archive.open(name)).convert("RGB") for name in archive.namelist()}


def edge(image):
    width, height = image.size
    sides = [(0, 0, width, 8), (0, height - 8, width, height), (0, 0, 8, height)]
    sides.append((width - 8, 0, width, height))
    return {colour for side in sides for _, colour in image.crop(side).getcolors()}


@pytest.mark.browser
@pytest.mark.usefixtures("browser_is_there")
def test_the_command_writes_every_picture_of_the_page_whole(make_analysis, tmp_path):
    analysis = make_analysis()
    numbers = tmp_path / "analysis.json"
    numbers.write_bytes(to_json(analysis))
    done = CliRunner().invoke(commands, ["report", str(numbers), "--format", "png"])
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["analysis.json", "report.png.zip"]
    found = read((tmp_path / "report.png.zip").read_bytes())
    kinds = [name.removesuffix(".png").split("_", 2)[1] for name in found]
    assert [int(name[:2]) for name in found] == list(range(1, len(found) + 1))
    assert kinds[:2] == ["verdict", "map"]
    assert kinds.count("waterfall") == len(analysis.bridges)
    assert kinds.count("segment") == len({one.dimension for one in analysis.findings} - {None})
    marked = MARKED.findall(render(analysis))
    assert {kind.split("_")[0] for kind in marked} == set(kinds)
    assert "waterfall_Mens_E-Mail.png" in {name[3:] for name in found}
    for name, image in found.items():
        assert image.width > 2 * 400, name
        assert image.width <= 2 * 1280, name
        assert edge(image) == {(255, 255, 255)}, f"{name} is cut, or not light"
        assert len(image.getcolors(1 << 24)) > 10, f"{name} is empty"


def test_without_a_browser_the_way_on_is_said(tmp_path):
    with pytest.raises(OutputError, match=rf"UL484 PDF and PNG .* none is on .*{VARIABLE}"):
        pictures(b"<p>x", {"PATH": str(tmp_path)})


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("exit 3", "ended before it"),
        ("sleep 600", "did not answer"),
        ('printf \'{"id":1,"error":{"message":"no"}}\\0\' >&4; sleep 600', "createTarget: no"),
    ],
)
def test_a_browser_that_takes_none_is_told_and_ended(tmp_path, monkeypatch, body, why):
    monkeypatch.setattr("upliftlab.report.devtools.PATIENCE", 2.0)
    program, own = tmp_path / "browser", tmp_path / "own"
    program.write_text(f"#!/bin/sh\necho $$ > {own}\n{body}\n")
    program.chmod(0o755)
    with pytest.raises(OutputError, match=f"UL485 .*{why}"):
        pictures(b"<p>x", {VARIABLE: str(program)})
    with pytest.raises(ProcessLookupError):
        os.kill(int(own.read_text()), 0)


def test_a_program_that_is_none_is_told(tmp_path):
    program = tmp_path / "browser"
    program.write_bytes(b"\x7fELF none")
    program.chmod(0o755)
    with pytest.raises(OutputError, match=r"UL485 .*could not be started"):
        pictures(b"<p>x", {VARIABLE: str(program)})
