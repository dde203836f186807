"""Mutates the shipped YAML and checks each: `python tests/support/fuzzing.py 5000 --seed 1`.

Whatever the files hold, `check` ends with 0, 1 or 2 within `SLOWEST` seconds, prints nothing that
cannot be seen, no command of a build server, and neither the secret of the environment nor that of
a file beside the workspace. A file without a fault is valid by the schema for editors, too.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

import yaml
from click.testing import CliRunner
from editing import as_an_editor
from jsonschema import Draft7Validator

from upliftlab.cli import commands
from upliftlab.cli.formats.registry import FORMATS
from upliftlab.config.schema import json_schema

ROOT = Path(__file__).resolve().parents[2]
SECRET = "hunter2-Planted-Secret"
SLOWEST = 5.0
"""Seconds of the processor for one `check`, which takes a few hundredths of one."""
VARIABLE = "UPLIFTLAB_FUZZ_SECRET"
HIDDEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
COMMAND = re.compile(r"^\s*::|##\[|##vso\[", re.MULTILINE)
TOKENS = (
    *("- ", ": ", "{", "}", "[", "]", "&a ", "*a", "!!python/object:os.system ", "<<: *a", "---\n"),
    *("|", ">", "'", '"', "#", "%", "\t", "\r", "\\", "null", "~", "yes", "-0", "1e400", "0x10"),
    *("9" * 5000, "1/0", "1/3", "99999-01-01", "0000-00-00", "99999999 weeks", "-1 days", "NaN"),
    *("${env:" + VARIABLE + "}", "../secret.yaml", "extends: ../secret.yaml\n", "/etc/passwd"),
    *("engine: {name: postgres, connection: 'host=h user=${env:" + VARIABLE + "}'}\n",),
    *("engine: {name: spark, connection: '${env:" + VARIABLE + "}'}\n", "passfile=/etc/passwd"),
    *("\x1b[31m", "\x00", "\x85", "\u202e", "\u200b", "\ufeff", "\U000e0041", "é", "日本", "👩‍👧"),
    *(
        '"\\e[2J"',
        '"\\0"',
        '"\\n::error::x"',
        '"\\u202e"',
        '"\\x9b"',
        '"\\L"',
        '"\\N"',
        "::error::",
    ),
    *(
        "::error::",
        "\n::error file=a::b\n",
        "##[group]",
        "where: age > (select 1)\n",
        "eligible: pg_sleep(9)\n",
    ),
    *("a" * 3000, "[" * 200, "{a: " * 100, "(" * 500, "\n" * 50, "schema: 1\n", "x: &a [*a]\n"),
)


def mutated(text: bytes, rng: random.Random) -> bytes:
    """A text with one to six changes: of bytes, tokens, lines, values."""
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        text = rng.choice(_CHANGES)(text, rng)
    return text


def _flip(text: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(text) or 1)
    return text[:at] + bytes([rng.randrange(256)]) + text[at + 1 :]


def _cut(text: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(text) or 1)
    return text[:at] + text[at + rng.randrange(1, 60) :]


def _insert(text: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(text) + 1)
    return text[:at] + rng.choice(TOKENS).encode("utf-8", "surrogatepass") + text[at:]


def _value(text: bytes, rng: random.Random) -> bytes:
    """Another value after a colon, or another name before it."""
    places = [found.span(1) for found in re.finditer(rb"(?::\s|^\s*)([^\s:{}\[\],]+)", text)]
    if not places:
        return text
    start, end = rng.choice(places)
    new = rng.choice((rng.choice(TOKENS).encode(), *(text[slice(*rng.choice(places))],) * 2))
    return text[:start] + new + text[end:]


def _lines(text: bytes, rng: random.Random) -> bytes:
    lines = text.split(b"\n")
    at, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    change = rng.randrange(4)
    if change == 0:
        lines.insert(other, lines[at])
    elif change == 1:
        del lines[at]
    elif change == 2:
        lines[at], lines[other] = lines[other], lines[at]
    else:
        lines[at] = b"  " * rng.randrange(4) + lines[at].lstrip()
    return b"\n".join(lines)


_CHANGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    *(_flip, _cut, _insert, _insert, _value, _value, _value, _lines, _lines),
)


def disagreement(file: Path) -> str | None:
    """Why the schema refuses a file that `check` does not; None where it does not either."""
    kind = file.stem if file.parent.name == "configs" else "experiment"
    try:
        value = as_an_editor(file.read_bytes())
    except (yaml.YAMLError, ValueError):
        return None  # which editors tell themselves
    wrong = next(iter(validator(kind).iter_errors(value)), None)
    return f"the schema refuses {wrong.json_path}: {wrong.message[:200]}" if wrong else None


@cache
def validator(kind: str) -> Draft7Validator:
    """What an editor holds a kind of file against."""
    return Draft7Validator(json_schema(kind))


class Space:
    """A copy of the shipped files, one of which is mutated in each round."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "work"
        for name in ("experiments", "configs"):
            shutil.copytree(ROOT / name, self.root / name)
        (folder / "secret.yaml").write_text(f"{SECRET}: {SECRET}\n")
        self.files = sorted(self.root.rglob("*.yaml"))
        self.whole = {file: file.read_bytes() for file in self.files}

    @contextmanager
    def round(self, rng: random.Random) -> Iterator[Path]:
        file = rng.choice(self.files)
        if rng.random() < 0.02:
            file.unlink()
            file.symlink_to(self.root.parent / "secret.yaml")
        else:
            file.write_bytes(mutated(self.whole[file], rng))
        try:
            yield file.relative_to(self.root)
        finally:
            file.unlink()
            file.write_bytes(self.whole[file])


