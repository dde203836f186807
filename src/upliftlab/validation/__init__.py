"""Proof by simulation that intervals hold the truth as often as they say."""
