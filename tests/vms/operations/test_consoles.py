"""Tickets for the screen and the terminal of one machine, on a sandbox over TLS."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from alma.accounts.actors import Actor
from alma.accounts.models import Environment
from alma.api.models import KeptAnswer
from alma.errors import DomainError, Refused, Unavailable, WrongState
from alma.events.models import Event
from alma.jobs.models import Job
from tests.factories.accounts import make_key
from tests.fixtures.sandbox import RunningSandbox
from tests.vms.operations.conftest import see
from vms.machines import public_id
from vms.models import Cluster, Guest
from vms.operations import power
from vms.operations.consoles import Look, open_console
from vms.operations.power import Stop
from vms.services import read_cluster

Make = Callable[..., Guest]
WRITE = frozenset({"vm:read", "vm:write"})


def let_in(observer: Any, path: str) -> Any:
    """Knock with a ticket, as whoever opens the websocket does."""
    where = urlsplit(path)
    asked = {name: values[0] for name, values in parse_qs(where.query).items()}
    resource = observer
    for part in where.path.removeprefix("/api2/json/").split("/"):
        resource = resource(part)
    return resource.get(**asked)


def test_a_ticket_for_the_screen_opens_it(machine: Guest, by: Actor, observer: Any) -> None:
    console = open_console(machine, look=Look.SCREEN, by=by)
    assert let_in(observer, console.path) == {"port": str(console.ticket.port)}
    assert console.ticket.ticket.startswith(f"{console.ticket.password}:PVEVNC:")
    assert console.ticket.certificate.startswith("-----BEGIN CERTIFICATE-----")
    assert timedelta(seconds=5) < console.expires_at - timezone.now() <= timedelta(seconds=10)


def test_a_viewer_goes_to_the_port_itself(make_machine: Make, by: Actor) -> None:
    machine, text = make_machine("bare", template_vmid=None), make_machine("text")
    console = open_console(machine, look=Look.DIRECT, by=by)
    assert (console.path, len(console.ticket.password)) == ("", 8)
    assert open_console(text, look=Look.DIRECT, by=by).ticket.password == "", "its screen is its serial port"
    key = make_key(WRITE, organization=machine.cluster.organization)[1]
    site = Client(headers={"Authorization": f"Bearer {key}"})
    answer = site.post(f"/v1/vms/{public_id(machine)}/console", {"type": "vnc-direct"}, "application/json")
    console_shown = answer.json()["data"]["console"]
    assert (console_shown["websocket_port"], console_shown["websocket_path"]) == (None, None)
    assert console_shown["password"] and console_shown["certificate"]


def test_a_terminal_of_a_machine_needs_a_serial_port(make_machine: Make, by: Actor, observer: Any) -> None:
    machine = make_machine()  # its template has one
    assert let_in(observer, open_console(machine, look=Look.TERMINAL, by=by).path)
    bare = make_machine("bare", template_vmid=None)
    refused(lambda: open_console(bare, look=Look.TERMINAL, by=by), WrongState, "NO_SERIAL_PORT")
    assert open_console(bare, look=Look.SCREEN, by=by).ticket.port


def test_a_container_has_both(make_machine: Make, cluster: Cluster, by: Actor, observer: Any) -> None:
    archive = read_cluster(cluster).ostemplates[0]
    guest = make_machine("ct", kind="lxc", ostemplate=archive.volid, node="pve1", template_vmid=None)
    for way in (Look.TERMINAL, Look.SCREEN):
        console = open_console(guest, look=way, by=by)
        assert f"/lxc/{guest.vmid}/vncwebsocket?" in console.path
        assert let_in(observer, console.path)


def test_the_ticket_is_in_no_log_event_job_or_kept_answer(
    machine: Guest, caplog: pytest.LogCaptureFixture, by: Actor
) -> None:
    caplog.set_level(logging.DEBUG)
    key = make_key(WRITE, organization=machine.cluster.organization)[1]
    site = Client(headers={"Authorization": f"Bearer {key}", "Idempotency-Key": "k1"})
    answers = [site.post(f"/v1/vms/{public_id(machine)}/console", {}, "application/json") for _ in range(2)]
    consoles = [answer.json()["data"]["console"] for answer in answers]
    assert consoles[0]["ticket"] != consoles[1]["ticket"], "each request has a ticket of its own"
    assert [answer["Cache-Control"] for answer in answers] == ["no-store", "no-store"]
    assert not KeptAnswer.objects.exists()
    told = Event.objects.of(machine.cluster.stream).filter(kind="vm.console_opened")
    assert [(event.data["vmid"], event.data["console"]) for event in told] == [(machine.vmid, "vnc")] * 2
    everything = repr(list(Event.objects.values())) + repr(list(Job.objects.values())) + caplog.text
    everything += repr(open_console(machine, look=Look.SCREEN, by=by))
    for console in consoles:
        assert console["ticket"] not in everything and console["password"] not in everything


def test_what_it_answers(machine: Guest, cluster: Cluster) -> None:
    key = make_key(WRITE, organization=cluster.organization)[1]
    site = Client(headers={"Authorization": f"Bearer {key}"})
    answer = site.post(f"/v1/vms/{public_id(machine)}/console", {"type": "terminal"}, "application/json")
    assert answer.status_code == 200, answer.content
    console = answer.json()["data"]["console"]
    assert console.keys() == {
        "vm_id", "type", "host", "port", "user", "ticket", "password", "certificate", "expires_at", "websocket_port",
        "websocket_path",
    }  # fmt: skip
    assert (console["vm_id"], console["type"], console["password"]) == (public_id(machine), "terminal", None)
    assert (console["host"], console["websocket_port"], console["user"]) == (
        cluster.host,
        cluster.port,
        cluster.token_id,
    )
    wrong = site.post(f"/v1/vms/{public_id(machine)}/console", {"type": "spice"}, "application/json")
    assert (wrong.status_code, wrong.json()["error"]["details"]["field"]) == (422, "type")


def test_who_may_not(machine: Guest, by: Actor, environment: Environment, cluster: Cluster) -> None:
    refused(lambda: look(machine, replace(by, scopes=frozenset({"vm:read"}))), Refused, "MISSING_SCOPE")
    stranger = Guest.objects.get(cluster=cluster, name="gitlab")
    refused(lambda: look(stranger, by), Refused, "GUEST_NOT_OURS")
    Environment.objects.filter(pk=environment.pk).update(is_protected=True)
    refused(lambda: look(machine, by), Refused, "IPR_REQUIRED")
    Environment.objects.filter(pk=environment.pk).update(is_protected=False)
    machine.cluster.is_sandbox = False
    refused(lambda: look(machine, replace(by, lane="test")), Refused, "TEST_KEY_ON_LIVE")


def look(guest: Guest, by: Actor) -> object:
    return open_console(guest, look=Look.SCREEN, by=by)


def test_a_machine_that_has_lost_its_mark_shows_nothing(
    machine: Guest, by: Actor, observer: Any, fresh_sandbox: RunningSandbox
) -> None:
    observer.nodes(machine.node).qemu(machine.vmid).config.put(description="mine now")
    refused(lambda: look(machine, by), Refused, "GUEST_NOT_OURS")
    observer.nodes(machine.node).qemu(machine.vmid).status.stop.post()
    assert fresh_sandbox.count("POST", "/nodes/{node}/qemu/{vmid}/vncproxy") == 0


def test_one_that_is_stopped_has_no_screen(machine: Guest, by: Actor, finish: Callable[[Job], Job]) -> None:
    finish(power.stop(machine, Stop(is_graceful=False), by=by))
    refused(lambda: look(machine, by), WrongState, "GUEST_STOPPED")  # as the row was read: running
    see(machine.cluster)
    machine.refresh_from_db()
    refused(lambda: look(machine, by), WrongState, "GUEST_STOPPED")


@pytest.mark.parametrize("status", [403, 500, 596])
def test_a_cluster_that_does_not_hand_one_out(
    machine: Guest, by: Actor, fresh_sandbox: RunningSandbox, status: int
) -> None:
    fresh_sandbox.core.faults.answer_next(
        status, "Permission check failed (/vms/5000, VM.Console)", "POST", "*/vncproxy"
    )
    with pytest.raises(Unavailable):
        look(machine, by)
    assert not Event.objects.filter(kind="vm.console_opened").exists()


def refused(act: Callable[[], object], kind: type[DomainError], code: str) -> None:
    with pytest.raises(kind) as refusal:
        act()
    assert refusal.value.code == code
