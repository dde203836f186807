"""The experiment language: YAML files → a plan, or every fault with its place."""

from upliftlab.config.checking import check
from upliftlab.config.environment import allowed_environment
from upliftlab.config.load import Loaded, load
from upliftlab.config.workspace import Workspace

__all__ = ["Loaded", "Workspace", "allowed_environment", "check", "load"]
