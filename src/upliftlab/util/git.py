"""What git knows of a folder: the files that changed since a revision.

Git is asked read-only, with what a repository's own settings could run switched off.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Final

from upliftlab.errors import ConfigError, Diagnostic

_PATIENCE: Final = 60
"""Seconds; a question about names takes a fraction of one."""


def changed_since(revision: str, folder: Path) -> frozenset[Path]:
    """The files of a folder's repository that are not as they were at a revision.

    Changes count from where the present history left that of the revision, so that what others
    did there since is not among them. Files that git does not know are, but for ignored ones;
    so are files that are gone.

    Raises:
        ConfigError: UL049, there is no history to compare with; UL050, the revision is not in it.
    """
    top = Path(os.fsdecode(_asked(folder, "rev-parse", "--show-toplevel").removesuffix(b"\n")))
    commit = _found(top, revision, "rev-parse", "--verify", "--quiet", "--end-of-options",
                    f"{revision}^{{commit}}")  # fmt: skip
    base = _found(top, revision, "merge-base", commit, "HEAD")
    changed = _asked(top, "diff", "--name-only", "--no-renames", "--no-ext-diff", "-z", base)
    unknown = _asked(top, "ls-files", "--others", "--exclude-standard", "-z")
    names = {name for name in (changed + unknown).split(b"\0") if name}
    return frozenset(top / os.fsdecode(name) for name in names)


def _asked(folder: Path, *arguments: str) -> bytes:
    done = _run(folder, *arguments)
    if done.returncode:
        said = os.fsdecode(done.stderr).strip().splitlines()
        raise _no_history(folder, said[0] if said else f"git ends with {done.returncode}")
    return done.stdout


def _found(folder: Path, revision: str, *arguments: str) -> str:
    """The commit that git names; there is none where the revision is unknown or unrelated."""
    done = _run(folder, *arguments)
    if done.returncode == 0 and (commit := done.stdout.decode("ascii").strip()):
        return commit
    message = (
        f"git knows no revision '{revision[:80]}' that HEAD descends from or shares a past with"
    )
    remedy = (
        "see 'git log' for a branch, tag or commit; in CI, fetch the whole history (fetch-depth: 0)"
    )
    raise ConfigError(Diagnostic("UL050", message, remedy))


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = ["git", "-c", "core.fsmonitor=false", "-C", str(folder), *arguments]
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    try:
        return subprocess.run(  # noqa: S603 - git, and arguments that it takes for no options
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_PATIENCE,
            env=environment,
        )
    except FileNotFoundError as error:
        raise _no_history(folder, "git is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise _no_history(folder, f"git did not answer in {_PATIENCE} seconds") from error


def _no_history(folder: Path, why: str) -> ConfigError:
    message = f"what changed in '{folder}' is not known: {why[:200]}"
    remedy = "run it in a git repository, or leave --changed-since out"
    return ConfigError(Diagnostic("UL049", message, remedy))
