"""`manage.py sandbox`: the role that simulates a Proxmox VE cluster over TLS."""

import asyncio
import signal
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from alma.server.processes import end_with_supervisor, supervisor_identity
from vms.sandbox import live
from vms.sandbox.core.world import Options
from vms.sandbox.opening import open_sandbox, reset_at_rest
from vms.sandbox.server import SandboxServer, run
from vms.sandbox.store import StoreInUse


class Command(BaseCommand):
    help = "Serve the Proxmox VE sandbox over TLS until SIGTERM or SIGINT."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.ALMA_SANDBOX_HOST)
        parser.add_argument("--port", type=int, default=settings.ALMA_SANDBOX_PORT, help="0 lets the system choose")
        parser.add_argument("--data-dir", type=Path, default=settings.ALMA_DATA_DIR)
        parser.add_argument(
            "--time-scale", type=float, default=settings.ALMA_SANDBOX_TIME_SCALE,
            help="how many times faster than on a real node tasks run",
        )  # fmt: skip
        parser.add_argument("--stats-lag", type=float, default=0.0, help="seconds that cluster/resources lags behind")
        parser.add_argument("--unauthorized-delay", type=float, default=3.0, help="seconds that a 401 takes")
        parser.add_argument(
            "--resume-after-kill", action="store_true",
            help="let tasks go on that ran when the process was killed; without it they are lost as by the reset of a node",
        )  # fmt: skip
        parser.add_argument(
            "--daily-reset", action="store_true", default=settings.ALMA_SANDBOX_DAILY_RESET, dest="daily_reset",
            help="begin anew at 00:00 UTC",
        )  # fmt: skip
        parser.add_argument("--no-daily-reset", action="store_false", dest="daily_reset", help="keep what is made")
        parser.add_argument("--reset", action="store_true", help="begin anew now, whether it runs or not, and end")

    def handle(self, **options: Any) -> None:
        if options["reset"]:
            self._reset(options["data_dir"])
            return
        end_with_supervisor()
        settled = Options(
            time_scale=options["time_scale"], stats_lag=options["stats_lag"],
            unauthorized_delay=options["unauthorized_delay"], is_reset_realistic=not options["resume_after_kill"],
            host=supervisor_identity(), is_reset_daily=options["daily_reset"],
        )  # fmt: skip
        try:
            asyncio.run(self._serve(options["host"], options["port"], options["data_dir"], settled))
        except (StoreInUse, OSError) as error:
            raise CommandError(str(error)) from error

    async def _serve(self, host: str, port: int, data_dir: Path, options: Options) -> None:
        finished = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, finished.set)
        core, store = open_sandbox(data_dir, options)
        with store:
            server = SandboxServer(core, store, data_dir)
            await run(server, host, port, on_ready=lambda bound: self._announce(data_dir, host, bound), until=finished)

    def _announce(self, data_dir: Path, host: str, port: int) -> None:
        live.note_address(data_dir, host, port)
        self.stdout.write(f"sandbox listening on https://{host}:{port}")
        self.stdout.flush()

    def _reset(self, data_dir: Path) -> None:
        """Through its API when it runs, in its file when it does not."""
        try:
            reset_at_rest(data_dir)
        except StoreInUse:
            try:
                live.reset(data_dir)
            except live.NotReached as error:
                raise CommandError(str(error)) from error
        self.stdout.write("The sandbox begins anew.")
