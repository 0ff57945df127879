"""What generated clients run on."""

from portico_client_runtime.operation import OMIT, Omit, Operation, RequestOptions

__all__ = ["OMIT", "Omit", "Operation", "RequestOptions"]
