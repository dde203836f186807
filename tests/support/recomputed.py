"""The numbers of an analysis computed anew from its moments and terms, by textbook formulae.

Nothing of upliftlab is imported: what it published is read as JSON. Welch (1947), Fieller (1954),
Newcombe (1998, method 10), Holm (1979), Benjamini and Hochberg (1995). Effects of groups as they
are, in which a contact is a customer; of intervals those that are not drawn or bent by skewness.

    python tests/support/recomputed.py upliftlab-report/hillstrom_email/analysis.json
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.stats import t as student
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep

Told = tuple[str, float, float]
"""What was compared, what is published, and what comes out here."""


class Arms:
    """The moments of a treated arm and its control in one place."""

    def __init__(self, document: dict, finding: dict):
        self.columns, self.terms = document["columns"], document["terms"]
        self.arm, place = finding["arm"], (finding["dimension"], finding["level"])
        cells = {
            cell["arm"]: cell
            for cell in document["moments"]
            if (cell["dimension"], cell["level"]) == place
        }
        chosen = [cells[name] for name in (finding["arm"], finding["control"])]
        self.n = [cell["n"] for cell in chosen]
        self.mean = [np.array(cell["mean"]) for cell in chosen]
        self.spread = [self.covariance(cell) for cell in chosen]

    def covariance(self, cell: dict) -> np.ndarray:
        """Of the arm's means."""
        p = len(self.columns)
        upper = np.zeros((p, p))
        upper[np.triu_indices(p)] = cell["m2"]
        return (upper + np.triu(upper, 1).T) / (cell["n"] - 1) / cell["n"]

    def weights(self, of: str) -> tuple[np.ndarray, float]:
        """A metric's column, or money's, and what a treated customer has of it beside."""
        found, terms = np.zeros(len(self.columns)), self.terms
        if of in self.columns:
            found[self.columns.index(of)] = 1.0
            return found, 0.0
        revenue = self.columns.index(terms["revenue"])
        cost = sum(terms[name][self.arm] for name in ("cost_per_contact", "service_cost"))
        cost += terms["fixed_cost"][self.arm] / self.n[0]
        if of == "cost":
            return found, cost
        found[revenue] = terms["margin"] if of == "profit" else 1.0
        return found, -cost if of == "profit" else 0.0

    def form(self, of: str, less: str = "", times: float = 0.0) -> tuple[float, float, float]:
        """A difference, less so many times another: its value, error and degrees of freedom."""
        (one, fixed), (other, beside) = self.weights(of), self.weights(less or of)
        w = one - times * other
        parts = [float(w @ spread @ w) for spread in self.spread]
        value = float(w @ (self.mean[0] - self.mean[1])) + fixed - times * beside
        below = sum(v * v / (n - 1) for v, n in zip(parts, self.n, strict=True))
        return value, sum(parts) ** 0.5, sum(parts) ** 2 / below if below else np.inf


RATIOS = {"roi": ("profit", "cost"), "iroas": ("revenue", "cost")}
TOTALS = {"incremental_profit": True, "profit_per_customer": False}


def findings(document: dict) -> Iterator[Told]:
    """Every finding of a group as it is, in a place that both arms have."""
    places = {(c["arm"], c["dimension"], c["level"]) for c in document["moments"]}
    for found in document["findings"]:
        place = found["dimension"], found["level"]
        known = all((found[who], *place) in places for who in ("arm", "control"))
        if not known or found["estimate"] is None or found["se"] is None:
            continue
        arms, kind = Arms(document, found), found["kind"]
        name = " ".join(map(str, (kind, found["metric"], found["arm"], *place)))
        if kind == "difference" or kind in TOTALS:
            yield from _difference(name, arms, found)
        elif kind == "relative_lift" or kind in RATIOS or kind == "cost_per_conversion":
            yield from _ratio(name, arms, found)


