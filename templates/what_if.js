/* What if the terms were others: the formulas of money/what_if.py, from the sums in the analysis. */

/** Γ(a + ½) / Γ(a), by its asymptotic series from 40 on. */
const gammaRatio = (a) => {
  let factor = 1;
  for (; a < 40; a += 1) factor *= a / (a + 0.5);
  const x = 1 / a;
  const series = [1, -1 / 8, 1 / 128, 5 / 1024, -21 / 32768, -399 / 262144, 869 / 4194304, 39325 / 33554432];
  return factor * Math.sqrt(a) * series.reduceRight((sum, c) => sum * x + c, 0);
};
/** The continued fraction of the incomplete beta function (Lentz's way). */
const betaFraction = (x, a, b) => {
  const tiny = 1e-300;
  const off0 = (value) => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / off0(1 - ((a + b) * x) / (a + 1));
  let h = d;
  for (let m = 1; m < 100000; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / off0(1 + even * d);
    c = off0(1 + even / c);
    h *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / off0(1 + odd * d);
    c = off0(1 + odd / c);
    h *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  return h;
};
/** The upper tail of Student's t at t > 0, and its density there. */
const studentTail = (t, df) => {
  const a = df / 2;
  const ratio = gammaRatio(a) / Math.sqrt(Math.PI);
  const spread = Math.log1p((t * t) / df);
  const root = t / Math.sqrt(df + t * t);
  const x = df / (df + t * t);
  const front = Math.exp(-a * spread) * root * ratio;
  const tail = x < (a + 1) / (a + 2.5)
    ? (front * betaFraction(x, a, 0.5)) / a / 2
    : 0.5 - front * betaFraction(root * root, 0.5, a);
  const density = (ratio / Math.sqrt(df)) * Math.exp(-(a + 0.5) * spread);
  return [tail, density];
};
/** The upper tail of the normal distribution at z > 0, and its density there. */
const normalTail = (z) => {
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  if (z > 2) {
    let below = z;
    for (let k = 400; k > 0; k -= 1) below = z + k / below;
    return [density / below, density];
  }
  let [term, sum] = [z, 0];
  for (let k = 3; sum + term !== sum; k += 2) {
    sum += term;
    term *= (z * z) / k;
  }
  return [0.5 - density * sum, density];
};
/** The value that is exceeded with probability p < ½: Newton's way on the tail's logarithm. */
const quantile = (p, tailOf) => {
  const l = Math.sqrt(-2 * Math.log(p));
  let t = Math.max(1e-8, l - (2.30753 + 0.27061 * l) / (1 + 0.99229 * l + 0.04481 * l * l));
  for (let step = 0; step < 200; step += 1) {
    const [tail, density] = tailOf(t);
    const next = t + (Math.log(tail / p) * tail) / density;
    const change = Math.abs(next - t);
    t = next > 0 ? next : t / 2;
    if (change <= 4e-16 * t) break;
  }
  return t;
};
/** The t that Student's t exceeds with probability p < ½; of many degrees of freedom by the
 * expansion about the normal (Cornish & Fisher), where the fraction would lose digits. */
const studentQuantile = (p, df) => {
  if (df < 5e4) return quantile(p, (t) => studentTail(t, df));
  const z = quantile(p, normalTail);
  const q = z * z;
  return z * (1 + (q + 1) / (4 * df) + (q * (5 * q + 16) + 3) / (96 * df ** 2)
    + (q * (q * (3 * q + 19) + 17) - 15) / (384 * df ** 3)
    + (q * (q * (q * (79 * q + 776) + 1482) - 1920) - 945) / (92160 * df ** 4));
};

/** A symmetric bilinear form, given by its upper triangle; what has no weight may be unknown. */
const quadratic = (triangle, one, other) => {
  let [sum, at] = [0, 0];
  for (let i = 0; i < one.length; i += 1) {
    for (let j = i; j < one.length; j += 1, at += 1) {
      const weight = one[i] * other[j] + (i === j ? 0 : one[j] * other[i]);
      if (weight !== 0) sum += weight * (triangle[at] ?? NaN);
    }
  }
  return sum;
};
/** Σ v² / df over a group's strata. */
const perFreedom = (group, weights) => {
  if (!group.freedom.length) return quadratic(group.covariance, weights, weights) ** 2 / group.df;
  let [sum, at] = [0, 0];
  const k = weights.length;
  for (let a = 0; a < k; a += 1)
    for (let b = a; b < k; b += 1)
      for (let c = b; c < k; c += 1)
        for (let d = c; d < k; d += 1, at += 1) {
          const product = weights[a] * weights[b] * weights[c] * weights[d];
          if (product !== 0) sum += product * (group.freedom[at] ?? NaN);
        }
  return sum;
};
/** A form is weights of the block's columns, and a constant for each treated customer. */
const minus = (one, other, factor) => ({
  weights: one.weights.map((w, i) => w - factor * other.weights[i]),
  each: one.each - factor * other.each,
});
const valueOf = (contrast, form) => form.weights.reduce((sum, w, i) => sum + w * contrast.difference[i], 0) + form.each;
const sizeOf = (contrast, form) =>
  form.weights.reduce((sum, w, i) => sum + Math.abs(w) * Math.abs(contrast.difference[i]), 0) + Math.abs(form.each);
const partsOf = (contrast, one, other) => [
  quadratic(contrast.treated.covariance, one.weights, other.weights),
  quadratic(contrast.control.covariance, one.weights, other.weights),
  contrast.shared.length ? quadratic(contrast.shared, one.weights, other.weights) : 0,
];
const varianceOf = (contrast, one, other) => partsOf(contrast, one, other).reduce((a, b) => a + b);
const freedomOf = (contrast, form) => {
  const [treated, control, shared] = partsOf(contrast, form, form);
  const spread = perFreedom(contrast.treated, form.weights) + perFreedom(contrast.control, form.weights)
    + shared ** 2 / (contrast.treated.n + contrast.control.n - 1);
  return (treated + control + shared) ** 2 / spread;
};
/** The standard errors to subtract for the upper and for the lower end. */
const boundsOf = (nominal, held, df) => {
  if (held) return [held[0] ?? -Infinity, held[1] ?? Infinity];
  if (nominal <= 0) return [-Infinity, Infinity];
  const half = studentQuantile(nominal / 2, df);
  return [-half, half];
};
const finiteOr = (value) => (Number.isFinite(value) ? value : null);
const absent = (estimate) => ({ estimate, low: null, high: null });
const welch = (contrast, form, [nominal, held]) => {
  const [estimate, variance] = [valueOf(contrast, form), varianceOf(contrast, form, form)];
  if (!(variance > 0)) return absent(estimate);
  const se = Math.sqrt(variance);
  const [below, above] = boundsOf(nominal, held, freedomOf(contrast, form));
  return { estimate, low: finiteOr(estimate - above * se), high: finiteOr(estimate - below * se) };
};
const fieller = (contrast, above, below, [nominal, held], hurdle) => {
  const bottom = valueOf(contrast, below);
  if (bottom <= 1e-12 * sizeOf(contrast, below)) return absent(null);
  const estimate = valueOf(contrast, above) / bottom;
  const residual = minus(above, below, estimate);
  const tested = minus(above, below, hurdle);
  const ofBelow = varianceOf(contrast, below, below);
  const between = varianceOf(contrast, residual, below);
  const own = varianceOf(contrast, residual, residual);
  if (Number.isNaN(ofBelow + between + own) || varianceOf(contrast, tested, tested) <= 0) return absent(estimate);
  const end = (critical) => {
    if (!Number.isFinite(critical)) return null;
    const square = critical ** 2;
    const a = bottom ** 2 - square * ofBelow;
    if (!(a > 0)) return undefined;
    const b = -square * between;
    const root = Math.sqrt(b * b + a * Math.max(square * own, 0));
    return estimate + (critical > 0 ? b - root : b + root) / a;
  };
  const [high, low] = boundsOf(nominal, held, freedomOf(contrast, tested)).map(end);
  return high === undefined || low === undefined ? absent(estimate) : { estimate, low, high };
};
const scaled = (effect, factor, less = 0) => ({
  estimate: effect.estimate === null ? null : effect.estimate * factor - less,
  low: effect.low === null ? null : effect.low * factor - less,
  high: effect.high === null ? null : effect.high * factor - less,
});

/** What a block's contrasts say under terms {margin, hurdle, customers, rates[key][arm]}. */
const asker = (found, costs) => {
  const block = found.what_if;
  const control = found.arms.find((arm) => arm.control).arm;
  const paid = (rates, arm, per) =>
    costs.reduce((sum, line) => sum + (line.per === per ? line.factor * (rates[line.key]?.[arm] ?? 0) : 0), 0);
  const margin = (terms) => ({ weights: block.columns.map((name) => (name === "margin" ? terms.margin : 0)), each: 0 });
  const once = ["contacts", "customer"].filter((per) => !block.columns.includes(per));
  const cost = (contrast, terms, fixed) => {
    const own = (arm) =>
      once.reduce((sum, per) => sum + paid(terms.rates, arm, per), 0)
      + (fixed && block.customers[arm] ? paid(terms.rates, arm, "arm") / block.customers[arm] : 0);
    const weight = (name) => (name === "margin" ? 0 : name === "held" ? 1 : paid(terms.rates, contrast.arm, name));
    return { weights: block.columns.map(weight), each: own(contrast.arm) - own(control) };
  };
  const level = (contrast, isAbove, isVerdict) => {
    const held = isVerdict ? contrast.held_verdict : contrast.held;
    return [isVerdict ? block.nominal_verdict : block.nominal, isAbove ? held?.above_hurdle : held?.profit];
  };
  const above = (contrast, terms, hurdle, isVerdict) => {
    const form = minus(margin(terms), cost(contrast, terms, true), 1 + hurdle);
    return scaled(welch(contrast, form, level(contrast, hurdle !== 0, isVerdict)), contrast.customers);
  };
  const roi = (contrast, terms) => {
    const below = cost(contrast, terms, true);
    return fieller(contrast, minus(margin(terms), below, 1), below, level(contrast, true, false), terms.hurdle);
  };
  const rollout = (contrast, terms) => {
    const form = minus(margin(terms), cost(contrast, terms, false), 1);
    const fixed = paid(terms.rates, contrast.arm, "arm") - paid(terms.rates, control, "arm");
    return scaled(welch(contrast, form, level(contrast, false, false)), terms.customers, fixed);
  };
  const [, what, strict, limit] = /(lower|estimate)\s*(>=?)\s*([+-]?[\d.]+)/.exec(found.decision.ship_if);
  const threshold = Number(limit);
  const interim = found.look !== null && found.look.number < found.look.planned;
  const decides = found.decision.metric === "profit";
  const guards = found.checks.filter((check) => check.name.startsWith("guardrail:") && check.passed === false);
  const exceeded = new Set(guards.map((check) => check.parts.values.arm));
  const code = (was, effect) => {
    if (!decides) return was.code;
    if (exceeded.has(was.arm)) return "STOP";
    if (effect.estimate === null) return "INCONCLUSIVE";
    const beyond = strict === ">" ? effect.estimate > threshold : effect.estimate >= threshold;
    const clear = (effect.low !== null && effect.low > threshold) || (effect.high !== null && effect.high < threshold);
    let said = "INCONCLUSIVE";
    if (what === "estimate") said = beyond ? "SHIP" : "STOP";
    else if (clear) said = effect.estimate > threshold ? "SHIP" : "STOP";
    return interim && (said === "STOP" || what === "estimate") ? "INCONCLUSIVE" : said;
  };
  const rank = { SHIP: 2, INCONCLUSIVE: 1, STOP: 0 };
  const verdict = (arms) => {
    if (!decides || !arms.length) return { code: found.verdict.code, arm: found.verdict.arm };
    const codes = arms.map((arm) => arm.code);
    if (interim && !codes.includes("SHIP") && !codes.every((each) => each === "STOP")) return { code: "NOT FINAL", arm: null };
    const value = (arm) => arm.value ?? -Infinity;
    return arms.reduce((best, arm) =>
      rank[arm.code] > rank[best.code] || (arm.code === best.code && value(arm) > value(best)) ? arm : best);
  };
  return (terms) => {
    const places = block.contrasts.map((contrast) => ({
      arm: contrast.arm,
      dimension: contrast.dimension,
      level: contrast.level,
      profit: above(contrast, terms, 0, false),
      roi: roi(contrast, terms),
      rollout: contrast.dimension === null ? rollout(contrast, terms) : null,
    }));
    const arms = found.verdict.arms.flatMap((was) => {
      const contrast = block.contrasts.find((each) => each.arm === was.arm && each.dimension === null);
      if (!contrast) return [];
      const effect = decides
        ? above(contrast, terms, terms.hurdle, true)
        : { estimate: was.value, low: was.low, high: was.high };
      return [{ arm: was.arm, code: code(was, effect), value: effect.estimate, low: effect.low, high: effect.high }];
    });
    const { code: said, arm } = verdict(arms);
    return { code: said, arm, arms, places };
  };
};

/* Numbers as the page writes them (text/precision.py): decimals by size, rounded half to even. */
const places = (largest, significant) =>
  largest === 0 ? 0 : Math.min(12, significant - 1 - Math.floor(Math.log10(largest)));
const largestOf = (scale) => Math.max(0, ...scale.map(Math.abs));
const moneyDigits = (usual, scale) => (largestOf(scale) >= 100 ? 0 : Math.max(usual, places(largestOf(scale), 2)));
const percentDigits = (scale) => {
  const largest = largestOf(scale);
  const exact = Math.max(0, ...scale.map((value) => (value * 100).toFixed(12).replace(/\.?0+$/, "").split(".")[1]?.length ?? 0));
  return largest >= 1 ? 0 : Math.min(exact, Math.max(1, places(largest, 2) - 2));
};
/** What decides the decimals of an estimate and its ends: it or the nearer end. */
const scaleOf = (effect) => {
  const [first, ...ends] = [effect.estimate, effect.low, effect.high].filter((value) => value !== null).map(Math.abs);
  return first === undefined ? [] : ends.length ? [first, Math.min(...ends)] : [first];
};
/** A number times 10^shift with so many decimals, from its shortest decimal form. */
const decimal = (value, digits, signs, shift = 0) => {
  const [mantissa, exponent] = Math.abs(value).toExponential().split("e");
  const [whole, fraction = ""] = mantissa.split(".");
  const point = Number(exponent) - fraction.length + shift + digits;
  let units = BigInt(whole + fraction);
  if (point >= 0) units *= 10n ** BigInt(point);
  else {
    const unit = 10n ** BigInt(-point);
    const [kept, rest] = [units / unit, units % unit];
    const up = 2n * rest > unit || (2n * rest === unit && kept % 2n === 1n);
    units = kept + (up ? 1n : 0n);
  }
  const text = units.toString().padStart(digits + 1, "0");
  const head = text.slice(0, text.length - digits).replace(/\B(?=(\d{3})+$)/g, signs.group);
  const tail = digits ? signs.decimal + text.slice(-digits) : "";
  return [value < 0 && units !== 0n ? signs.minus : "", head + tail];
};

const box = document.getElementById("what-if");
const showWhatIf = (found) => {
  const words = JSON.parse(box.dataset.words);
  const inputs = [...box.querySelectorAll("input[data-term]")];
  const was = { margin: found.terms.margin, hurdle: found.terms.hurdle, rates: {} };
  was.customers = Object.values(found.what_if.customers).reduce((a, b) => a + b, 0);
  for (const line of words.costs) was.rates[line.key] = { ...found.terms[line.key] };
  const answer = asker(found, words.costs);

  const money = (value, digits) => {
    const [sign, text] = decimal(value, digits, words.number);
    return sign + words.money.before + text + words.money.behind;
  };
  const percent = (value, digits) => `${decimal(value, digits, words.number, 2).join("")}%`;
  const said = (effect, isShare) => {
    if (effect.estimate === null) return ["—", words.none];
    const scale = scaleOf(effect);
    const digits = isShare ? percentDigits(scale) : moneyDigits(words.money.digits, scale);
    const show = (value) => (isShare ? percent(value, digits) : money(value, digits));
    const { low, high } = effect;
    if (low === null && high === null) return [show(effect.estimate), ""];
    if (low === null) return [show(effect.estimate), `${words.atMost} ${show(high)}`];
    if (high === null) return [show(effect.estimate), `${words.atLeast} ${show(low)}`];
    return [show(effect.estimate), `${show(low)} ${words.to} ${show(high)}`];
  };

  /** The terms as they are typed; what is as it was keeps every digit. */
  const terms = () => {
    const asked = { ...was, rates: Object.fromEntries(Object.entries(was.rates).map(([key, by]) => [key, { ...by }])) };
    let [changed, wrong] = [false, false];
    for (const input of inputs) {
      const same = input.value === input.defaultValue;
      const typed = input.valueAsNumber / (input.dataset.share === undefined ? 1 : 100);
      const bad = !same && !(input.validity.valid && Number.isFinite(typed));
      input.classList.toggle("changed", !same && !bad);
      input.setAttribute("aria-invalid", String(bad));
      wrong ||= bad;
      if (same || bad) continue;
      changed = true;
      const { term, arm } = input.dataset;
      if (arm) asked.rates[term][arm] = typed;
      else asked[term] = typed;
    }
    return [asked, changed, wrong];
  };

  const made = (name, text, kind = "") => {
    const element = document.createElement(name);
    element.textContent = text;
    if (kind) element.className = kind;
    return element;
  };
  const measured = answer(was);
  const badge = (code) => made("span", words.labels[code], `badge small ${code.toLowerCase().replace(" ", "-")}`);
  const card = (place, now) => {
    const before = measured.places.find((each) => each.arm === place.arm && each.dimension === null);
    const [one, other] = [now, measured].map((each) => each.arms.find((arm) => arm.arm === place.arm));
    const element = made("div", "", "what-if-arm");
    const head = made("h4", "");
    head.append(made("bdi", words.arms[place.arm] ?? place.arm));
    element.append(head);
    const list = made("dl", "");
    if (one) {
      const entry = made("dd", "");
      entry.append(badge(one.code), made("small", `${words.measured}${words.colon}${words.labels[other.code]}`));
      list.append(made("dt", words.verdict), entry);
    }
    for (const name of ["profit", "roi", "rollout"]) {
      const [value, ends] = said(place[name], name === "roi");
      const [old] = said(before[name], name === "roi");
      const entry = made("dd", "");
      entry.append(made("b", value), made("span", ends), made("small", `${words.measured}${words.colon}${old}`));
      list.append(made("dt", words[name]), entry);
    }
    element.append(list);
    return element;
  };

  const map = document.getElementById("roi-map");
  const cells = new Map([...(map?.querySelectorAll("td[data-place]") ?? [])]
    .map((cell) => [cell.dataset.place, { cell, nodes: [...cell.childNodes], kind: cell.className }]));
  const mark = made("span", words.mark, "what-if-mark");
  const onMap = (now, changed) => {
    map?.classList.toggle("what-if-on", changed);
    if (changed) map?.caption?.append(mark);
    else mark.remove();
    for (const place of now.places) {
      const held = cells.get([place.dimension ?? "", place.level ?? "", place.arm].join("|"));
      if (!held) continue;
      const { cell, nodes, kind } = held;
      cell.toggleAttribute("data-what-if", changed);
      if (!changed) {
        cell.className = kind;
        cell.replaceChildren(...nodes);
        continue;
      }
      const { estimate, low, high } = place.profit;
      const sure = (low !== null && low > 0) || (high !== null && high < 0);
      cell.className = `${estimate > 0 ? "gain" : "loss"} ${sure ? "s3" : "s1"}`;
      cell.replaceChildren(made("b", said(place.roi, true)[0]), " ", made("small", said(place.profit, false)[0]));
    }
  };

  const status = document.getElementById("what-if-answer");
  const link = document.getElementById("what-if-link");
  const tell = () => {
    const [asked, changed, wrong] = terms();
    const now = answer(asked);
    const named = now.arm === null ? "" : ` · ${words.arms[now.arm] ?? now.arm}`;
    const text = changed ? `${words.now}${words.colon}${words.labels[now.code]}${named}` : words.same;
    status.textContent = wrong ? `${text} ${words.wrong}` : text;
    document.getElementById("what-if-arms").replaceChildren(
      ...now.places.filter((place) => place.dimension === null).map((place) => card(place, now)),
    );
    onMap(now, changed);
    const kept = inputs.filter((input) => input.classList.contains("changed"))
      .map((input) => [[input.dataset.term, input.dataset.arm].filter(Boolean).join("."), input.value]);
    link.href = kept.length ? `#what-if?${new URLSearchParams(kept)}` : "#what_if";
    link.hidden = !kept.length;
    box.dispatchEvent(new CustomEvent("what-if", { detail: now }));
  };
  const reset = () => {
    for (const input of inputs) input.value = input.defaultValue;
  };
  /** The terms that a link asks for; those that it does not name are as measured. */
  const followed = () => {
    if (!location.hash.startsWith("#what-if?")) return;
    reset();
    for (const [name, value] of new URLSearchParams(location.hash.slice(9))) {
      const input = inputs.find((each) => [each.dataset.term, each.dataset.arm].filter(Boolean).join(".") === name);
      if (input) input.value = value;
    }
    box.scrollIntoView();
  };
  for (const input of inputs) input.addEventListener("input", tell);
  document.getElementById("what-if-reset").addEventListener("click", () => {
    reset();
    tell();
    inputs[0].focus();
  });
  window.addEventListener("hashchange", () => {
    followed();
    tell();
  });
  box.hidden = false;
  followed();
  tell();
};
if (box) data().then(showWhatIf);
