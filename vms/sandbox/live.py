"""A running sandbox of a data directory, spoken to from another process of this machine."""

import json
from pathlib import Path

import requests

from vms.sandbox import credentials

_PATIENCE = 30


class NotReached(Exception):
    """The sandbox that holds the data directory gave no answer."""


def note_address(data_dir: Path | str, host: str, port: int) -> None:
    """Write down where the sandbox of this directory listens."""
    partial = credentials.folder_of(data_dir) / "address.part"
    partial.write_text(json.dumps({"host": host, "port": port}))
    partial.replace(partial.with_name("address.json"))


def reset(data_dir: Path | str) -> None:
    """Have it begin anew. Raises NotReached."""
    known = credentials.ensure(data_dir)
    try:
        address = json.loads((credentials.folder_of(data_dir) / "address.json").read_text())
        host = "localhost" if address["host"] in {"0.0.0.0", "::"} else address["host"]
        answer = requests.post(
            f"https://{host}:{address['port']}/api2/json/sandbox/reset",
            headers={"Authorization": known.authorization}, verify=known.ca_path, timeout=_PATIENCE,
        )  # fmt: skip
        answer.raise_for_status()
    except (OSError, ValueError, KeyError) as error:
        raise NotReached(f"The sandbox of {data_dir} runs but could not be reset: {error}") from error
