"""Registry of the product's services: a definition by the name of its service."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from shared.events import registry

if TYPE_CHECKING:
    # The command line asks for the names alone, and need not wait for a web framework.
    from shared.service.definition import Service

SERVICES = registry.SERVICES
"""All of them: each owns events, and the last one reads those of all."""


def definition_of(name: str) -> "Service":
    """The definition of a service. It is imported only now, since a process needs one of them."""
    module: Any = import_module(f"services.{name}.app")
    service: Service = module.SERVICE
    return service
