"""Codes of reading YAML and of looking names up, whose faults are found in many places.

Rules across fields stand in `config.rules`, each with the function that judges.
"""

from __future__ import annotations

from typing import Final

from upliftlab.config.rules.registry import explanations
from upliftlab.util.explanation import COMMAND, Example, Explanation

_READING: Final = (
    Explanation(
        "UL001",
        "File cannot be read",
        "A file that is named exists and may be read.",
        example=Example(
            "configs/channels.yaml as a link to nowhere, or a folder of that name",
            "configs/channels.yaml as a file that you may read",
            file="any file",
            told=True,
        ),
    ),
    Explanation(
        "UL002",
        "File too large",
        "A file is at most 1 MiB: an experiment is a page of text, not data.",
        example=Example(
            "a file of 2 MiB",
            "a file of 2 KiB",
            file="any file",
            told=True,
        ),
    ),
    Explanation(
        "UL003",
        "Not plain UTF-8 text",
        "A file is UTF-8 text without invisible characters.",
        example=Example(
            "title: \ufeff\u202eText that is shown backwards",
            "title: Plain text",
        ),
    ),
    Explanation(
        "UL004",
        "Not valid YAML",
        "Keys of one group are aligned, quotes and brackets are closed, indents are spaces.",
        example=Example(
            "title: Voucher: does it pay?",
            'title: "Voucher: does it pay?"',
        ),
    ),
    Explanation(
        "UL005",
        "Key given twice",
        "A key stands once in its group; other tools would let the last one win silently.",
        example=Example(
            "currency: EUR\ncurrency: USD",
            "currency: EUR",
        ),
    ),
    Explanation(
        "UL006",
        "Tag",
        "YAML tags are refused; values are read as they are written.",
        example=Example(
            "title: !!str 2026",
            "title: 2026",
        ),
    ),
    Explanation(
        "UL007",
        "Several documents",
        "A file holds one document.",
        example=Example(
            "title: One\n---\ntitle: Other",
            "title: One",
        ),
    ),
    Explanation(
        "UL008",
        "Too deep, too large or circular",
        "A file has at most 32 levels, 20,000 values and 50 aliases; no alias holds itself.",
        example=Example(
            "segments: &all [region, *all]",
            "segments: [region]",
        ),
    ),
    Explanation(
        "UL047",
        "Text that ends in a comment",
        "Behind a space '#' begins a comment, so that 'Offer #3' is 'Offer'. Quote such a text.",
        example=Example(
            "title: Offer #3",
            "title: 'Offer #3'",
        ),
    ),
    Explanation(
        "UL009",
        "No value",
        "A key has a value. Quote 'null' if the word itself is meant.",
        example=Example(
            "owner:",
            "owner: crm@example.com",
        ),
    ),
    Explanation(
        "UL010",
        "Key that is no name",
        "A key is a plain name; merging with '<<' is refused.",
        example=Example(
            "<<: {currency: EUR}",
            "currency: EUR",
        ),
    ),
    Explanation(
        "UL011",
        "Not keys and values",
        "A file is a group of keys with values, and is not empty.",
        example=Example(
            "- email\n- sms",
            "channels: {email: {}, sms: {}}",
            file="configs/channels.yaml",
        ),
    ),
    Explanation(
        "UL012",
        "Unknown key",
        "Only the keys of docs/yaml.md are known, each in its own group.",
        example=Example(
            "channels: {email: {cost_per_contct: 0.02}}",
            "channels: {email: {cost_per_contact: 0.02}}",
            file="configs/channels.yaml",
        ),
    ),
    Explanation(
        "UL013",
        "Missing key",
        "Some keys have no default and must be written.",
        example=Example(
            "metrics: {secondary: [visits]}",
            "metrics: {primary: spent, secondary: [visits]}",
        ),
    ),
    Explanation(
        "UL014",
        "Value of the wrong kind",
        "A value has the form of its key: a share is 40%, a duration 28 days, a date 2026-03-02.",
        example=Example(
            "outcome_window: one month",
            "outcome_window: 28 days",
        ),
    ),
    Explanation(
        "UL015",
        "Keys that contradict one another",
        "Keys of one group fit together.",
        example=Example(
            "assignment: {observed: arm, salt: spring}",
            "assignment: {observed: arm}",
        ),
    ),
    Explanation(
        "UL017",
        "Environment variable not set",
        "A variable that a connection names is set when the engine connects.",
        example=Example(
            "engine: {name: postgres, connection: 'password=${env:NOT_SET_ANYWHERE}'}",
            "engine: {name: postgres, connection: 'dbname=crm'}",
            file="a connection",
            told=True,
        ),
    ),
    Explanation(
        "UL018",
        "Extended file",
        "'extends' names one other experiment file of the same workspace, which extends none.",
        example=Example(
            "extends: missing.yaml",
            "extends: base.yaml",
            beside={
                "experiments/base.yaml": (
                    "schema: 1\n"
                    "experiment: base\n"
                    "customers: {file: data.csv}\n"
                    "assignment: {observed: arm}\n"
                    "arms: {none: {control: true}, email: {channel: email}}\n"
                    "metrics: {primary: spent}\n"
                )
            },
        ),
    ),
    Explanation(
        "UL021",
        "File that nothing reads",
        "configs/ holds sources, metrics, channels, segments, program and theme, each as .yaml; "
        "what belongs in one of them is read nowhere else.",
        example=Example(
            "configs/chanels.yaml",
            "configs/channels.yaml",
            file="the name of a file",
            told=True,
        ),
    ),
    Explanation(
        "UL022",
        "Nothing to check",
        "A folder that is checked holds at least one YAML file.",
        example=Example(
            "upliftlab check an/empty/folder",
            "upliftlab check experiments",
            file=COMMAND,
            told=True,
        ),
    ),
    Explanation(
        "UL024",
        "Link out of the workspace",
        "YAML files lie in the workspace, links followed: messages quote only what belongs to it.",
        example=Example(
            "configs/channels.yaml as a link to /home/me/secrets.yaml",
            "configs/channels.yaml as a file, or a link to shared/channels.yaml",
            file="any file",
            told=True,
        ),
    ),
    Explanation(
        "UL027",
        "Data folder out of the workspace",
        "The workspace's own data/ lies in it, links followed; another folder is named by "
        "whoever runs the command.",
        example=Example(
            "data as a link to /home/me/customers, and: upliftlab run experiments/spring.yaml",
            "upliftlab run experiments/spring.yaml --data /home/me/customers",
            file="any file",
            told=True,
        ),
    ),
    Explanation(
        "UL026",
        "Environment variable not allowed",
        "Whoever runs a command says which variables a connection may be given, by "
        "--allow-env NAME or in UPLIFTLAB_ENV; the file cannot.",
        example=Example(
            "upliftlab check experiments --data data",
            "upliftlab check experiments --data data --allow-env CRM_PASSWORD",
            file=COMMAND,
            told=True,
        ),
    ),
    Explanation(
        "UL104",
        "Unknown channel",
        "Once configs/channels.yaml exists, an arm's channel is in it.",
        example=Example(
            "arms:\n  none: {control: true}\n  email: {channel: emial}",
            "arms:\n  none: {control: true}\n  email: {channel: email}",
            beside={"configs/channels.yaml": ("channels: {email: {}}\noffers: {voucher10: {}}\n")},
        ),
    ),
    Explanation(
        "UL105",
        "Unknown offer",
        "Once configs/channels.yaml exists, an arm's offer is in it.",
        example=Example(
            "arms:\n  none: {control: true}\n  email: {channel: email, offer: voucher20}",
            "arms:\n  none: {control: true}\n  email: {channel: email, offer: voucher10}",
            beside={"configs/channels.yaml": ("channels: {email: {}}\noffers: {voucher10: {}}\n")},
        ),
    ),
    Explanation(
        "UL106",
        "Unknown source",
        "A source is declared in configs/sources.yaml.",
        example=Example(
            "customers: custmers",
            "customers: customers",
            beside={"configs/sources.yaml": "sources: {customers: {file: data.csv, id: id}}\n"},
        ),
    ),
    Explanation(
        "UL107",
        "Unknown metric",
        "Once configs/metrics.yaml exists, a name that looks like one of its metrics, or "
        "like a covariate made of one (revenue_before), is one; so does one like profit, "
        "with money.",
        example=Example(
            "metrics: {primary: revenu}",
            "metrics: {primary: revenue}",
            beside={"configs/metrics.yaml": "metrics: {revenue: {column: sales}}\n"},
        ),
    ),
    Explanation(
        "UL108",
        "Unknown segment",
        "Once configs/segments.yaml exists, a name that looks like one of its segments is one.",
        example=Example(
            "segments: [value_bnd]",
            "segments: [value_band]",
            beside={"configs/segments.yaml": "segments: {value_band: {column: value_band}}\n"},
        ),
    ),
    Explanation(
        "UL172",
        "Logo that cannot be shown",
        "A theme's logo is an SVG or PNG of the workspace, of at most 64 KiB, that only draws: no "
        "script, no reference to anything outside of it, no declaration.",
        "Save it as plain SVG, or as PNG.",
        example=Example(
            "house: Sample\nlogo: {light: ../logo.svg}",
            "house: Sample\nlogo: {light: brand/logo.svg}",
            file="configs/theme.yaml",
            beside={
                "brand/logo.svg": (
                    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 24">'
                    '<rect width="90" height="24" fill="#0a58a8"/></svg>\n'
                )
            },
        ),
    ),
    Explanation(
        "UL690",
        "Workspace that would be written over",
        "A workspace begins without writing over a file: those that are to be made there are there "
        "already, with another content.",
        "Choose another folder, or move away what is there.",
        example=Example(
            "upliftlab init shop\nupliftlab init shop --template winback",
            "upliftlab init shop\nupliftlab init other --template winback",
            file=COMMAND,
        ),
    ),
    Explanation(
        "UL030",
        "Python value that no file could hold",
        "An experiment in Python holds what a file can: text, numbers, booleans, days, "
        "durations, lists and mappings.",
        example=Example(
            "Experiment.from_dict({'arms': {'email': {'share': [0.5].__iter__()}}, …})",
            "Experiment.from_dict({'arms': {'email': {'share': 0.5}}, …})",
            file="Python",
            told=True,
        ),
    ),
    Explanation(
        "UL031",
        "No such part of configs",
        "configs given in Python has a part for each file of configs/, by its name without .yaml.",
        example=Example(
            "Experiment.from_dict({…}, configs={'metric': {…}})",
            "Experiment.from_dict({…}, configs={'metrics': {…}})",
            file="Python",
            told=True,
        ),
    ),
)

CODES: Final[tuple[Explanation, ...]] = (*_READING, *explanations())
