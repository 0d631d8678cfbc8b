"""What the tests of blueprint pages share."""

from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

HTMX = {"HX-Request": "true"}
YAML = """\
version: "1.0"
name: shop
resources:
  - name: web-1
    type: vm
    specs: {cpu: 2, memory: 4GB, disk: 20GB}
"""
WRONG = YAML.replace("4GB", "4")
PAGES = ["detail", "yaml", "revisions", "edit", "delete"]
MOST_QUERIES = 12


def url(name: str, *args: object) -> str:
    """The address of a page."""
    return reverse(f"blueprints:{name}", args=args)


def text_of(response: Any, status: int = 200) -> str:
    """The text of a page that answered with this status."""
    assert response.status_code == status, response.content[:500]
    return str(response.content.decode())


def queries(client: Client, address: str) -> int:
    """How many queries a page costs."""
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)
