"""The verb `simulate`: a retailer's customers and events, with a campaign whose truth is known."""

from upliftlab.simulate.people import TRAITS, People, draw_people
from upliftlab.simulate.playing import play_experiment
from upliftlab.simulate.responses import ARMS, CONTROL, AssignedArms
from upliftlab.simulate.truth import truth_of
from upliftlab.simulate.world import NAME, Simulated, World, draw_world, play, simulate

__all__ = [
    "ARMS",
    "CONTROL",
    "NAME",
    "TRAITS",
    "AssignedArms",
    "People",
    "Simulated",
    "World",
    "draw_people",
    "draw_world",
    "play",
    "play_experiment",
    "simulate",
    "truth_of",
]
