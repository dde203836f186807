"""What an analysis can be written as: numbers, sheets, page, paper, pictures, what packages add."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, cast

from upliftlab.errors import ConfigError, Diagnostic, OutputError
from upliftlab.report.export import rounded, to_csv, to_json
from upliftlab.results.analysis import Analysis
from upliftlab.text.language import Code
from upliftlab.util.extensions import FORMATS, blaming, installed, offered
from upliftlab.util.nearest import closest


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """A way to write an analysis, upliftlab's own or an installed package's.

    A package offers one as an entry point of the group `upliftlab.formats`; the entry point's
    name is the format's.

    Attributes:
        suffix: What its files' names end in, with the dot.
        write: From the analysis as it is published (every number at 10 digits) and the language
            that was asked for to the file's content. Tables for spreadsheets are written by
            `upliftlab.report.export.spreadsheet`, in which no cell is run as a formula.
    """

    suffix: str
    write: Callable[[Analysis, Code], bytes]


def _page(analysis: Analysis, lang: Code) -> bytes:
    from upliftlab.report.render import render  # noqa: PLC0415 - only a page needs its templates

    return render(analysis, lang=lang).encode()


def _markdown(analysis: Analysis, lang: Code) -> bytes:
    from upliftlab.report.markdown import markdown  # noqa: PLC0415 - as above

    return markdown(analysis, lang).encode()


def _pdf(analysis: Analysis, lang: Code) -> bytes:
    from upliftlab.report.pdf import printed  # noqa: PLC0415 - only paper needs a browser

    return printed(_page(analysis, lang))


def _pictures(analysis: Analysis, lang: Code) -> bytes:
    from upliftlab.report.pictures import pictures  # noqa: PLC0415 - as above

    return pictures(_page(analysis, lang))


def _workbook(analysis: Analysis, lang: Code) -> bytes:
    from upliftlab.report.workbook import workbook  # noqa: PLC0415 - as above

    return workbook(analysis, lang)


OWN: Final[Mapping[str, OutputFormat]] = {
    "json": OutputFormat(".json", lambda analysis, _lang: to_json(analysis)),
    "csv": OutputFormat(".csv", lambda analysis, _lang: to_csv(analysis)),
    "html": OutputFormat(".html", _page),
    "md": OutputFormat(".md", _markdown),
    "xlsx": OutputFormat(".xlsx", _workbook),
    "pdf": OutputFormat(".pdf", _pdf),
    "png": OutputFormat(".png.zip", _pictures),
}
"""upliftlab's formats by name."""


def format_names() -> tuple[str, ...]:
    """Every format there is: ours, then those of installed packages.

    Raises:
        ConfigError: UL028, a package offers a name that is taken.
    """
    return (*OWN, *installed(FORMATS, OWN))


def output_format(name: str) -> OutputFormat:
    """A format by its name. Packages are looked at only where it is not one of ours.

    Raises:
        OutputError: UL479, there is none of that name.
        ConfigError: UL028, UL029, UL473 and UL474, another package's cannot be used; what it
            writes is refused in the same way.
    """
    if name in OWN:
        return OWN[name]
    if name not in (known := format_names()):
        near = closest(name, known, 0.6)
        meant = f"did you mean '{near}'? " if near else ""
        message = f"there is no format '{name[:60]}'"
        remedy = f"{meant}installed are {', '.join(known)}"
        raise OutputError(Diagnostic("UL479", message, remedy))
    found, package = offered(FORMATS, name, OutputFormat, OWN)

    def write(analysis: Analysis, lang: Code) -> bytes:
        with blaming(package, f"the format '{name}'"):
            content = cast("object", found.write(rounded(analysis), lang))
        if isinstance(content, bytes):
            return content
        message = f"the format '{name}' of {package} gives no bytes"
        raise ConfigError(Diagnostic("UL473", message, "mend or uninstall that package"))

    return OutputFormat(str(found.suffix), write)
