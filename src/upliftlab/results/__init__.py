"""What is published: frozen values, one module for each JSON, and what their words stand for.

`estimands` and `costs` are the tables of what is estimated and what is paid: analysis computes by
them, the page and the documents read from them.
"""


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for "translate this where it is shown"
    """Mark a text for the catalogues and leave it as it is."""
    return text
