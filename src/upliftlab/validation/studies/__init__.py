"""Kinds of experiments on which every release is proved, one a file."""
