"""How words, numbers and dates are said, in any language."""
