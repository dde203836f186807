"""What holds for all tests: Hypothesis draws the same examples on every run."""

from hypothesis import settings

settings.register_profile("fixed", derandomize=True, deadline=None)
settings.load_profile("fixed")
