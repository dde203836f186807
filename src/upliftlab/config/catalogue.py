"""Every code of `config`: its rule in a sentence, an example that breaks it and one that keeps it.

An example is a part of an experiment file unless it says which file it is. The tests run all of
them: each wrong example yields its code, no right example does.
"""

from __future__ import annotations

from upliftlab.config.catalogue_entry import Example
from upliftlab.config.catalogue_limits import LIMITS
from upliftlab.config.catalogue_privacy import PRIVACY
from upliftlab.config.catalogue_reading import READING
from upliftlab.config.catalogue_rules import RULES
from upliftlab.config.catalogue_uplift import UPLIFT
from upliftlab.config.shape import closest
from upliftlab.errors import ConfigError, Diagnostic

CATALOGUE: dict[str, Example] = {
    entry.code: entry for entry in (*READING, *RULES, *UPLIFT, *PRIVACY, *LIMITS)
}


def explain(code: str) -> str:
    """What a code means, with a wrong and a right example.

    Raises:
        ConfigError: there is no such code.

    >>> print(explain("UL012").splitlines()[0])
    UL012 Unknown key
    """
    entry = CATALOGUE.get(code.strip().upper())
    if entry is None:
        if code.strip().upper()[:3] in ("UL2", "UL3", "UL4", "UL5", "UL6"):
            message = f"{code.strip().upper()[:6]} is a fault of data, records or engines"
            remedy = "its own message says what to do; explained are the rules UL0xx and UL1xx"
            raise ConfigError(Diagnostic("UL023", message, remedy))
        near = closest(code, list(CATALOGUE), cutoff=0.6)
        remedy = f"did you mean {near}?" if near else "codes look like UL012"
        raise ConfigError(Diagnostic("UL023", f"there is no code '{code[:40]}'", remedy))
    file = f" in {entry.file}" if entry.file != Example.file else ""
    parts = [f"{entry.code} {entry.title}", entry.rule]
    parts += [f"Wrong{file}:\n{_indented(entry.wrong)}", f"Right{file}:\n{_indented(entry.right)}"]
    return "\n\n".join(parts) + "\n"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.rstrip().splitlines())
