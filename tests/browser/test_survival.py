"""A person watches a deployment in real Chromium while its worker is killed: it goes on before their eyes."""

import re
import secrets

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.processes.alma import Alma

pytestmark = [pytest.mark.browser, pytest.mark.processes]
SPECS = {"cpu": 1, "memory": "1GB", "disk": "10GB", "os": "debian-12"}
PATIENCE = 60_000


def begin(alma: Alma, name: str) -> str:
    """A deployment of two machines, the second of which needs the first; its id."""
    resources = [
        {"name": f"{name}-db", "type": "vm", "specs": SPECS},
        {"name": f"{name}-web", "type": "vm", "specs": SPECS, "dependencies": [f"{name}-db"]},
    ]
    with alma.client() as client:
        body = {"version": "1.0", "name": name, "resources": resources}
        blueprint = client.post("/api/v1/blueprints", json=body).raise_for_status().json()["id"]
        ipr = client.post("/api/v1/ipr", json={"title": name, "blueprint_id": blueprint}).raise_for_status().json()
        started = client.post(f"/api/v1/ipr/{ipr['id']}/deploy", json={"engine": "proxmox"}).raise_for_status().json()
    return str(started["deployment_id"])


def test_a_deployment_goes_on_before_the_eyes_of_who_watches_it(alma: Alma, visit: Visit) -> None:
    name = f"survivor-{secrets.token_hex(2)}"
    page = visit().page
    deployment = begin(alma, name)
    page.goto(f"/deployments/{deployment}/")
    page.evaluate("window.isTheSamePage = true")
    expect(page.get_by_role("log")).to_contain_text(re.compile(f"{name}-db"))
    assert alma.kill("worker") >= 6  # the group as a whole: no worker of it lives on
    with alma.client() as client:
        assert client.get(f"/api/v1/deployments/{deployment}").json()["status"] == "in_progress"
    expect(page.get_by_text("Completed", exact=True).first).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("log")).to_contain_text(f"{name}-web is as planned")
    assert page.evaluate("window.isTheSamePage"), "the page was loaded anew"
    statuses = {guest: row["status"] for guest, row in alma.guests().items() if guest.startswith(f"{name}-")}
    assert statuses == {f"{name}-db": "running", f"{name}-web": "running"}
