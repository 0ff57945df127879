"""What an Auth serves, as an OpenAPI 3.1 document."""

from portico.openapi.document import document
from portico.openapi.schemas import Json

__all__ = ["Json", "document"]
