"""Mistakes people make, each told once, at its place, with the line to write.

`mistakes/` is a workspace without any fault. A line of `mistakes.jsonl` is a mistake in it: file,
what is there, what is written instead, the code that is told, and what the message says to write.
`‸` stands where the fault is, and is taken out before the file is written. A sixth entry names
that place in another text than the one edited, a last one its severity.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from upliftlab.config.checking import check_files

HERE = Path(__file__).parent
CARET = "‸"
FOLDERS = [Path("experiments"), Path("configs")]
FILES = {path.stem: path for path in (HERE / "mistakes").rglob("*.yaml")}
RIGHT = {stem: path.read_text(encoding="utf-8") for stem, path in FILES.items()}
NAMES = {stem: str(path.relative_to(HERE / "mistakes")) for stem, path in FILES.items()}


def place(text):
    before = text[: text.index(CARET)]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


@dataclass(frozen=True)
class Mistake:
    stem: str
    there: str
    instead: str
    code: str
    says: str
    where: tuple[str, str] | None
    severity: str

    @classmethod
    def of(cls, line):
        stem, there, instead, code, says, *more = json.loads(line)
        where = next((tuple(each) for each in more if isinstance(each, list)), None)
        severity = next((each for each in more if isinstance(each, str)), "error")
        assert RIGHT[stem].count(there) == 1, line
        return cls(stem, there, instead, code, says, where, severity)

    def edited(self, text):
        return text.replace(self.there, self.instead.replace(CARET, ""))

    @property
    def expected(self):
        """File, line, column, code and severity."""
        stem, marked = self.stem, RIGHT[self.stem].replace(self.there, self.instead)
        if self.where is not None:
            stem, found = self.where
            text = self.edited(RIGHT[stem]) if stem == self.stem else RIGHT[stem]
            assert text.count(found.replace(CARET, "")) == 1
            marked = text.replace(found.replace(CARET, ""), found)
        return NAMES[stem], *place(marked), self.code, self.severity

    @property
    def alone_on_its_line(self):
        return self.where is None and not {"\n"} & {*self.there, *self.instead}


LINES = (HERE / "mistakes.jsonl").read_text(encoding="utf-8").split("\n")[:-1]
MISTAKES = [Mistake.of(line) for line in LINES]
WHOLE = {"UL002", "UL003", "UL004", "UL007", "UL008"}
"""Behind these nothing more of a file is read."""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mistakes") / "space"
    shutil.copytree(HERE / "mistakes", folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield folder


def told(texts):
    """What is told where files hold these texts."""
    for stem, text in texts.items():
        Path(NAMES[stem]).write_text(text, encoding="utf-8", newline="")
    faults = check_files(FOLDERS, notice=True).faults
    for stem in texts:
        Path(NAMES[stem]).write_text(RIGHT[stem], encoding="utf-8", newline="")
    return faults


def seen(fault):
    where = fault.place
    return where.file, where.line, where.column, fault.code, fault.severity


@pytest.mark.usefixtures("workspace")
def test_the_workspace_without_mistakes():
    assert told({}) == ()
    assert len(MISTAKES) >= 200


@pytest.mark.usefixtures("workspace")
@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda each: each.instead.strip()[:40])
def test_a_mistake_is_told_once_at_its_place_with_what_to_write(mistake):
    faults = told({mistake.stem: mistake.edited(RIGHT[mistake.stem])})
    assert [seen(fault) for fault in faults] == [mistake.expected]
    assert mistake.says in str(faults[0])


def independent():
    """Mistakes in lines of their own, each file's values right enough to be judged."""
    free = [each for each in MISTAKES if each.alone_on_its_line and each.code not in WHOLE]
    chosen = {(each.stem, each.there): each for each in free if each.code in {"UL012", "UL020"}}
    values = {(each.stem, each.there): each for each in free if each.code == "UL014"}
    return [
        each[at : at + 6]
        for each in map(list, (chosen.values(), values.values()))
        for at in range(0, len(each), 6)
    ]


@pytest.mark.usefixtures("workspace")
@pytest.mark.parametrize("some", independent(), ids=lambda some: f"{some[0].instead.strip()[:30]}+")
def test_several_mistakes_are_told_in_one_run(some):
    texts = {}
    for each in some:
        texts[each.stem] = each.edited(texts.get(each.stem, RIGHT[each.stem]))
    found = {seen(fault)[:2] for fault in told(texts)}
    assert {each.expected[:2] for each in some} <= found
