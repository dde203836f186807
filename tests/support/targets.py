"""A shop whose customers respond to a catalogue as they are old, or all alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

YAML = """\
schema: 1
experiment: spring
title: Does a catalogue pay?
customers: {file: people.parquet, id: customer_id}
eligible: "opt_in"
assignment: {observed: arm}
arms:
  none: {share: 34%, control: true}
  mail: {share: 33%, channel: email, offer: "=voucher", cost_per_contact: 0.50}
  call: {share: 33%, channel: phone, cost_per_contact: 2}
currency: EUR
metrics: {primary: profit}
money: {revenue: spend, margin: 50%, fixed_cost: {call: 100}}
uplift:
  features: [age, visits, city]
  learners: [two_models]
  base: linear
  budget: 300
"""
SOURCES = """\
schema: 1
sources:
  next_month: {file: next.parquet, id: customer_id}
"""
PROGRAM = """\
schema: 1
universal_holdout: {share: 5%, salt: everywhere}
contact_policy: {opt_out: "not opt_in"}
"""


def shop(folder: Path, *, alike: bool = False, customers: int = 3_000) -> Path:
    """Write the shop and return its experiment; `alike` is without heterogeneity."""
    (folder / "configs").mkdir(parents=True)
    (folder / "configs" / "sources.yaml").write_text(SOURCES)
    (folder / "configs" / "program.yaml").write_text(PROGRAM)
    (folder / "spring.yaml").write_text(YAML)
    rng = np.random.default_rng(11)
    people = drawn(rng, customers)
    arm = rng.choice(3, customers, p=[0.34, 0.33, 0.33])
    age = people["age"].to_numpy()
    gain = np.full(customers, 3.0) if alike else np.clip((age - 40) / 3, -5, None)
    people["arm"] = np.array(["none", "mail", "call"])[arm]
    noise = rng.normal(20, 3, customers)
    people["spend"] = noise + gain * (arm == 1) + (1.2 * gain + 1) * (arm == 2)
    people.to_parquet(folder / "people.parquet")
    following(folder, 2_000)
    return folder / "spring.yaml"


def following(folder: Path, customers: int) -> pd.DataFrame:
    """Write next month's customers, some of whom live where nobody has before."""
    rng = np.random.default_rng(12)
    people = drawn(rng, customers)
    people["customer_id"] += 1_000_000
    people.loc[::50, "city"] = "=new"
    people.to_parquet(folder / "next.parquet")
    return people


def drawn(rng: np.random.Generator, customers: int) -> pd.DataFrame:
    """What is known of customers."""
    return pd.DataFrame(
        {
            "customer_id": np.arange(customers),
            "age": rng.integers(18, 80, customers).astype(float),
            "visits": rng.poisson(3, customers),
            "city": rng.choice(["Rome", "Oslo", "Bonn"], customers),
            "opt_in": rng.random(customers) < 0.9,
        }
    )
