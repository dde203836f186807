"""JUnit XML, as Jenkins and others read it: a file is a suite, an error in it a failed test.

Warnings and notices fail no build; they are a suite's output. Everything beyond ASCII is a
reference, so that no encoding of the terminal can make another text of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree as ET

from upliftlab.cli.formats.told import ToldFault, from_top, told
from upliftlab.cli.output import echo_block, shown
from upliftlab.config.checking import Checked


def tell(checked: Checked) -> None:
    """Print the report."""
    echo_block(document(checked))


def document(checked: Checked) -> str:
    """The report as XML."""
    by_file: dict[str, list[ToldFault]] = defaultdict(list)
    for file in checked.files:
        by_file[from_top(file)] = []
    for each in told(checked.faults):
        by_file[each.file or "."].append(each)
    suites = [_suite(shown(file), faults) for file, faults in sorted(by_file.items())]
    top = ET.Element("testsuites", {"name": "upliftlab check", **_sums(suites)})
    top.extend(suites)
    ET.indent(top, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(top, "us-ascii").decode()


def _suite(file: str, faults: Sequence[ToldFault]) -> ET.Element:
    errors = [each for each in faults if each.severity == "error"]
    suite = ET.Element(
        "testsuite",
        {"name": file, "tests": str(len(errors) or 1), "failures": str(len(errors)), "errors": "0"},
    )
    suite.extend(_failed(file, errors) if errors else [_test(file, "check")])
    if others := [each for each in faults if each.severity != "error"]:
        ET.SubElement(suite, "system-out").text = "\n".join(
            f"{_at(each)} {each.severity}: {each.text}" for each in others
        )
    return suite


def _failed(file: str, errors: Sequence[ToldFault]) -> Iterator[ET.Element]:
    for each in errors:
        test = _test(file, _at(each))
        failure = ET.SubElement(test, "failure", type=each.code, message=each.text)
        failure.text = f"{file}:{_at(each)} {each.text}"
        yield test


def _at(fault: ToldFault) -> str:
    return f"{fault.line}:{fault.column}: {fault.code}"


def _test(file: str, name: str) -> ET.Element:
    return ET.Element("testcase", classname=file, name=name)


def _sums(suites: Sequence[ET.Element]) -> dict[str, str]:
    keys = ("tests", "failures", "errors")
    return {key: str(sum(int(suite.attrib[key]) for suite in suites)) for key in keys}
