"""The project's config: its model, its reader, its JSON schema."""

from igor_core.config.model import Config, Debug, Host, HostGroup
from igor_core.config.problem import ConfigError, Problem
from igor_core.config.project import Project, find_project
from igor_core.config.read import load
from igor_core.config.schema import schema

__all__ = [
    "Config",
    "ConfigError",
    "Debug",
    "Host",
    "HostGroup",
    "Problem",
    "Project",
    "find_project",
    "load",
    "schema",
]
