"""Writes a typed client for the server that an OpenAPI document describes."""

from portico_client_runtime.generator.client import Outcome, generate, render
from portico_client_runtime.generator.errors import GeneratorError

__all__ = ["GeneratorError", "Outcome", "generate", "render"]
