"""CSV and TSV files as shop systems, mail tools and spreadsheets write them."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from corpus import (
    Case,
    as_csv,
    both,
    column,
    edited,
    one,
    rewritten,
    said,
    words,
)
from corpus_runs import hold

SEMICOLON = {"delimiter": ";"}


def comma(value: Decimal) -> str:
    return str(value).replace(".", ",")


def parted(point: str, sign: str):
    """Numbers with a sign between thousands and one before decimals."""

    def say(value: Decimal) -> str:
        return f"{value:,.2f}".replace(",", "\0").replace(".", point).replace("\0", sign)

    return say


def cut(_: int, text: str) -> str:
    """A number without its decimals, its thousands parted by a point."""
    return f"{int(Decimal(text)):,}".replace(",", ".")


def in_berlin(value: datetime) -> str:
    return value.replace(tzinfo=UTC).astimezone(ZoneInfo("Europe/Berlin")).isoformat()


def zeros(_: int, text: str) -> str:
    return f"000{text}"


def point(_: int, text: str) -> str:
    return f"{text}.0"


def mail(letter: str):
    return lambda _, text: f"{letter}{text}@example.com"


def none(word: str):
    """Zeros written as nothing, or as a word that means nothing."""
    return lambda _, text: word if Decimal(text) == 0 else text


def day(pattern: str):
    return lambda value: value.strftime(pattern)


def zipped(*names: str):
    def pack(content: bytes) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in names:
                archive.writestr(name, content)
        return out.getvalue()

    return pack


def with_comma(rows: list[list[str]]) -> None:
    for row in rows:
        row.append("")


def broken_header(rows: list[list[str]]) -> None:
    rows[0][column(rows, "note")] = "note of\nthe customer"


def first_lines(*lines: str):
    return lambda content: "".join(f"{line}\n" for line in lines).encode() + content


ORDERS = as_csv(said("orders"))
CUSTOMERS = as_csv(said("customers"))

SEPARATORS = [
    Case("separator", "comma", both()),
    Case("separator", "semicolon", both(**SEMICOLON)),
    Case("separator", "tab in .csv", both(delimiter="\t")),
    Case("separator", "bar", both(delimiter="|")),
    Case("separator", "declared", both(delimiter=";", form={"delimiter": ";"})),
    Case("separator", "sep= of Excel", both(delimiter=";", prepare=first_lines("sep=;"))),
    Case("tab-separated", ".tsv", both(suffix="tsv", delimiter="\t")),
    Case(
        "tab-separated",
        ".tsv.gz",
        both(suffix="tsv.gz", delimiter="\t", prepare=gzip.compress),
    ),
]
LINES = [
    Case("line ends", "LF", both(lineterminator="\n")),
    Case("line ends", "CRLF", both(lineterminator="\r\n")),
    Case("line ends", "CR", both(lineterminator="\r")),
    Case("line ends", "none at the end", both(prepare=lambda content: content.rstrip(b"\n"))),
    Case("line ends", "blank lines at the end", both(prepare=lambda content: content + b"\n\n")),
    Case(
        "line ends",
        "LF and CRLF mixed",
        both(prepare=lambda content: content.replace(b"\n", b"\r\n", 20)),
    ),
]
ENCODINGS = [
    Case("encoding", "UTF-8", both(encoding="utf-8")),
    Case("encoding", "UTF-8 with its mark", both(encoding="utf-8-sig")),
    Case("encoding", "UTF-16 with its mark", both(encoding="utf-16")),
    Case(
        "encoding",
        "UTF-16 big-endian with its mark",
        both(encoding="utf-16-be", prepare=lambda content: b"\xfe\xff" + content),
    ),
    Case(
        "encoding",
        "Windows-1252 declared",
        both(encoding="cp1252", form={"encoding": "windows-1252"}),
    ),
    Case("encoding", "Latin-1 declared", both(encoding="latin-1", form={"encoding": "latin-1"})),
    Case("encoding", "Windows-1252 not declared", both(encoding="cp1252"), code="UL261"),
]
QUOTES = [
    Case("quotes", "all cells", both(quoting=csv.QUOTE_ALL)),
    Case("quotes", "texts", both(quoting=csv.QUOTE_NONNUMERIC)),
    Case(
        "quotes",
        "line breaks within cells",
        one(
            "orders",
            "orders.csv",
            rewritten(
                "orders", "note", lambda i, text: f"{text}\nand more" if i % 5 == 0 else text
            ),
        ),
    ),
    Case(
        "quotes",
        "unclosed",
        one("orders", "orders.csv", ORDERS.replace(b"plain", b'"plain', 1)),
        code="UL263",
    ),
]
HEADERS = [
    Case(
        "header",
        "line break in a name, LF",
        one("orders", "orders.csv", edited("orders", broken_header)),
    ),
    Case(
        "header",
        "line break in a name, CRLF lines",
        one(
            "orders",
            "orders.csv",
            edited("orders", broken_header).replace(b"\n", b"\r\n").replace(b"of\r\n", b"of\n"),
        ),
    ),
    Case(
        "header",
        "spaces around names",
        one("orders", "orders.csv", ORDERS.replace(b",paid,", b", paid ,", 1)),
    ),
    Case(
        "header",
        "unnamed first column of pandas",
        one(
            "orders",
            "orders.csv",
            b"".join(
                (b"," if not i else b"%d," % (i - 1)) + line
                for i, line in enumerate(ORDERS.splitlines(keepends=True))
            ),
        ),
    ),
    Case(
        "header",
        "separator behind every row",
        one("orders", "orders.csv", edited("orders", with_comma)),
    ),
    Case(
        "header",
        "three lines before it",
        both(prepare=first_lines("Export of the shop", "", "as of today"), form={"skip": "3"}),
    ),
    Case(
        "header",
        "two columns of one name",
        one("orders", "orders.csv", ORDERS.replace(b",refunded,", b",paid,", 1)),
        code="UL202",
    ),
    Case("header", "none", one("orders", "orders.csv", ORDERS.partition(b"\n")[2]), code="UL205"),
    Case("header", "an empty file", one("orders", "orders.csv", b""), code="UL202"),
]
NUMBERS = [
    Case(
        "numbers",
        "decimal comma declared",
        both(words(number=comma), delimiter=";", form={"decimal": ","}),
    ),
    Case(
        "numbers",
        "decimal comma not declared",
        both(words(number=comma), **SEMICOLON),
        code="UL206",
    ),
    *(
        Case(
            "numbers",
            f"thousands {name} declared",
            both(
                words(number=parted(point, sign)),
                delimiter=";",
                form={"decimal": point, "thousands": declared},
            ),
        )
        for name, point, sign, declared in (
            ("point", ",", ".", "."),
            ("comma", ".", ",", ","),
            ("space", ",", " ", " "),
            ("no-break space", ",", "\u00a0", " "),
            ("narrow no-break space", ",", "\u202f", " "),
            ("apostrophe", ".", "'", "'"),
        )
    ),
    Case(
        "numbers",
        "only thousands, not declared",
        one("customers", "customers.csv", rewritten("customers", "spent", cut)),
        code="UL255",
    ),
    Case("numbers", "exponents", both(words(number=lambda value: f"{value:e}"))),
    Case("numbers", "a plus before", both(words(number=lambda value: f"+{value}"))),
    Case("numbers", "spaces around", both(words(number=lambda value: f" {value} "))),
    Case("numbers", "currency behind", both(words(number=lambda value: f"{value} EUR"))),
    Case("numbers", "currency before", both(words(number=lambda value: f"EUR {value}"))),
    Case(
        "numbers",
        "one stray text",
        one(
            "customers",
            "customers.csv",
            rewritten("customers", "spent", lambda i, text: "-" if i == 30 else text),
        ),
        code="UL206",
    ),
]
TIMES = [
    Case("times", "T between", both(words(time=lambda value: value.isoformat()))),
    Case("times", "Z behind", both(words(time=lambda value: f"{value.isoformat()}Z"))),
    Case(
        "times",
        "offsets",
        both(words(time=in_berlin)),
    ),
    Case("times", "fractions", both(words(time=lambda value: f"{value.isoformat(sep=' ')}.000"))),
    Case(
        "times",
        "German, declared",
        both(
            words(day=day("%d.%m.%Y"), time=day("%d.%m.%Y %H:%M:%S")),
            form={"date": "DD.MM.YYYY", "datetime": "DD.MM.YYYY HH:mm:ss"},
        ),
    ),
    Case(
        "times",
        "American, declared",
        both(
            words(day=day("%m/%d/%Y"), time=day("%m/%d/%Y %I:%M %p")),
            form={"date": "MM/DD/YYYY", "datetime": "MM/DD/YYYY hh:mm A"},
        ),
    ),
    Case("times", "German, not declared", both(words(time=day("%d.%m.%Y %H:%M:%S"))), code="UL218"),
    *(
        Case(
            "times",
            f"impossible {text}",
            one(
                "orders",
                "orders.csv",
                rewritten("orders", "at", lambda i, at, text=text: text if i == 7 else at),
            ),
            code="UL218",
        )
        for text in ("0000-00-00", "2026-02-30", "2026-03-05 24:61:00", "")
    ),
    Case(
        "times",
        "with an offset and without",
        one(
            "orders",
            "orders.csv",
            rewritten("orders", "at", lambda i, at: at if i % 2 else f"{at}+00:00"),
        ),
        code="UL257",
    ),
]
FLAGS = [
    *(
        Case("flags", f"{yes} and {no}", both(words(flag=lambda v, y=yes, n=no: y if v else n)))
        for yes, no in (
            ("true", "false"),
            ("TRUE", "FALSE"),
            ("True", "False"),
            ("1", "0"),
            ("Yes", "No"),
            ("yes", "no"),
        )
    ),
    Case(
        "flags",
        "ja and nein declared",
        both(
            words(flag=lambda value: "ja" if value else "nein"),
            form={"true": ["ja"], "false": ["nein"]},
        ),
    ),
    Case(
        "flags",
        "ja and nein not declared",
        both(words(flag=lambda value: "ja" if value else "nein")),
        code="UL206",
    ),
]
MISSING = [
    Case(
        "missing",
        "empty cells",
        one(
            "customers",
            "customers.csv",
            rewritten("customers", "spent", lambda i, text: "" if i % 3 == 0 else text),
        ),
        code="UL206",
    ),
    *(
        Case(
            "missing",
            f"{word or 'empty'}, zero",
            one(
                "customers",
                "customers.csv",
                rewritten("customers", "spent", none(word)),
                *([{"missing": [word]}] if word else []),
            ),
            metrics={"spent": {"column": "spent", "missing": "zero"}},
        )
        for word in ("", "NA", "-", "n/a")
    ),
]
PACKED = [
    Case("compressed", ".csv.gz", both(suffix="csv.gz", prepare=gzip.compress)),
    Case(
        "compressed",
        "gzip in two members",
        both(
            suffix="csv.gz",
            prepare=lambda content: gzip.compress(content[:999]) + gzip.compress(content[999:]),
        ),
    ),
    Case(
        "compressed",
        "gzip cut off",
        one("orders", "orders.csv.gz", gzip.compress(ORDERS)[:-20]),
        code="UL226",
    ),
    Case("zip", "one file", one("orders", "orders.zip", zipped("orders.csv")(ORDERS))),
    Case("zip", "a file in a folder", one("orders", "orders.zip", zipped("x/orders.csv")(ORDERS))),
    Case(
        "zip",
        "two files",
        one("orders", "orders.zip", zipped("a.csv", "b.csv")(ORDERS)),
        code="UL265",
    ),
]
RAGGED = [
    Case(
        "ragged rows",
        "a cell too many",
        one("orders", "orders.csv", ORDERS.replace(b"\n5004,", b"\n5004,9,", 1)),
        code="UL262",
    ),
    Case(
        "ragged rows",
        "a cell too few",
        one(
            "orders",
            "orders.csv",
            re.sub(rb"\n5004,[0-9]+,", b"\n5004,", ORDERS, count=1),
        ),
        code="UL262",
    ),
    Case(
        "ragged rows",
        "no text at all",
        one("orders", "orders.csv", bytes(range(256)) * 9),
        code="UL261",
    ),
]
CONDITIONS = [
    Case(
        "conditions",
        f"{where}",
        both(),
        metrics={"revenue": {"from": "orders", "sum": "paid", "where": where}},
    )
    for where in (
        "refunded < paid",
        "not (paid <= refunded)",
        "paid - refunded > 0",
        "paid > coalesce(refunded, 0)",
        "refunded between 0 and paid and paid <> refunded",
    )
]
EXTREMES = [
    Case(
        "extreme numbers",
        text,
        one(
            "customers",
            "customers.csv",
            rewritten("customers", "spent", lambda i, spent, text=text: text if i == 31 else spent),
        ),
        code="UL206",
    )
    for text in ("1.797e308", "1e100", "inf", "nan", "1e999")
]
IDS = [
    Case(
        "ids",
        "leading zeros in both",
        lambda folder: {
            name: one(name, f"{name}.csv", rewritten(name, key, zeros))(folder)[name]
            for name, key in (("customers", "id"), ("orders", "customer"))
        },
    ),
    Case(
        "ids",
        "leading zeros lost in one",
        one("customers", "customers.csv", rewritten("customers", "id", zeros)),
        check="unknown_customers",
    ),
    Case(
        "ids",
        "spaces around some",
        one(
            "orders",
            "orders.csv",
            rewritten("orders", "customer", lambda i, text: f" {text}" if i % 4 == 0 else text),
        ),
        check="unknown_customers",
    ),
    Case(
        "ids",
        "17.0 for 17 in text",
        one("orders", "orders.csv", rewritten("orders", "customer", point)),
        check="unknown_customers",
    ),
    Case(
        "ids",
        "letters in another case",
        lambda folder: {
            name: one(
                name,
                f"{name}.csv",
                rewritten(name, key, mail(sign)),
            )(folder)[name]
            for name, key, sign in (("customers", "id", "c"), ("orders", "customer", "C"))
        },
        check="unknown_customers",
    ),
]
EMPTY = [
    Case(
        "no rows",
        "a header alone",
        one("orders", "orders.csv", as_csv(said("orders")[:1])),
        check="presence",
    ),
]
ALL = [
    *SEPARATORS,
    *LINES,
    *ENCODINGS,
    *QUOTES,
    *HEADERS,
    *NUMBERS,
    *TIMES,
    *FLAGS,
    *MISSING,
    *PACKED,
    *RAGGED,
    *CONDITIONS,
    *EXTREMES,
    *IDS,
    *EMPTY,
]


@pytest.mark.parametrize("case", ALL, ids=str)
def test_read_right_or_refused(case: Case, tmp_path: Path):
    hold(case, tmp_path)
