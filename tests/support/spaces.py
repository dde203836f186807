"""A workspace as text, with the smallest experiment that is right."""

from __future__ import annotations

import re
from pathlib import Path

from upliftlab.config import check

BASE = {
    "schema": "schema: 1",
    "experiment": "experiment: example",
    "customers": "customers: {file: data.csv, id: id, known_after: [spent]}",
    "assignment": "assignment: {observed: arm}",
    "arms": "arms: {none: {control: true}, email: {channel: email}}",
    "metrics": "metrics: {primary: spent}",
}


def experiment(part: str = "") -> str:
    """The smallest experiment with `part` in place of the keys it holds."""
    own = set(re.findall(r"^(\w+):", part, re.MULTILINE))
    kept = [text for key, text in BASE.items() if key not in own]
    return "\n".join([*kept, part]) + "\n"


class Space:
    """A workspace whose files are written as text."""

    experiment = staticmethod(experiment)

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("experiments/example.yaml", experiment())

    def write(self, file: str, text: str | bytes) -> Path:
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def check(self, part: str | None = None, **configs: str) -> list[str]:
        """Faults as text, after writing a part of the experiment and files of configs/."""
        if part is not None:
            self.write("experiments/example.yaml", experiment(part))
        for stem, text in configs.items():
            self.write(f"configs/{stem}.yaml", text)
        folders = [Path(name) for name in ("experiments", "configs") if Path(name).is_dir()]
        return [str(fault) for fault in check(folders)]
