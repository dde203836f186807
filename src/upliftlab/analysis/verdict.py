"""The verdict: what the numbers say to do, in one word and one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from upliftlab.analysis.aggregates import OVERALL
from upliftlab.analysis.contrasts import CHANNEL, Contrast
from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.analysis.findings import find
from upliftlab.analysis.heterogeneity import shrunken_arms
from upliftlab.analysis.sentences import (
    Answers,
    ShipTarget,
    action,
    direction_taken,
    guardrail_sentence,
    metric_sentence,
    money_sentence,
    selection,
)
from upliftlab.config.models.experiment import PROFIT, Plan
from upliftlab.results.analysis import (
    ArmVerdict,
    Check,
    EstimandKind,
    Finding,
    Heterogeneity,
    LookInfo,
    Message,
    MetricInfo,
    Note,
    Scalar,
    Severity,
    Verdict,
    VerdictCode,
    exceeded,
)
from upliftlab.results.ship_rule import final, foremost, parse_ship_if
from upliftlab.stats.effects import Effect
from upliftlab.text.language import N_, Language

_ENGLISH = Language("en")


@dataclass(frozen=True, slots=True)
class VerdictInputs:
    """What a verdict rests on.

    Attributes:
        plan: The decision rule.
        spec: What is compared.
        contrasts: Every treated group in every place.
        checks: Integrity checks and guardrails.
        findings: All findings, for the sentence.
        metrics: How metrics are named and shown.
        look: Which of several looks this is; None where the data are read once and in time.
        tests: Whether effects differ between arms, contact channels and levels.
    """

    plan: Plan
    spec: EstimationSpec
    contrasts: Sequence[Contrast]
    checks: Sequence[Check]
    findings: Sequence[Finding]
    metrics: Sequence[MetricInfo]
    look: LookInfo | None = None
    tests: Sequence[Heterogeneity] = ()

    @property
    def interim(self) -> bool:
        """Whether more looks follow."""
        return self.look is not None and self.look.number < self.look.planned

    @property
    def asked(self) -> ShipTarget:
        """What an arm must reach."""
        experiment = self.plan.experiment
        money = experiment.money
        return ShipTarget(
            metric=self.plan.decided_by,
            rule=parse_ship_if(experiment.decision.ship_if),
            hurdle=money.hurdle if money else 0.0,
            currency=self.plan.currency,
        )

    @property
    def sign(self) -> float:
        """1 where more of the decision metric is good, −1 where less is."""
        metric = self.asked.metric
        return -1.0 if metric != PROFIT and self.plan.metrics[metric].better == "lower" else 1.0

    @property
    def candidates(self) -> tuple[str, ...]:
        """The arms that could be adopted: business as usual is what there already is."""
        arms = self.plan.arms
        new = tuple(arm for arm in self.spec.treatments if not arms[arm].business_as_usual)
        return new or self.spec.treatments

    @property
    def judged(self) -> str:
        """The decision metric, with its large values cut where the plan says so."""
        return self.plan.judged(self.asked.metric)

    @property
    def differ(self) -> bool:
        """Whether the decision metric's effect differs between arms beyond chance."""
        if self.asked.metric == PROFIT:
            kinds = (EstimandKind.incremental_profit,)
        else:
            kinds = (EstimandKind.adjusted_difference, EstimandKind.difference)
        known = {
            test.kind: test.p_adjusted
            for test in self.tests
            if test.dimension in (None, CHANNEL) and test.p_adjusted is not None
        }
        p = next((known[kind] for kind in kinds if kind in known), 1.0)
        return p < 1 - self.spec.confidence

    def contrast(self, arm: str) -> Contrast:
        """An arm as a whole against the control, its interval one of those of all candidates."""
        found = next(s for s in self.contrasts if s.arm == arm and s.place == OVERALL)
        return found.among(len(self.candidates))

    def shrunken(self, hurdle: float) -> Mapping[str, float]:
        """What the decision metric of each candidate is best taken for, given the others."""
        arms = tuple(self.contrast(arm) for arm in self.candidates)
        metric = None if self.asked.metric == PROFIT else self.judged
        found = shrunken_arms(arms, metric, hurdle)
        return dict(zip(self.candidates, found, strict=True)) if found else {}

    def named(self, arm: str) -> tuple[Finding, ...]:
        """An arm's numbers to go by, as its verdict's interval is: of money and what decides."""
        found = find(self.plan, self.spec, (self.contrast(arm),))
        profit = self.asked.metric == PROFIT
        taken = EstimandKind.incremental_profit if profit else EstimandKind.difference
        value = self.shrunken(0.0).get(arm)
        return tuple(
            finding.model_copy(
                update={
                    "p_adjusted": None,
                    "family": None,
                    "shrunken": value if finding.kind.plain is taken else None,
                }
            )
            for finding in found
            if finding.headline
            and (finding.kind.estimand.of == "money" or finding.metric == self.judged)
        )

    def exceeded(self, arm: str) -> str | None:
        """A guardrail that an arm clearly exceeds."""
        return exceeded(self.checks, arm)


