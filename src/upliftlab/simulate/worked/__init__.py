"""Worked examples: the questions that marketers ask, with customers whose answer is known."""

from upliftlab.simulate.worked.example import Tables, WorkedExample
from upliftlab.simulate.worked.registry import WORLDS
from upliftlab.simulate.worked.writing import draw_example, write_example

__all__ = ["WORLDS", "Tables", "WorkedExample", "draw_example", "write_example"]
