"""The theme of a workspace alone, for the page of a result that is there already."""

from __future__ import annotations

from pathlib import Path

from upliftlab.config.load import in_order
from upliftlab.config.rules.registry import shared_faults
from upliftlab.config.shared import Shared, config_files, read_shared
from upliftlab.config.workspace import Workspace
from upliftlab.errors import ConfigError


def read_theme(workspace: Workspace, given: Path) -> Shared:
    """What a workspace's `configs/theme.yaml` declares; its other files are not looked at.

    Args:
        workspace: Where it lies.
        given: A path the user gave, so that messages name files alike.

    Raises:
        ConfigError: it cannot be used; it holds every fault found.
    """
    if "theme" not in config_files(workspace.configs):
        return Shared()
    shared = read_shared(workspace, given, only={"theme"})
    faults = in_order(shared_faults(shared))
    if any(fault.severity == "error" for fault in faults):
        raise ConfigError(faults)
    return shared
