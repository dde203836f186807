"""The corpus of mistakes people make, `tests/config/mistakes.jsonl`, as its tests use it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from upliftlab.config.checking import check_files

HERE = Path(__file__).parents[1] / "config"
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


def told(texts):
    """What is told where files hold these texts."""
    for stem, text in texts.items():
        Path(NAMES[stem]).write_text(text, encoding="utf-8", newline="")
    faults = check_files(FOLDERS, notice=True).faults
    for stem in texts:
        Path(NAMES[stem]).write_text(RIGHT[stem], encoding="utf-8", newline="")
    return faults
