"""Every text the page or a verb can say is in every language."""

import ast
import string
from pathlib import Path

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po

import upliftlab
from upliftlab.results.analysis import Note
from upliftlab.text.translations import catalogue
from upliftlab.util.resources import shipped

SOURCE = Path(upliftlab.__file__).parent


def marked_in_source() -> set[str]:
    found: set[str] = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", None))
            texts = [a.value for a in node.args if isinstance(a, ast.Constant)]
            if name in ("N_", "gettext"):
                found.update(text for text in texts if isinstance(text, str))
    return found


def marked_in_templates() -> set[str]:
    found: set[str] = set()
    for path in shipped("templates").rglob("*.j2"):
        with path.open("rb") as file:
            for _, message, _, _ in extract("jinja2.ext:babel_extract", file):
                found.add(message)
    return found


def fields(text: str) -> set[tuple[str, str]]:
    return {(name, kind) for _, name, kind, _ in string.Formatter().parse(text) if name}


@pytest.fixture
def needed() -> set[str]:
    notes = {note.value for note in Note}
    return notes | marked_in_source() | marked_in_templates()


def test_every_text_is_translated(needed):
    assert len(needed) > 100
    assert sorted(needed - set(catalogue("zh"))) == []


def test_translations_keep_their_placeholders():
    for english, other in catalogue("zh").items():
        assert fields(english) == fields(other), english


def test_the_catalogue_holds_nothing_unread_or_fuzzy(needed):
    place = SOURCE / "text/locale/zh/LC_MESSAGES/messages.po"
    with place.open("rb") as file:
        read = read_po(file, locale="zh", abort_invalid=True)
    assert [message.id for message in read if message.id and message.fuzzy] == []
    assert len(read) == len([m for m in read if m.id])
    stray = set(catalogue("zh")) - needed
    assert sorted(stray) == []
