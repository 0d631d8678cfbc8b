"""What is run for an instance: its command, its environment, its key. Looked up anew at each start, for the files and the
programs are what they are then."""

import secrets
import socket
from dataclasses import dataclass

from django.conf import settings

from alma.errors import DomainError, Unavailable
from instances import folder
from instances.backends import asking, commandline
from instances.backends.kinds import Backend, backend_of
from instances.models import Instance, Node
from instances.supervisor.processes import MARKER, OWNER

_WITHOUT_DEBUGGER = {"GGML_NO_BACKTRACE": "1"}
"""llama.cpp that aborts calls a debugger otherwise, whose pages take seconds and hide the reason."""


@dataclass(frozen=True)
class Start:
    """One start to be."""

    marker: str
    key: str
    command: list[str]
    environment: dict[str, str]


class CannotStart(DomainError):
    """Why an instance is not started, in words for whoever asked for it."""

    code = "START_FAILED"


def prepared(instance: Instance, node: Node) -> Start:
    """What to run. Raises CannotStart."""
    backend = _backend(instance)
    if not backend.key_variable and not node.is_loopback:
        raise CannotStart(
            f"{backend.label} asks for no key: it runs on machines alone whose instances nobody else reaches."
        )
    marker = f"alma-{instance.pk}-{secrets.token_hex(8)}"
    key = secrets.token_urlsafe(24)
    try:
        model = str(folder.located(instance.model, is_file=backend.takes_files))
        command = [
            *backend.command(port=instance.port, marker=marker),
            *_arguments(instance, backend, model, node.address),
        ]
    except DomainError as error:
        raise CannotStart(error.message) from error
    environment = asking.clean_environment() | _WITHOUT_DEBUGGER | {MARKER: marker, OWNER: owner()}
    if backend.key_variable:
        environment[backend.key_variable] = key
    return Start(marker, key if backend.key_variable else "", command, environment)


def owner() -> str:
    """Names this installation in the environment of what it starts."""
    return str(settings.ALMA_DATA_DIR)


def is_free(address: str, port: int) -> bool:
    """Whether nobody listens there; whoever does is not ours to end."""
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def _backend(instance: Instance) -> Backend:
    try:
        return backend_of(instance.backend)
    except DomainError as error:
        raise CannotStart(error.message) from error


def _arguments(instance: Instance, backend: Backend, model: str, address: str) -> list[str]:
    """The model, where to listen, what is always so, and the options of the client. Raises Invalid, Unavailable."""
    catalogue = asking.catalogue_of(backend)
    if gone := commandline.missing(instance.options, catalogue):
        raise Unavailable(f"{backend.label} has no option {', '.join(gone)} any more; change the instance.")
    fixed = {name: value for name, value in backend.fixed if name in catalogue}
    words = [*backend.model_words(model), "--host", address, "--port", str(instance.port)]
    if backend.name_flag:
        words += [backend.name_flag, instance.name]
    return [*words, *commandline.arguments(fixed, catalogue), *commandline.arguments(instance.options, catalogue)]
