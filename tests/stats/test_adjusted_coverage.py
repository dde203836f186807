"""A small version of docs/validation.md's table of adjusted intervals."""

from adjusting import tried

from upliftlab.validation.studies.adjusted import RepeatBuyers


def test_a_small_skewed_control_is_covered_and_gains_width():
    """With slopes of each arm's own it was 51 of 80."""
    found, width = tried(RepeatBuyers("skewed", 0.9, interacts=False, units=(760, 40)), 80)
    assert found["covers"] >= 74
    assert width < 0.7