def decide(evidence: VerdictInputs) -> Verdict:
    """The verdict of an analysis: a failed critical check decides, then the rule."""
    asked = evidence.asked
    failed = [c for c in evidence.checks if c.severity is Severity.critical and c.passed is False]
    if early := next((c for c in failed if c.name == "maturity"), None):
        failed.remove(early)
    if failed:
        return _invalid(asked, failed[0])
    if early:
        return _not_final(asked, early.parts, evidence.look)
    arms = arm_verdicts(evidence)
    if evidence.interim and not final({arm.code for arm in arms}):
        return _not_yet(asked, arms, evidence.look)
    return _spoken(asked, arms, evidence)


def arm_verdicts(evidence: VerdictInputs) -> tuple[ArmVerdict, ...]:
    """Each arm's verdict; p-values and intervals are Bonferroni's, as several arms are asked."""
    asked = evidence.asked
    sign, count = evidence.sign, len(evidence.candidates)
    best_taken = evidence.shrunken(evidence.spec.hurdle)
    found: list[ArmVerdict] = []
    for arm in evidence.candidates:
        contrast = evidence.contrast(arm)
        effect = _effect(evidence.judged, contrast)
        p = effect.p_of(sign * asked.rule.threshold)
        adjusted = None if p is None else min(1.0, count * p)
        settled = adjusted is not None and adjusted < 1 - evidence.spec.confidence
        value = None if effect.estimate is None else sign * effect.estimate
        code, note = asked.rule.code(value, settled=settled), effect.note
        if evidence.interim:
            code = asked.rule.so_far(code, money=asked.metric == PROFIT)
        if evidence.exceeded(arm) and code is not VerdictCode.stop:
            code, note = VerdictCode.stop, Note.guardrail
        found.append(
            ArmVerdict(
                arm=arm,
                code=code,
                value=effect.estimate,
                low=effect.low,
                high=effect.high,
                p=p,
                p_adjusted=adjusted,
                note=note,
                confidence=contrast.spec.confidence,
                shrunken=best_taken.get(arm),
            )
        )
    return tuple(found)


def _effect(metric: str, contrast: Contrast) -> Effect:
    """What the rule is asked of."""
    if metric == PROFIT:
        return contrast.question().above_hurdle()
    return contrast.headline(metric)


