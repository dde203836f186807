"""A page as a program reads it: numbers with their keys, tags, texts by tag, and the JSON in it."""

from __future__ import annotations

import base64
import gzip
import json
from html.parser import HTMLParser

VOID = {"meta", "br", "img", "path", "circle", "input"}
UNSEEN = {"script", "style"}


class Reader(HTMLParser):
    """Numbers with their attributes, tags, and what stands in each kind of element."""

    def __init__(self, html: str):
        super().__init__()
        self.figures: list[tuple[dict[str, str], str]] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.inside: dict[str, list[str]] = {}
        self.shown: list[str] = []
        self.stack: list[tuple[str, dict[str, str]]] = []
        self.feed(html)

    @property
    def document(self):
        """The result inside the page: what its link to download holds."""
        link = next(a["href"] for tag, a in self.tags if tag == "a" and a.get("id") == "analysis")
        content = base64.b64decode(link.partition("base64,")[2])
        return json.loads(gzip.decompress(content) if "gzip" in link else content)

    @property
    def visible(self) -> str:
        """What is read on the page."""
        return "".join(self.shown)

    def handle_starttag(self, tag, attrs):
        attributes = {name: value or "" for name, value in attrs}
        self.tags.append((tag, attributes))
        if tag not in VOID:
            self.stack.append((tag, attributes))

    def handle_endtag(self, tag):
        while self.stack and self.stack.pop()[0] != tag:
            pass

    def handle_data(self, data):
        tag, attributes = self.stack[-1] if self.stack else ("", {})
        self.inside.setdefault(tag, []).append(data)
        if tag in UNSEEN:
            return
        self.shown.append(data)
        if "data-key" in attributes:
            self.figures.append((attributes, data))
