"""The base class of generated models."""

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """What a server answers or takes: snake_case in Python, the server's own names on the wire."""

    model_config = ConfigDict(
        # A server may know more than the client that was generated from an older description of it.
        extra="allow",
        validate_by_name=True,
        validate_by_alias=True,
        # Most programs use few of the models, so validators are made on first use.
        defer_build=True,
        protected_namespaces=(),
    )