def fault_of(form: str) -> tuple[str | None, int]:
    """What `check` does wrong with the files as they are now, and its exit code."""
    result = CliRunner().invoke(
        commands, ["check", "experiments", "configs", "--format", form], color=False
    )
    said = result.stdout + result.stderr
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        return f"raises {result.exception!r}"[:300], 3
    if result.exit_code not in (0, 1, 2):
        return f"exits with {result.exit_code}", result.exit_code
    if SECRET in said:
        return "tells the secret", result.exit_code
    if found := HIDDEN.search(said):
        return f"prints U+{ord(found[0]):04X}", result.exit_code
    if form in ("json", "gitlab", "sarif"):
        json.loads(result.stdout)
    elif form == "junit":
        ET.fromstring(result.stdout)

    if COMMAND.search(_after_first(said) if form == "github" else said):
        return "prints a command", result.exit_code
    return None, result.exit_code


def _after_first(said: str) -> str:
    """A github listing without the commands that are meant: one a line, at its beginning."""
    return re.sub(r"^::(error|warning|notice) file=[^:]*::", "", said, flags=re.MULTILINE)


def fuzz(rounds: int, seed: int, folder: Path) -> tuple[Counter[int], list[str]]:
    """Exit codes, and what went wrong in which round."""
    rng, codes, wrong = random.Random(seed), Counter[int](), []
    forms = [*FORMATS]
    space = Space(folder)
    before = Path.cwd()
    os.chdir(space.root)
    os.environ[VARIABLE] = SECRET
    try:
        for number in range(rounds):
            with space.round(rng) as file:
                begun = time.process_time()
                fault, code = fault_of(forms[number % len(forms)])
                if time.process_time() - begun > SLOWEST:
                    fault = fault or f"takes {time.process_time() - begun:.1f} s"
                fault = fault or (None if code else disagreement(file))
                codes[code] += 1
                if fault:
                    wrong.append(f"round {number} ({file}): {fault}")
    finally:
        os.chdir(before)
        del os.environ[VARIABLE]
    return codes, wrong


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("rounds", type=int, nargs="?", default=5_000)
    asked.add_argument("--seed", type=int, default=1)
    options = asked.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        codes, wrong = fuzz(options.rounds, options.seed, Path(folder).resolve())
    counted = ", ".join(f"{count:,} with {code}" for code, count in sorted(codes.items()))
    seconds = time.monotonic() - started
    say = sys.stdout.write
    say(f"{options.rounds:,} rounds of seed {options.seed} in {seconds:.0f} s: {counted}\n")
    say("\n".join([*wrong, f"{len(wrong)} went wrong"]) + "\n")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
