"""Estimators: pure functions of Moments and counts."""
