"""Uplift: who responds to what, as pure functions of numbers; `learners` alone imports sklift."""
