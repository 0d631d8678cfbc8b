"""`make fuzz`: an ALMA of its own, and thousands of requests that follow its OpenAPI document or break it, all checks on.

python -m tests.fuzzing [any option of `schemathesis run`]
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.processes.alma import Alma

KEY = "key-of-the-environment"
"""Of no row: what is asked may revoke every other one."""
HERE = Path(__file__).parent
LEAST = 5_000
CASES = 45


def main(options: list[str]) -> int:
    """The exit status: 0 when at least 5,000 cases were asked and nothing was found."""
    folder = Path(tempfile.mkdtemp(prefix="alma-fuzz-"))
    alma = Alma(folder, settings={"ALMA_API_KEYS": KEY, "ALMA_SANDBOX_TIME_SCALE": "20", "ALMA_LOG_LEVEL": "ERROR"})
    try:
        alma.start()
        status = subprocess.run(command(alma.url, folder / "report.json", options), cwd=folder, check=False).returncode
        if status not in {0, 1}:  # it could not do its work
            return status
        asked = json.loads((folder / "report.json").read_text())["test_cases"]["generated"]
    finally:
        alma.end()
        shutil.rmtree(folder)
    sys.stdout.write(f"{asked:,} cases\n")
    return status or int(asked < LEAST and not options)


def command(url: str, report: Path, options: list[str]) -> list[str]:
    """Always the same cases, unless the options say otherwise."""
    headers = {
        "X-API-Key": KEY,
        "Authorization": f"Bearer {KEY}",
        "Accept": "application/json",
        "Prefer": "respond-async",
    }
    named = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    return [
        str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(HERE / "schemathesis.toml"),
        "run", f"{url}/api/v1/schema/", "--url", url, *named, "--checks", "all", "--seed", "1",
        "--max-examples", str(CASES), "--continue-on-failure", "--suppress-health-check", "all",
        "--report-json-path", str(report), *options,
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