def _spoken(asked: ShipTarget, arms: tuple[ArmVerdict, ...], evidence: VerdictInputs) -> Verdict:
    sign = evidence.sign
    best = foremost(arms, sign)
    several = len(arms) > 1
    own = evidence.named(best.arm) if several else ()
    findings = own or evidence.findings
    info = next((m for m in evidence.metrics if m.name == evidence.judged), None)
    if best.note is Note.guardrail:
        sentence = guardrail_sentence(best.arm, evidence.exceeded(best.arm) or "")
    elif info is None or asked.metric == PROFIT:
        sentence = money_sentence(best, asked, findings)
    else:
        sentence = metric_sentence(best, info, asked, findings)
    confidence = 1 - evidence.contrast(best.arm).level().nominal
    threshold = sign * asked.rule.threshold
    asked_of = evidence.metrics if asked.metric == PROFIT else (info,)
    uncertain = any(one is not None and one.table == "uncertain" for one in asked_of)
    following = action(Answers(best, arms, evidence.differ, threshold, confidence, uncertain))
    verdict = _verdict(asked, (best.code, best.arm), sentence, following, arms)
    verdict = _remarked(verdict, _remarks(asked, evidence), asked.currency)
    if not several or best.value is None or best.note is Note.guardrail:
        return verdict
    unit = "profit" if info is None or asked.metric == PROFIT else info.unit
    chosen = selection(best, len(arms), (unit, evidence.shrunken(0.0).get(best.arm)))
    said = {"selection": _ENGLISH.say(chosen, asked.currency), "selection_parts": chosen}
    return verdict.model_copy(update={**said, "findings": own})


def _remarks(asked: ShipTarget, evidence: VerdictInputs) -> tuple[Message, ...]:
    """What the sentence takes for granted."""
    if asked.metric == PROFIT or evidence.plan.metrics[asked.metric].has_direction:
        return ()
    return (direction_taken(evidence.plan.metrics[asked.metric].title or asked.metric),)


def _remarked(said: Verdict, remarks: tuple[Message, ...], currency: str | None) -> Verdict:
    """A verdict whose sentence ends in what it takes for granted."""
    sentence = " ".join([said.sentence, *(_ENGLISH.say(each, currency) for each in remarks)])
    return said.model_copy(update={"sentence": sentence, "remarks": remarks})


def _invalid(asked: ShipTarget, failed: Check) -> Verdict:
    text = N_("These numbers cannot be trusted: {reason}")
    sentence = Message(template=text, values={"reason": failed.message})
    following = Message(template=N_("Find and mend the cause, then analyse again."))
    return _verdict(asked, (VerdictCode.invalid, None), sentence, following)


def _not_final(asked: ShipTarget, early: Message, look: LookInfo | None) -> Verdict:
    text = N_("The outcome window closes on {date:date}; until then there is no verdict.")
    then = N_("Analyse again after {date:date}.")
    values: dict[str, Scalar] = {"date": early.values["date"]}
    if "source" in early.values:
        values = dict(early.values)
        text = N_(
            "The outcome window closes on {date:date}, and the events of {source} are declared "
            "complete up to {day:date} only ('complete_until'): until then there is no verdict."
        )
        then = N_("Bring the later events of {source} along, and move its 'complete_until'.")
    elif look is not None and look.planned > 1:
        text = N_("The first look is due on {date:date}; until then there is no verdict.")
    following = Message(template=then, values=values)
    head = (VerdictCode.not_final, None)
    return _verdict(asked, head, Message(template=text, values=values), following)


def _not_yet(asked: ShipTarget, arms: tuple[ArmVerdict, ...], look: LookInfo | None) -> Verdict:
    assert look is not None  # noqa: S101 - the caller asked
    values: dict[str, Scalar] = {"number": look.number, "planned": look.planned}
    text = N_("Look {number:count} of {planned:count} does not settle it.")
    following = Message(
        template=N_("Go on as planned; the next look is due on {date:date}."),
        values={"date": look.following},
    )
    head = (VerdictCode.not_final, None)
    return _verdict(asked, head, Message(template=text, values=values), following, arms)


def _verdict(
    asked: ShipTarget,
    head: tuple[VerdictCode, str | None],
    sentence: Message,
    following: Message,
    arms: tuple[ArmVerdict, ...] = (),
) -> Verdict:
    return Verdict(
        code=head[0],
        metric=asked.metric,
        arm=head[1],
        sentence=_ENGLISH.say(sentence, asked.currency),
        sentence_parts=sentence,
        next_action=_ENGLISH.say(following, asked.currency),
        next_action_parts=following,
        arms=arms,
    )
