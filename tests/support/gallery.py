"""Photograph every page into docs/gallery: `python tests/support/gallery.py`, in some minutes.

The bundled campaign is simulated, analysed and targeted anew, the worked examples are made and put
together as a program, in both languages, by the commands that the documentation shows. Pages that
are named, as in `gallery.py report churn`, are photographed alone. Look at what changed before it
is committed.
"""

from __future__ import annotations

import base64
import contextlib
import shutil
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from chromium import chromium
from click.testing import CliRunner

from upliftlab.cli.app import commands

GALLERY = Path(__file__).resolve().parents[2] / "docs" / "gallery"
EXPERIMENT = "upliftlab-demo/experiments/spring_winback.yaml"
LIST = ("--customers", "customers", "--output", "next.parquet", "--force")
PAGES = {
    "report": "The report",
    "uplift": "Whom to contact",
    "plan": "The plan",
    "list": "The next list",
    "index": "The experiment's folder",
}
"""What `run --site` writes of one experiment."""
PROGRAM = {"portfolio": "The program"}
WORLDS = {
    "acquisition": "Worked example: which media win new customers",
    "churn": "Worked example: who may leave, and whom an offer keeps",
    "commission": "Worked example: why commission rises while profit does not",
    "cross-sell": "Worked example: which product, when, and by which channel",
    "decline": "Worked example: what lifts customers whose purchases decline",
}
TITLES = PAGES | PROGRAM | WORLDS


@dataclass(frozen=True)
class Look:
    """How a page is looked at."""

    said: str
    width: int
    height: int
    media: Mapping[str, str]
    lang: str = "en"
    part: str = ""
    """The id that is scrolled to."""


SCREEN = {"media": "screen", "scheme": "light"}
WIDE = Look("wide", 1280, 900, SCREEN)
LOOKS = {
    "wide": WIDE,
    "full": Look("on a large screen", 1680, 1050, SCREEN),
    "tablet": Look("on a tablet", 768, 1024, SCREEN),
    "phone": Look("on a phone", 390, 844, SCREEN),
    "dark": Look("dark", 1280, 900, {"media": "screen", "scheme": "dark"}),
    "print": Look("on paper", 794, 1123, {"media": "print", "scheme": "light"}),
    "zh": Look("in Chinese", 1280, 900, SCREEN, lang="zh"),
}
FEW = ("wide", "zh")
"""How worked examples are looked at: their pages are reports as well."""
PARTS = {
    "over_time": "Over time",
    "beliefs": "A Bayesian view",
    "breakdowns": "By segment",
    "trust": "Can these numbers be trusted?",
}


def shots() -> Iterator[tuple[str, str, Look]]:
    """Every picture: its name, its page, and how it is looked at."""
    for page in TITLES:
        for name, look in LOOKS.items():
            if page not in WORLDS or name in FEW:
                yield f"{page}_{name}", page, look
    for part, said in PARTS.items():
        yield f"report_{part}", "report", Look(said, 1280, 900, SCREEN, part=part)


def made(folder: Path, pages: Collection[str]) -> dict[str, Path]:
    """Folders that hold these pages, by language."""
    found = {lang: folder / lang for lang in ("en", "zh")}
    with contextlib.chdir(folder):
        examples = [world for world in WORLDS if world in pages or "portfolio" in pages]
        run("run")
        for world in examples:
            run("run", "--world", world)
        analyses = [f"upliftlab-{name}/analysis.json" for name in ("demo", *examples)]
        if PAGES.keys() & set(pages):
            run("target", EXPERIMENT, *LIST)
        for lang, out in found.items():
            if PAGES.keys() & set(pages):
                asked = "--site", "--list", "next.parquet.json", "--lang", lang
                run("run", EXPERIMENT, *asked)
                site = Path("upliftlab-report/spring_winback")
                shutil.copytree(site / ("site" if lang == "en" else f"site.{lang}"), out)
            end = "html" if lang == "en" else f"{lang}.html"
            if "portfolio" in pages:
                run("portfolio", *analyses, "--out", "program", "--lang", lang)
                copied(Path("program", f"portfolio.{end}"), out / "portfolio.html")
            for world in examples:
                run("report", f"upliftlab-{world}/analysis.json", "--lang", lang)
                copied(Path(f"upliftlab-{world}", f"report.{end}"), out / f"{world}.html")
    return found


def run(*words: str) -> None:
    """Run a command of upliftlab."""
    done = CliRunner().invoke(commands, words)
    if done.exit_code:
        raise SystemExit(f"{' '.join(words)}\n{done.output}")


def copied(page: Path, place: Path) -> None:
    """Put a page where it is photographed."""
    place.parent.mkdir(exist_ok=True)
    shutil.copyfile(page, place)


def photographed(sites: Mapping[str, Path], out: Path, pages: Collection[str]) -> list[str]:
    """Write the pictures of these pages, and return the names of those there is a page for."""
    out.mkdir(parents=True, exist_ok=True)
    names: list[str] = []
    opened = contextlib.contextmanager(chromium)
    with tempfile.TemporaryDirectory() as profile, opened(Path(profile)) as browser:
        for name, page, look in shots():
            source = sites[look.lang] / f"{page}.html"
            if page not in pages or not source.is_file():
                continue
            size = {"width": look.width, "height": look.height, "mobile": False}
            browser.execute_cdp_cmd(
                "Emulation.setDeviceMetricsOverride", {**size, "deviceScaleFactor": 1}
            )
            browser.execute_cdp_cmd(
                "Emulation.setEmulatedMedia",
                {
                    "media": look.media["media"],
                    "features": [{"name": "prefers-color-scheme", "value": look.media["scheme"]}],
                },
            )
            browser.get(f"{source.resolve().as_uri()}{'#' + look.part if look.part else ''}")
            taken = browser.execute_cdp_cmd(
                "Page.captureScreenshot", {"format": "webp", "quality": 60}
            )
            (out / f"{name}.webp").write_bytes(base64.b64decode(taken["data"]))
            names.append(name)
    return names


def page_of(names: list[str]) -> str:
    """The gallery as a page of the documentation."""
    lines = [
        "# Gallery",
        "",
        "Every page on the bundled campaign (`upliftlab run --site`), the worked examples",
        "(`upliftlab run --world`) and all of them as a program (`upliftlab portfolio`), as",
        "Chromium shows them.",
        "`python tests/support/gallery.py` takes these pictures anew.",
    ]
    taken = {name: (page, look) for name, page, look in shots() if name in names}
    for page, title in TITLES.items():
        own = {name: look for name, (of, look) in taken.items() if of == page}
        if own:
            lines += ["", f"## {title}"]
        for name, look in own.items():
            lines += [
                "",
                f"![{title}, {look.said}](gallery/{name}.webp)",
                "",
                look.said[0].upper() + look.said[1:],
            ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Take the pictures of the pages that are named anew, of all where none is."""
    pages = sys.argv[1:] or list(TITLES)
    with tempfile.TemporaryDirectory() as folder:
        names = photographed(made(Path(folder), pages), GALLERY, pages)
    if len(pages) == len(TITLES):
        for old in GALLERY.glob("*.webp"):
            if old.stem not in names:
                old.unlink()
    there = [old.stem for old in GALLERY.glob("*.webp")]
    GALLERY.with_suffix(".md").write_text(page_of(there), encoding="utf-8")


if __name__ == "__main__":
    main()
