"""Eight arms side by side: the page reads at every width, and nothing scrolls sideways."""

from functools import cache
from pathlib import Path

import pytest
from chromium import violations

from upliftlab import Experiment
from upliftlab.report.render import render
from upliftlab.simulate.worked import WORLDS, draw_example

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"


@cache
def page():
    """The worked example of product by time by channel, on few customers."""
    world = WORLDS["cross-sell"]
    experiment = Experiment.from_yaml(EXPERIMENTS / world.file)
    tables, _ = draw_example(world, experiment.resolved, seed=7, customers=18_000)
    return render(experiment.analyze(tables))


@pytest.mark.browser
@pytest.mark.parametrize(
    ("width", "scheme"), [(320, "light"), (768, "dark"), (1280, "light"), (1280, "dark")]
)
def test_it_reads_at_every_width(see, axe, width, scheme):
    browser = see(page(), width, {"prefers-color-scheme": scheme})
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    wide = browser.execute_script(
        "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert wide <= 0
    assert violations(browser, axe) == []


@pytest.mark.browser
def test_no_mark_of_the_map_lies_on_a_number(see):
    browser = see(page(), 1280)
    overlapping = browser.execute_script("""
      return [...document.querySelectorAll('#roi-map td.sure')].filter(cell => {
        const {left, fontSize} = getComputedStyle(cell, '::after');
        const end = cell.getBoundingClientRect().left + parseFloat(left) + parseFloat(fontSize);
        return cell.querySelector('b').getBoundingClientRect().left < end;
      }).map(cell => cell.textContent);
    """)
    assert browser.execute_script("return document.querySelectorAll('#roi-map td.sure').length") > 0
    assert overlapping == []
