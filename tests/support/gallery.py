"""Photograph every page into docs/gallery: `python tests/support/gallery.py`, in some minutes.

The bundled campaign is simulated, analysed and targeted anew, in both languages, by the commands
that docs/site.md shows. Look at what changed before it is committed.
"""

from __future__ import annotations

import base64
import contextlib
import tempfile
from collections.abc import Iterator, Mapping
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
PARTS = {
    "over_time": "Over time",
    "beliefs": "A Bayesian view",
    "breakdowns": "By segment",
    "trust": "Can these numbers be trusted?",
}


def shots() -> Iterator[tuple[str, str, Look]]:
    """Every picture: its name, its page, and how it is looked at."""
    for page in PAGES:
        for name, look in LOOKS.items():
            yield f"{page}_{name}", page, look
    for part, said in PARTS.items():
        yield f"report_{part}", "report", Look(said, 1280, 900, SCREEN, part=part)


def made(folder: Path) -> dict[str, Path]:
    """The sites of the bundled campaign, by language."""
    with contextlib.chdir(folder):
        asked = [
            ["run"],
            ["target", EXPERIMENT, *LIST],
            *(
                ["run", EXPERIMENT, "--site", "--list", "next.parquet.json", "--lang", lang]
                for lang in ("en", "zh")
            ),
        ]
        for words in asked:
            done = CliRunner().invoke(commands, words)
            if done.exit_code:
                raise SystemExit(f"{' '.join(words)}\n{done.output}")
    results = folder / "upliftlab-report" / "spring_winback"
    return {"en": results / "site", "zh": results / "site.zh"}


def photographed(sites: Mapping[str, Path], out: Path) -> list[str]:
    """Write every picture, and return the names of those there is a page for."""
    out.mkdir(parents=True, exist_ok=True)
    names: list[str] = []
    opened = contextlib.contextmanager(chromium)
    with tempfile.TemporaryDirectory() as profile, opened(Path(profile)) as browser:
        for name, page, look in shots():
            source = sites[look.lang] / f"{page}.html"
            if not source.is_file():
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
        "Every page on the bundled campaign (`upliftlab run --site`), as Chromium shows it.",
        "`python tests/support/gallery.py` takes these pictures anew.",
    ]
    taken = {name: (page, look) for name, page, look in shots() if name in names}
    for page, title in PAGES.items():
        own = {name: look for name, (of, look) in taken.items() if of == page}
        if own:
            lines += ["", f"## {title}"]
        for name, look in own.items():
            lines += [
                "",
                f"![{title}, {look.said}](gallery/{name}.webp)",
                "",
                look.said.capitalize(),
            ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Take all pictures anew."""
    with tempfile.TemporaryDirectory() as folder:
        names = photographed(made(Path(folder)), GALLERY)
    for old in GALLERY.glob("*.webp"):
        if old.stem not in names:
            old.unlink()
    GALLERY.with_suffix(".md").write_text(page_of(names), encoding="utf-8")


if __name__ == "__main__":
    main()
