"""The project's config: the model, the reader, the JSON schema."""

from igor_core.config.debug import Debug, DebugProgram
from igor_core.config.hosts import Host, HostGroup
from igor_core.config.model import Config
from igor_core.config.problem import ConfigError, Problem
from igor_core.config.project import Project, find_project
from igor_core.config.read import load
from igor_core.config.schema import schema

__all__ = [
    "Config",
    "ConfigError",
    "Debug",
    "DebugProgram",
    "Host",
    "HostGroup",
    "Problem",
    "Project",
    "find_project",
    "load",
    "schema",
]
