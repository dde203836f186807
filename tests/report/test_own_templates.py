"""Templates of a workspace: they replace one another's place and nothing else of the page."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from page_reader import Reader

from upliftlab.api import look_around, read_analysis
from upliftlab.cli import commands
from upliftlab.errors import OutputError
from upliftlab.report.export import to_json
from upliftlab.report.render import render
from upliftlab.text.language import Language
from upliftlab.util.resources import shipped

FRAME = (shipped("templates") / "frame.html.j2").read_text(encoding="utf-8")
POLICY = '<meta http-equiv="Content-Security-Policy" content="{{ policy }}">'
ADDED = """\
{% extends "upliftlab/report.html.j2" %}
{% block main %}
{{ super() }}
OURS
{% endblock %}
"""


@pytest.fixture
def house(tmp_path, make_analysis):
    (tmp_path / "configs").mkdir()
    (tmp_path / "analysis.json").write_bytes(to_json(make_analysis()))

    def put(**files):
        for name, text in files.items():
            file = tmp_path / "templates" / f"{name.replace('__', '/')}.html.j2"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return tmp_path / "analysis.json"

    return put


def page(file, lang="en"):
    return read_analysis(file).report(file.parent / "page.html", lang=lang).read_text("utf-8")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_one_block_is_replaced_and_the_foot_names_the_template(house, make_analysis, lang):
    html = page(house(report=ADDED.replace("OURS", "<p>{{ page.owner }}{{ '<b>' }}</p>")), lang)
    assert "<p>crm@example.com&lt;b&gt;</p>" in html
    words = Language(lang).gettext("Templates of the workspace")
    assert f"{words}{Language(lang).gettext(': ')}report</p>" in html
    plain = Reader(render(make_analysis(), lang=lang))
    policy = [a["content"] for _, a in Reader(html).tags if "http-equiv" in a]
    assert policy == [a["content"] for _, a in plain.tags if "http-equiv" in a]
    assert len(Reader(html).figures) == len(plain.figures)


def test_a_page_without_templates_of_the_workspace_has_no_foot(house, make_analysis):
    assert page(house()) == render(make_analysis())


def test_a_copy_of_the_product_s_is_none_of_the_workspace(house, make_analysis):
    assert page(house(frame=FRAME)) == render(make_analysis())


@pytest.mark.parametrize(
    ("name", "text", "code", "said"),
    [
        ("verdct", "", "UL486", "did you mean 'verdict.html.j2'? there are beliefs.html.j2, "),
        ("methods", "a\n{{ 1 / 0 }}", "UL487", "division by zero"),
        ("methods", "a\n{{ nothing }}", "UL487", "'nothing' is undefined"),
        ("methods", "a\n{% if %}", "UL487", "Expected an expression"),
        ("methods", "a\n{{ part.__class__ }}", "UL487", "unsafe"),
        ("methods", "a\n{{ ''.__class__.__mro__ }}", "UL487", "unsafe"),
        ("methods", "a\n{% include '../../etc/passwd' %}", "UL487", "passwd"),
        ("methods", "a\n{{ page.sections.append(1) }}", "UL487", "append"),
        ("methods", "a\n{% include 'nowhere.html.j2' %}", "UL487", "nowhere"),
        ("frame", FRAME.replace(POLICY, ""), "UL488", "is gone"),
        ("frame", FRAME.replace(POLICY, f"<!-- {POLICY} -->"), "UL488", "is gone"),
        ("frame", FRAME.replace("<head>", "<head><script>1</script>"), "UL488", "too late"),
        ("frame", FRAME.replace("{{ policy }}", "default-src *"), "UL488", "changed"),
        ("frame", FRAME.replace('id="own-templates"', ""), "UL488", "own-templates"),
        ("frame", f'{FRAME}<META HTTP-EQUIV=refresh content="0;url=//a">', "UL488", "leads"),
        ("frame", f'{FRAME}<meta http-equiv="&#114;efresh" content="0">', "UL488", "leads"),
        ("frame", f'{FRAME}<meta content=">" http-equiv=" Refresh"/>', "UL488", "leads"),
    ],
)
def test_what_is_wrong_is_told_with_its_file_and_line(house, name, text, code, said):
    file = house(**{name: text})
    with pytest.raises(OutputError) as refused:
        page(file)
    (fault,) = refused.value.faults
    assert (fault.code, said in f"{fault.message}; {fault.remedy}") == (code, True), fault
    assert fault.place.file.endswith(f"templates/{name}.html.j2")
    line = {"UL486": None, "UL487": 2, "UL488": 3}[code]
    assert fault.place.line == line
    done = CliRunner().invoke(commands, ["report", str(file)])
    assert (done.exit_code, code in done.output) == (1, True)


def test_a_macro_that_is_gone_is_the_workspace_s_fault(house):
    with pytest.raises(OutputError, match=r"UL487 .*does not export the requested name"):
        page(house(macros="{% set a = 1 %}"))


def test_a_template_lies_in_the_workspace(house, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "secret"
    outside.write_text("secret", encoding="utf-8")
    file = house(methods="a")
    (file.parent / "templates/verdict.html.j2").symlink_to(outside)
    with pytest.raises(OutputError, match="UL486 the template cannot be read: it is a link"):
        look_around(file)


def test_other_files_of_such_a_folder_are_left_alone(house, make_analysis):
    file = house()
    (file.parent / "templates").mkdir()
    (file.parent / "templates" / "letter.html").write_text("Dear customer", encoding="utf-8")
    assert page(file) == render(make_analysis())
