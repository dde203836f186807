"""What a column's name says that it holds: a guess, which is told as one and decides nothing alone.

Names are searched in lower case, in English and German, as exports write them.
"""

from __future__ import annotations

import re
from typing import Final

CUSTOMER: Final = re.compile(r"customer|client|user|member|contact|subscriber|kund|person|e_?mail")
"""One who is treated by himself."""
ID: Final = re.compile(r"(^|[^a-z])(id|key|no|nr|number|uuid|ref)([^a-z]|$)|id$")
"""Something that is told apart from others of its kind."""
PLACE: Final = re.compile(
    r"(^|[^a-z])(city|town|stadt|store|shop|filiale|branch|outlet|region|state|county|district|geo"
    r"|dma|market|country|land|postcode|zip|plz|area)(_?(id|key|no|nr|code|name))?$"
)
"""Where many customers are."""
GROUP: Final = re.compile(
    r"house_?hold|haushalt|family|familie|company|firma?($|[^a-z])|(^|[^a-z])(team|class|school"
    r"|clinic|village|ward|cluster|account)"
)
"""Whom several customers belong to."""
DAY: Final = re.compile(
    r"(^|[^a-z])(date|day|week|month|datum|tag|woche|monat|period)(_?(id|of|start|begin))?$"
)
"""When something was."""


def names_group(name: str) -> bool:
    """Whether a column seems to name what several customers have in common.

    >>> names_group("household_id"), names_group("Store"), names_group("restored")
    (True, True, False)
    """
    said = name.casefold()
    return bool(GROUP.search(said) or PLACE.search(said))


def names_customer(name: str) -> bool:
    """Whether a column seems to name one customer.

    >>> names_customer("customer_id"), names_customer("id"), names_customer("amount")
    (True, True, False)
    """
    said = name.casefold()
    return bool(CUSTOMER.search(said) or ID.search(said)) and not names_group(name)
