"""UL0xx: reading YAML."""

from __future__ import annotations

from upliftlab.config.catalogue_entry import Example

_ARMS = "arms: {none: {control: true}, email: {channel: email}}"
_CHANNELS = "configs/channels.yaml"

READING: tuple[Example, ...] = (
    Example(
        "UL001",
        "File cannot be read",
        "A file that is named exists and may be read.",
        "upliftlab check experiments/missing.yaml",
        "upliftlab check experiments/example.yaml",
        "a command",
    ),
    Example(
        "UL002",
        "File too large",
        "A file is at most 1 MiB: an experiment is a page of text, not data.",
        "a file of 2 MiB",
        "a file of 2 KiB",
        "any file",
    ),
    Example(
        "UL003",
        "Not plain UTF-8 text",
        "A file is UTF-8 text without invisible characters.",
        "title: \ufeff\u202eText that is shown backwards",
        "title: Plain text",
    ),
    Example(
        "UL004",
        "Not valid YAML",
        "Keys of one group are aligned, quotes and brackets are closed, indents are spaces.",
        "title: Voucher: does it pay?",
        'title: "Voucher: does it pay?"',
    ),
    Example(
        "UL005",
        "Key given twice",
        "A key stands once in its group; other tools would let the last one win silently.",
        "currency: EUR\ncurrency: USD",
        "currency: EUR",
    ),
    Example(
        "UL006",
        "Tag",
        "YAML tags are refused; values are read as they are written.",
        "title: !!str 2026",
        "title: 2026",
    ),
    Example(
        "UL007",
        "Several documents",
        "A file holds one document.",
        "title: One\n---\ntitle: Other",
        "title: One",
    ),
    Example(
        "UL008",
        "Too deep, too large or circular",
        "A file has at most 32 levels, 20,000 values and 50 aliases; no alias holds itself.",
        "segments: &all [region, *all]",
        "segments: [region]",
    ),
    Example(
        "UL009",
        "No value",
        "A key has a value. Quote 'null' if the word itself is meant.",
        "owner:",
        "owner: crm@example.com",
    ),
    Example(
        "UL010",
        "Key that is no name",
        "A key is a plain name; merging with '<<' is refused.",
        "<<: {currency: EUR}",
        "currency: EUR",
    ),
    Example(
        "UL011",
        "Not keys and values",
        "A file is a group of keys with values, and is not empty.",
        "- email\n- sms",
        "channels: {email: {}, sms: {}}",
        _CHANNELS,
    ),
    Example(
        "UL012",
        "Unknown key",
        "Only the keys of docs/yaml.md are known, each in its own group.",
        "channels: {email: {cost_per_contct: 0.02}}",
        "channels: {email: {cost_per_contact: 0.02}}",
        _CHANNELS,
    ),
    Example(
        "UL013",
        "Missing key",
        "Some keys have no default and must be written.",
        "metrics: {secondary: [visits]}",
        "metrics: {primary: spent, secondary: [visits]}",
    ),
    Example(
        "UL014",
        "Value of the wrong kind",
        "A value has the form of its key: a share is 40%, a duration 28 days, a date 2026-03-02.",
        "outcome_window: one month",
        "outcome_window: 28 days",
    ),
    Example(
        "UL015",
        "Keys that contradict one another",
        "Keys of one group fit together.",
        "assignment: {observed: arm, salt: spring}",
        "assignment: {observed: arm}",
    ),
    Example(
        "UL016",
        "Environment value where a number could depend on it",
        "${env:NAME} is for the whole password of a server's connection only.",
        "engine: {name: postgres, connection: 'dbname=crm user=${env:CRM_USER}'}",
        "engine: {name: postgres, connection: 'dbname=crm password=${env:CRM_PASSWORD}'}",
    ),
    Example(
        "UL017",
        "Environment variable not set",
        "A variable that a connection names is set when the engine connects.",
        "engine: {name: postgres, connection: 'password=${env:NOT_SET_ANYWHERE}'}",
        "engine: {name: postgres, connection: 'dbname=crm'}",
        "a connection",
    ),
    Example(
        "UL018",
        "Extended file",
        "'extends' names one other experiment file of the same workspace, which extends none.",
        "extends: missing.yaml",
        "extends: base.yaml",
        beside={
            "experiments/base.yaml": (
                "schema: 1\nexperiment: base\ncustomers: {file: data.csv}\n"
                f"assignment: {{observed: arm}}\n{_ARMS}\nmetrics: {{primary: spent}}\n"
            )
        },
    ),
    Example(
        "UL019",
        "File outside the data folder",
        "Data files lie inside the data folder.",
        "customers: {file: ../secret.csv}",
        "customers: {file: data.csv}",
    ),
    Example(
        "UL020",
        "Condition not allowed",
        "A condition holds columns, literals, comparisons, and/or/not, arithmetic, in, between, "
        "like, is null and abs, lower, upper, coalesce, length, round.",
        'eligible: "age > (select 18)"',
        "eligible: \"age >= 18 and region in ('north', 'south')\"",
    ),
    Example(
        "UL021",
        "File of configs/ that nothing reads",
        "configs/ holds sources, metrics, channels, segments and program, each as .yaml.",
        "channels: {email: {}}",
        "channels: {email: {}}",
        "configs/chanels.yaml",
    ),
    Example(
        "UL022",
        "Nothing to check",
        "A folder that is checked holds at least one YAML file.",
        "upliftlab check an/empty/folder",
        "upliftlab check experiments",
        "a command",
    ),
    Example(
        "UL023",
        "Unknown code",
        "A code that is explained exists.",
        "upliftlab explain UL999",
        "upliftlab explain UL012",
        "a command",
    ),
    Example(
        "UL024",
        "Link out of the workspace",
        "YAML files lie in the workspace, links followed: messages quote only what belongs to it.",
        "configs/channels.yaml as a link to /home/me/secrets.yaml",
        "configs/channels.yaml as a file, or a link to shared/channels.yaml",
        "any file",
    ),
    Example(
        "UL027",
        "Data folder out of the workspace",
        "The workspace's own data/ lies in it, links followed; another folder is named by whoever "
        "runs the command.",
        "data as a link to /home/me/customers, and: upliftlab run experiments/spring.yaml",
        "upliftlab run experiments/spring.yaml --data /home/me/customers",
        "any file",
    ),
    Example(
        "UL025",
        "Connection setting not allowed",
        "A connection says where a server is and who asks; it names no file of the machine and no "
        "further option. Spark's is local, local[4], spark://host:7077 or yarn.",
        "engine: {name: postgres, connection: 'host=db passfile=/home/me/.pgpass'}",
        "engine: {name: postgres, connection: 'host=db dbname=crm user=lab sslmode=verify-full'}",
    ),
    Example(
        "UL026",
        "Environment variable not allowed",
        "Whoever runs a command says which variables a connection may be given, by --allow-env "
        "NAME or in UPLIFTLAB_ENV; the file cannot.",
        "upliftlab check experiments --data data",
        "upliftlab check experiments --data data --allow-env CRM_PASSWORD",
        "a command",
    ),
    Example(
        "UL030",
        "Python value that no file could hold",
        "An experiment in Python holds what a file can: text, numbers, booleans, days, durations, "
        "lists and mappings.",
        "Experiment.from_dict({'arms': {'email': {'share': [0.5].__iter__()}}, …})",
        "Experiment.from_dict({'arms': {'email': {'share': 0.5}}, …})",
        "Python",
    ),
    Example(
        "UL031",
        "No such part of configs",
        "configs given in Python has a part for each file of configs/, by its name without .yaml.",
        "Experiment.from_dict({…}, configs={'metric': {…}})",
        "Experiment.from_dict({…}, configs={'metrics': {…}})",
        "Python",
    ),
)
