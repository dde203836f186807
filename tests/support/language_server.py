"""The YAML server that editors run, asked by its protocol: what it offers, tells and underlines."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class LanguageServer:
    """One server with one schema for each kind of file.

    Args:
        program: The server's script, which node runs.
        schemas: A schema's file by the pattern of the files it is for.
        root: The folder that the editor has open.
    """

    def __init__(self, program: str, schemas: Mapping[str, Path], root: Path) -> None:
        self._process = subprocess.Popen(
            ["node", program, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._root, self._number = root, 0
        self._settings = {
            "yaml": {
                "schemas": {path.as_uri(): [pattern] for pattern, path in schemas.items()},
                "schemaStore": {"enable": False},
                "completion": True,
                "hover": True,
                "validate": True,
            }
        }
        self._told: dict[str, list[Any]] = {}
        capabilities = {
            "workspace": {"configuration": True, "didChangeConfiguration": {}},
            "textDocument": {"publishDiagnostics": {}, "hover": {"contentFormat": ["plaintext"]}},
        }
        self._ask("initialize", {"processId": None, "rootUri": root.as_uri(),
                                 "capabilities": capabilities})  # fmt: skip
        self._tell("initialized", {})
        self._tell("workspace/didChangeConfiguration", {"settings": self._settings})

    def open(self, name: str, text: str) -> str:
        """Let the server know a file, which need not exist; its name, which no other had.

        What it tells later of a file that was closed cannot be taken for another's so.
        """
        self._number += 1
        name = name.replace(".yaml", f"-{self._number}.yaml")
        document = {"uri": self._uri(name), "languageId": "yaml", "version": 1, "text": text}
        self._tell("textDocument/didOpen", {"textDocument": document})
        return name

    def close(self, name: str) -> None:
        self._tell("textDocument/didClose", {"textDocument": {"uri": self._uri(name)}})

    def completion(self, name: str, line: int, column: int) -> list[str]:
        """What is offered at a place, counted from 0."""
        found = self._ask("textDocument/completion", self._at(name, line, column))
        return [item["label"] for item in found["items"]]

    def hover(self, name: str, line: int, column: int) -> str:
        found = self._ask("textDocument/hover", self._at(name, line, column))
        contents = (found or {}).get("contents", "")
        return contents["value"] if isinstance(contents, dict) else str(contents)

    def faults(self, name: str, text: str) -> list[str]:
        """What is underlined in a file."""
        name = self.open(name, text)
        uri = self._uri(name)
        while uri not in self._told:
            self._take()
        self.close(name)
        return [each["message"] for each in self._told.pop(uri)]

    def ready(self, name: str, wrong: str) -> None:
        """Wait until the schema of a file is known: until what is wrong in it is underlined."""
        for _ in range(100):
            if self.faults(name, wrong):
                return
        raise AssertionError(name)

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _uri(self, name: str) -> str:
        return (self._root / name).as_uri()

    def _at(self, name: str, line: int, column: int) -> dict[str, Any]:
        place = {"line": line, "character": column}
        return {"textDocument": {"uri": self._uri(name)}, "position": place}

    def _ask(self, method: str, params: Any) -> Any:
        self._number += 1
        self._write({"id": self._number, "method": method, "params": params})
        while (found := self._take()).get("id") != self._number or "method" in found:
            pass
        assert "error" not in found, found
        return found["result"]

    def _tell(self, method: str, params: Any) -> None:
        self._write({"method": method, "params": params})

    def _write(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._process.stdin.flush()

    def _take(self) -> dict[str, Any]:
        """The next message, with an answer to what the server itself asks."""
        assert self._process.stdout is not None
        length = 0
        while header := self._process.stdout.readline().strip():
            if header.lower().startswith(b"content-length:"):
                length = int(header.split(b":")[1])
        assert length, "the server has ended"
        found: dict[str, Any] = json.loads(self._process.stdout.read(length))
        if found.get("method") == "textDocument/publishDiagnostics":
            self._told[found["params"]["uri"]] = found["params"]["diagnostics"]
        elif "method" in found and "id" in found:
            self._write({"id": found["id"], "result": self._answer(found)})
        return found

    def _answer(self, asked: dict[str, Any]) -> Any:
        if asked["method"] != "workspace/configuration":
            return None
        items = asked["params"]["items"]
        return [self._settings.get(str(item.get("section", "")).split(".")[0]) for item in items]
