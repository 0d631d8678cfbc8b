"""Blueprints for tests."""

from typing import Any

from alma.accounts.actors import Actor
from blueprints import services
from blueprints.models import Blueprint
from tests.factories.accounts import make_actor


def make_resource(name: str = "web-server-1", **overrides: Any) -> dict[str, Any]:
    """A machine as the API document shows it."""
    specs = {"cpu": 4, "memory": "8GB", "disk": "100GB"}
    return {"name": name, "type": "vm", "specs": specs, **overrides}


def make_document(**overrides: Any) -> dict[str, Any]:
    """The document of the API's example."""
    return {
        "version": "1.0",
        "name": "web-app-production",
        "description": "Production web application infrastructure",
        "resources": [make_resource()],
        "metadata": {"environment": "production", "owner": "devops-team"},
        **overrides,
    }


def make_blueprint(*, by: Actor | None = None, **overrides: Any) -> Blueprint:
    """A saved blueprint with one revision."""
    return services.create(make_document(**overrides), by=by or make_actor())
