"""Opens a sandbox: its state from the file, seeded when new, with the credentials of its data directory."""

from pathlib import Path

from vms.sandbox import certificates, credentials
from vms.sandbox.core import resetting, seed
from vms.sandbox.core.authentication import password_digest, secret_digest
from vms.sandbox.core.clock import Clock, WallClock
from vms.sandbox.core.core import Core
from vms.sandbox.core.model import Token, User
from vms.sandbox.core.state import State
from vms.sandbox.core.world import Options
from vms.sandbox.credentials import SandboxCredentials
from vms.sandbox.store import Store


def open_sandbox(data_dir: Path | str, options: Options, *, seed_name: str = seed.DEFAULT_SEED) -> tuple[Core, Store]:
    """The core and the open state file; the caller closes the file."""
    secrets = credentials.ensure(data_dir)
    folder = credentials.folder_of(data_dir)
    store = Store(folder / "state.sqlite3")
    core = build(store.load(), WallClock(), options, secrets, seed_name=seed_name)
    core.state.set("fingerprint", certificates.fingerprint(folder))
    core.state.set("authority", (folder / "ca.pem").read_text(encoding="ascii"))
    store.write(core.state.drain())
    return core, store


class NotEmpty(Exception):
    """The sandbox of this directory has a state already."""


def keep_import(data_dir: Path | str, state: State, *, is_replacing: bool = False) -> None:
    """Make an imported state the beginning of a sandbox. Raises StoreInUse while it runs, NotEmpty when it has a state."""
    credentials.ensure(data_dir)
    with Store(credentials.folder_of(data_dir) / "state.sqlite3") as store:
        old = store.load()
        if len(old.nodes) and not is_replacing:
            raise NotEmpty(f"The sandbox of {data_dir} has a state already; say that it shall be replaced.")
        old.clear()
        store.write([*old.drain(), *state.drain()])


def reset_at_rest(data_dir: Path | str) -> None:
    """Begin anew in the state file of a sandbox that does not run. Raises StoreInUse when it does."""
    core, store = open_sandbox(data_dir, Options())
    with store:
        resetting.reset(core.world)
        core.suspend()
        store.write(core.state.drain())


def build(
    state: State, clock: Clock, options: Options, secrets: SandboxCredentials, *, seed_name: str = seed.DEFAULT_SEED
) -> Core:
    """A core over a state, seeded when it is empty; root's password and token are those of the credentials."""
    core = Core(state, clock, options)
    admit(state, secrets)
    if not len(state.nodes):
        resetting.plant(core.world, seed_name)
    elif state.setting("reset_at") is None:
        state.set("reset_at", clock.now())
    return core


def admit(state: State, secrets: SandboxCredentials) -> None:
    state.set("ticket_key", secrets.ticket_key)
    salt = bytes.fromhex(secrets.ticket_key)[:16]
    root = User(secrets.user, password_digest(secrets.password, salt), details={"email": "root@sandbox.example"})
    state.users.put(root)
    name = secrets.token_id.partition("!")[2]
    token = state.tokens.put(Token(secrets.user, name, secret_digest(secrets.token_secret), privsep=0))
    state.set("own_user", root.userid)
    state.set("own_token", token.full_id)
