"""What a metric's own name says of its direction: of complaints and costs, less is better.

A name only ever raises the question; the answer is declared. So a word may stand here that is now
and then harmless, and none that is usually good.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

_ENGLISH: Final = """
complaint complaints complained complaining churn churns churned churner churners attrition
unsubscribe unsubscribes unsubscribed unsubscriber unsubscribers unsubscription unsubscriptions
optout optouts return returns returned refund refunds refunded cancel cancels canceled cancelled
cancellation cancellations ticket tickets cost costs expense expenses chargeback chargebacks
bounce bounces bounced spam uninstall uninstalls uninstalled unfollow unfollows unfollowed
detractor detractors lapse lapsed lapses dormant inactive inactivity abandon abandoned
abandonment abandonments defect defects error errors failure failures failed loss losses overdue
dunning delinquency delinquent delay delays delayed latency downtime outage outages escalation
escalations fraud noshow noshows death deaths mortality infection infections
"""
_GERMAN: Final = """
beschwerde beschwerden reklamation reklamationen reklamiert retoure retouren retourniert
ruecksendung ruecksendungen rueckgabe rueckgaben rueckerstattung rueckerstattungen storno
stornos storniert stornierung stornierungen kuendigung kuendigungen gekuendigt abmeldung
abmeldungen abgemeldet abbestellung abbestellungen abbestellt abwanderung abgewandert widerruf
widerrufe widerrufen kosten mahnung mahnungen gemahnt austritt austritte ausfall ausfaelle
fehler verlust verluste abbruch abbrueche abgebrochen verspaetung verspaetungen wartezeit
wartezeiten bearbeitungszeit bearbeitungszeiten
"""
_WORDS: Final = frozenset((_ENGLISH + _GERMAN).split())
"""Words of what nobody wants more of; German ones with umlauts written out."""
_COMPOUNDS: Final = (
    "beschwerde",
    "reklamation",
    "retoure",
    "ruecksend",
    "storno",
    "kuendigung",
    "abmelde",
    "abmeldung",
    "abwander",
    "widerruf",
    "kosten",
    "wartezeit",
)
"""German ones that also stand within a word, as in Kündigungsquote and Versandkosten."""
_CHINESE: Final = ("投诉", "退订", "流失", "退货", "退款", "成本", "注销", "工单")
_PAIRS: Final = frozenset(
    {("opt", "out"), ("opted", "out"), ("sign", "off"), ("no", "show"), ("no", "shows")}
    | {
        (unit, to)
        for unit in ("days", "hours", "weeks", "minutes", "months", "time")
        for to in ("to", "until", "till")
    }
    | {(unit, "bis") for unit in ("tage", "stunden", "wochen", "minuten", "monate", "zeit")}
)
"""Two words that mean it together."""
_TURNING: Final = """
not no non without free saved saving savings avoided avoid prevented reduced reduction resolved
solved won recovered ohne nicht kein keine vermieden gespart eingespart ersparnis einsparung
geloest kostenlos kostenfrei
"""
_TURNS: Final = frozenset(_TURNING.split())
"""Words that turn such a word round wherever they stand."""
_ENDING: Final = """
per pro je after nach before vor less minus net netto abzueglich
"""
_ENDS: Final = frozenset(_ENDING.split())
"""Words behind which there is what is divided by, or taken off already."""
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_APART: Final = re.compile(r"[\W_\d]+")


def falling_word(*names: str | None) -> str | None:
    """The word by which one of some names says that less is better; None where none does.

    Args:
        names: What a metric and its column are called.

    >>> falling_word("complaint_rate"), falling_word("Kündigungsquote"), falling_word("daysToOrder")
    ('complaint', 'kündigungsquote', 'days to')
    >>> falling_word("revenue_per_ticket", "return_on_ad_spend", "costs_saved", "bought", None)
    """
    return next((word for name in names if name for word in _falling(name)), None)


def _falling(name: str) -> Iterator[str]:
    if found := next((word for word in _CHINESE if word in name), None):
        yield found
    written = _CAMEL.sub(" ", unicodedata.normalize("NFC", name)).casefold()
    told = [word for word in _APART.split(written) if word]
    plain = [_plain(word) for word in told]
    end = next((at for at, word in enumerate(plain) if at and word in _ENDS), len(plain))
    told, plain = told[:end], plain[:end]
    for at, pair in enumerate(pairwise(plain)):
        if pair in _PAIRS:
            yield " ".join(told[at : at + 2])
    if _TURNS.intersection(plain):
        return
    for at, word in enumerate(plain):
        if word == "return" and plain[at + 1 : at + 2] == ["on"]:
            continue
        if word in _WORDS or any(stem in word for stem in _COMPOUNDS):
            yield told[at]


def _plain(word: str) -> str:
    """A word with German umlauts written out, and without other accents."""
    for letter, written in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        word = word.replace(letter, written)
    apart = unicodedata.normalize("NFD", word)
    return "".join(letter for letter in apart if not unicodedata.combining(letter))
