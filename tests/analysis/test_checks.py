"""The checks of the package: each has its words, its place and its line in the docs."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from worlds import analysed, assigned

from upliftlab.analysis.checks import (
    CheckAnswer,
    CheckDefinition,
    CheckInputs,
    Fact,
    FactInputs,
    Severity,
)
from upliftlab.analysis.checks.definition import Facts
from upliftlab.analysis.checks.registry import ORDER, counted, own_checks
from upliftlab.report.render import render
from upliftlab.text.translations import catalogue

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return analysed(assigned(tmp_path_factory.mktemp("campaign")))


def test_every_check_has_its_place():
    assert [check.name for check in own_checks()] == [name for row in ORDER for name in row]


@pytest.mark.parametrize("check", own_checks(), ids=lambda check: check.name)
def test_every_check_is_told_in_the_other_language_and_in_the_docs(check):
    assert catalogue("zh")[check.title] != check.title
    text = (DOCS / "statistics.md").read_text(encoding="utf-8")
    table = text.split("\n## Integrity checks\n", 1)[1].split("\n\n**", 1)[0]
    named = re.findall(r"`(\w+)(?::[\w:]+)?`", " ".join(re.findall(r"(?m)^\| (.*?) \|", table)))
    assert check.name in named


def test_titles_differ():
    titles = [check.title for check in own_checks()]
    assert len(titles) == len(set(titles)) > 20


def test_checks_are_published_with_their_titles(found):
    titles = {check.name: check.title for check in own_checks()}
    assert {c.title for c in found.checks} == {
        titles[c.name.partition(":")[0]] for c in found.checks
    }


def test_tables_of_events_are_told_one_by_one(found):
    [together] = [row for row in ORDER if len(row) > 1]
    told = [c.name.split(":") for c in found.checks if c.name.partition(":")[0] in together]
    tables = [table for _, table in told]
    assert len(set(tables)) > 1
    assert tables == [table for table in dict.fromkeys(tables) for t in tables if t == table]
    places = [(list(dict.fromkeys(tables)).index(t), together.index(name)) for name, t in told]
    assert places == sorted(places)


@pytest.mark.parametrize(("code", "title"), [("en", "Sample ratio"), ("zh", "样本比例")])
def test_an_analysis_from_before_checks_had_titles_is_shown(found, code, title):
    untitled = tuple(check.model_copy(update={"title": None}) for check in found.checks)
    page = render(found.model_copy(update={"checks": untitled}), lang=code)
    assert f"{title} · wave" in page
    assert "sample_ratio ·" not in page
    assert "Unknown customers · orders" in page


def one(**changed) -> CheckDefinition:
    check = CheckDefinition("one", "One", Severity.info, lambda _: ())
    return replace(check, **changed)


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"title": " "}, "needs a title"), ({"name": "a:b"}, "no name"), ({"name": ""}, "no name")],
)
def test_a_check_without_words_cannot_be_made(changed, said):
    with pytest.raises(ValueError, match=said):
        one(**changed)


def test_an_answer_needs_a_text():
    with pytest.raises(ValueError, match="needs a text"):
        CheckAnswer(passed=True, text="")


def test_a_fact_that_several_checks_look_at_is_counted_once():
    times = []

    @Fact
    def counting(data: FactInputs) -> int:
        times.append(data)
        return len(times)

    nothing = object()
    facts = counted([one(facts=(counting,)), one(name="two", facts=(counting,))], nothing)
    assert (facts.of(counting), times) == (1, [nothing])


def test_a_fact_that_nobody_named_is_no_silent_nothing():
    with pytest.raises(LookupError, match="name it among the facts"):
        Facts().of(Fact(lambda _: 1))


def test_a_number_that_cannot_be_computed_is_none():
    def judge(_: CheckInputs):
        yield CheckAnswer(passed=None, text="Not asked.", value=float("inf"), p=float("nan"))

    [answer] = one(judge=judge).ask(None)
    assert (answer.value, answer.p, answer.title, answer.severity) == (None, None, "One", "info")