def _difference(name: str, arms: Arms, found: dict) -> Iterator[Told]:
    of = found["metric"] if found["kind"] == "difference" else "profit"
    size = arms.n[0] if TOTALS.get(found["kind"]) else 1
    value, se, df = arms.form(of)
    yield f"{name} estimate", found["estimate"], size * value
    yield f"{name} se", found["se"], size * se
    alpha = 1 - found["confidence"]
    if found["low"] is None or found["high"] is None:
        return
    if found["method"] == "welch":
        reach = student.isf(alpha / 2, df) * se
        yield f"{name} low", found["low"], size * (value - reach)
        yield f"{name} high", found["high"], size * (value + reach)
        if found["p"] is not None:
            yield f"{name} p", found["p"], 2 * student.sf(abs(value / se), df)
    elif found["method"] == "newcombe":
        at = arms.columns.index(found["metric"])
        counts = [round(n * m[at]) for n, m in zip(arms.n, arms.mean, strict=True)]
        pairs = [each for pair in zip(counts, arms.n, strict=True) for each in pair]
        ends = confint_proportions_2indep(*pairs, method="newcomb", compare="diff", alpha=alpha)
        yield f"{name} low", found["low"], ends[0]
        yield f"{name} high", found["high"], ends[1]


def _ratio(name: str, arms: Arms, found: dict) -> Iterator[Told]:
    """Fieller's ends are where the numerator less the end times the denominator is t errors."""
    if found["kind"] == "relative_lift":
        at = arms.columns.index(found["metric"])
        yield f"{name} estimate", found["estimate"], arms.mean[0][at] / arms.mean[1][at] - 1
        return
    above, below = RATIOS.get(found["kind"], ("cost", found["metric"]))
    estimate = arms.form(above)[0] / arms.form(below)[0]
    yield f"{name} estimate", found["estimate"], estimate
    null = 0.0 if found["kind"] == "roi" else estimate
    df = arms.form(above, below, null)[2]
    if found["method"] != "fieller" or None in (found["low"], found["high"]):
        return
    for end, side in (("low", 1), ("high", -1)):
        value, se, _ = arms.form(above, below, found[end])
        critical = student.isf((1 - found["confidence"]) / 2, df)
        yield f"{name} {end}", side * critical, value / se


def corrections(document: dict) -> Iterator[Told]:
    """Adjusted p-values out of the p-values of their families."""
    families: dict[tuple, list[dict]] = defaultdict(list)
    for found in document["findings"]:
        if found["headline"] and found["p"] is not None and found["family"] is not None:
            metric = "" if found["family"] == "secondary" else found["metric"]
            families[found["family"], found["kind"], metric].append(found)
    for family, members in families.items():
        how = "fdr_bh" if family[0] == "exploratory" else "holm"
        adjusted = multipletests([found["p"] for found in members], method=how)[1]
        for found, p in zip(members, adjusted, strict=True):
            yield " ".join((*family, "adjusted p")), found["p_adjusted"], float(p)


def sums(document: dict) -> Iterator[Told]:
    """The lines from revenue to profit, the flow, means, and the verdict's sum."""
    for bridge in document["bridges"]:
        lines = {line["kind"]: line["estimate"] for line in bridge["lines"]}
        costs = sum(v for k, v in lines.items() if k not in ("revenue", "margin", "cost", "profit"))
        margin = document["terms"]["margin"]
        yield "costs add up", lines["cost"], costs
        yield "profit is margin less cost", lines["profit"], lines["margin"] + lines["cost"]
        yield "margin", lines["margin"], margin * lines["revenue"]
    flow = [sum(step["arms"].values()) + step["without_arm"] for step in document["flow"]]
    yield "flow", flow[-1], flow[0] - sum(flow[1:-1])
    whole = {c["arm"]: c["mean"] for c in document["moments"] if c["dimension"] is None}
    for mean in document["means"]:
        if mean["metric"] in document["columns"]:
            at = document["columns"].index(mean["metric"])
            yield f"mean {mean['metric']} {mean['arm']}", mean["mean"], whole[mean["arm"]][at]


def recomputed(document: dict) -> list[Told]:
    """All that can be computed anew."""
    return [*findings(document), *corrections(document), *sums(document)]


def apart(one: float, other: float) -> float:
    """How far two numbers are apart, relative to their size."""
    return abs(one - other) / max(abs(one), abs(other), 1e-9)


def main(path: str) -> None:
    """Say how many numbers came out the same."""
    told = recomputed(json.loads(Path(path).read_text(encoding="utf-8")))
    worst = sorted(told, key=lambda each: -apart(*each[1:]))[:5]
    kinds = Counter(name.split()[-1] for name, *_ in told)
    print(f"{len(told)} numbers computed anew: {dict(kinds)}")  # noqa: T201 - run by hand
    for name, here, there in worst:
        print(f"{apart(here, there):.1e}  {name}: {here}, computed {there}")  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1])
