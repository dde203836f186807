"""Small parts of the page as they are written: a change here is to be looked at."""

from dataclasses import replace
from itertools import pairwise

import pytest

from upliftlab.report.axis import Reference, axis
from upliftlab.report.figure import FigureFormat, Formatter, Stretch
from upliftlab.report.interval import Scale, Value, draw
from upliftlab.report.plot import Plot, PlotMark, area, line, upright
from upliftlab.report.render import environment
from upliftlab.results.analysis import Message, Note
from upliftlab.text.language import Language

TELLER = Formatter(Language("en"), "USD")
ZERO = (Reference(0.0),)


@pytest.fixture
def macros():
    return environment("en").get_template("macros.html.j2").module


def told(*values: Value, form: FigureFormat | None = None):
    return draw(values, Scale(form or FigureFormat("money"), ZERO), TELLER)


def value(estimate, low, high, note=None) -> Value:
    return Value(estimate, low, high, note, "/findings/3")


def test_a_number(macros):
    figure = TELLER.figure(-0.0068, "/findings/3/estimate", FigureFormat("points", signed=True))
    assert macros.number(figure) == (
        '<span data-key="/findings/3/estimate" data-as="points 2 +">\u22120.68 pp</span>'
    )


def test_an_interval(macros):
    drawn = told(value(50.0, -50.0, 150.0), form=FigureFormat("number"))
    assert macros.strip(drawn.intervals[0].strip) == (
        '<svg class="strip" width="150" height="18" viewBox="0 0 150 18" aria-hidden="true">'
        '<path class="zero" d="M41.5 0V18"/><path class="bar" d="M8.0 9H142.0"/>'
        '<circle class="ring" cx="75.0" cy="9" r="3.5"/></svg>'
    )


def test_a_shrunken_estimate_stands_upright_on_the_interval_and_beneath_it(macros):
    better = replace(value(50.0, -50.0, 150.0), shrunken=25.0)
    interval = told(better, form=FigureFormat("number")).intervals[0]
    assert macros.strip(interval.strip).endswith('<path class="shrunken" d="M58.2 3v12"/></svg>')
    shown = '<span class="ends shrunken">shrunken <span data-key="/findings/3/shrunken"'
    assert shown in macros.interval(interval)


def test_an_interval_without_ends_is_told_in_words(macros):
    drawn = told(value(20.0, 10.0, 30.0), value(20.0, None, None, Note.cost_unclear))
    html = macros.interval(drawn.intervals[1])
    assert Note.cost_unclear.value in html
    assert "<svg" not in html
    assert "20" in html


def test_a_value_that_is_absent_is_a_dash_with_its_reason(macros):
    html = macros.interval(told(value(None, None, None, Note.zero_cost)).intervals[0])
    reason = Note.zero_cost.value
    assert f'<span class="none" title="{reason}">—</span>' in html
    assert f'<span class="why">{reason}</span>' in html
    assert "<svg" not in html


def test_one_wide_interval_does_not_squeeze_the_others():
    narrow = [(float(i), i - 1.0, i + 1.0) for i in range(5)]
    scale = axis([*narrow, (2.0, -500.0, 500.0)], ZERO, str, 150)
    assert (scale.low, scale.high) == (-4.0, 8.0)
    wide = scale.strip((2.0, -500.0, 500.0))
    assert (wide.beyond_low, wide.beyond_high, wide.clear) == (True, True, False)


def test_labels_of_a_scale_never_touch():
    for high in (0.00012, 0.7, 3.0, 19.0, 4800.0, 2.5e7):
        shared = told(value(high / 2, -high / 3, high)).axis
        ends = [
            (t.x - {"start": 0, "middle": 3.5, "end": 7}[t.anchor] * len(t.text), t)
            for t in shared.ticks
        ]
        for (left, tick), (right, _) in pairwise(ends):
            assert left + 7 * len(tick.text) < right
        assert any(tick.text in ("$0", "0") for tick in shared.ticks)


def test_nothing_known_has_no_scale():
    assert told(value(None, None, None, Note.zero_cost)).axis is None
    assert told(value(0.0, 0.0, 0.0)).axis is not None


def test_a_sentence_keeps_names_and_numbers_apart(macros):
    message = Message(template="{arm} <pays> {profit:money}.", values={"arm": "<A>", "profit": -5})
    assert macros.sentence(TELLER.sentence(message, "/verdict/sentence_parts")) == (
        "<bdi>&lt;A&gt;</bdi> &lt;pays&gt; "
        '<span data-key="/verdict/sentence_parts/values/profit" data-as="money 2"'
        ">\u2212$5.00</span>."
    )


def test_a_plot(macros):
    side = upright([4.0, -1.0], "{:g}".format, "gain")
    flat = axis([(0.0, 0.0, 0.0), (1.0, 1.0, 1.0)], (), "{:g}".format, 100)
    marks = (
        PlotMark("band", area(flat, side, [(0.0, -1.0, 1.0), (1.0, 2.0, 4.0)])),
        PlotMark("found", line(flat, side, [(0.0, 0.0), (1.0, 3.0)])),
    )
    ticks = "".join(
        f'<path class="tick" d="M{x} 232.0v5"/><text x="{x}" y="251.0" text-anchor="middle">{t}'
        "</text>\n"
        for x, t in ((8.0, "0"), (50.0, "0.5"), (92.0, "1"))
    )
    drawn = Plot("gain0", "Gain: <A>", (Stretch("What is added."),), flat, "share", side, marks)
    assert macros.plot(drawn) == (
        '<svg class="curve" viewBox="-44 0 152 278.0" width="152" role="img"'
        ' aria-labelledby="gain0 gain0said">\n<title id="gain0">Gain: &lt;A&gt;</title>\n'
        '<desc id="gain0said">What is added.</desc>\n<text x="-40" y="12">gain</text>\n'
        '<path class="grid" d="M0 192.0H100"/><text x="-6" y="196.0" text-anchor="end">0</text>\n'
        '<path class="grid" d="M0 112.0H100"/><text x="-6" y="116.0" text-anchor="end">2</text>\n'
        '<path class="grid" d="M0 32.0H100"/><text x="-6" y="36.0" text-anchor="end">4</text>\n'
        '<path class="band" d="M8.0 152.0L92.0 32.0L92.0 112.0L8.0 232.0Z"/>\n'
        '<path class="found" d="M8.0 192.0L92.0 72.0"/>\n'
        f"{ticks}"
        '<text x="100" y="272.0" text-anchor="end">share</text>\n</svg>'
    )


def test_a_plot_of_nothing_has_no_height():
    assert upright([0.0, 0.0], str) is None


def test_levels_are_round_and_lie_within_the_axis():
    for high in (0.00012, 0.7, 3.0, 19.0, 4800.0, 2.5e7):
        side = upright([high, -high / 7], str)
        assert (side.low, side.high) == (-high / 7, high)
        assert 2 <= len(side.levels) <= 7
        assert any(level.text in ("0", "0.0") for level in side.levels)
        assert all(side.top <= level.y <= side.bottom for level in side.levels)
