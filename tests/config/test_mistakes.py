"""Mistakes people make, each told once, at its place, with the line to write.

`mistakes/` is a workspace without any fault. A line of `mistakes.jsonl` is a mistake in it: file,
what is there, what is written instead, the code that is told, and what the message says to write.
`‸` stands where the fault is, and is taken out before the file is written. A sixth entry names
that place in another text than the one edited, a last one its severity.
"""

from __future__ import annotations

import random
import shutil

import pytest
from mistakes import HERE, MISTAKES, RIGHT, told

WHOLE = {"UL002", "UL003", "UL004", "UL007", "UL008"}
"""Behind these nothing more of a file is read."""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mistakes") / "space"
    shutil.copytree(HERE / "mistakes", folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield folder


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


def pairs():
    """A value that is refused, with a broken rule in another line of the same file."""
    spring = [each for each in MISTAKES if each.stem == "spring" and each.alone_on_its_line]
    values = [each for each in spring if each.code in {"UL014", "UL015"}]
    rules = [each for each in spring if each.code >= "UL1"]
    every = [
        (one, other) for one in values for other in rules if one.expected[1] != other.expected[1]
    ]
    return random.Random(18).sample(every, 60)


@pytest.mark.usefixtures("workspace")
def test_rules_are_told_beside_values_that_are_refused_and_nothing_else_is():
    both = 0
    for pair in pairs():
        text = RIGHT["spring"]
        for each in pair:
            text = each.edited(text)
        found = {seen(fault) for fault in told({"spring": text})}
        expected = {each.expected for each in pair}
        assert {place[:4] for place in found} <= {place[:4] for place in expected}
        both += found == expected
    assert both >= 42
