"""manage.py tiny_model: a model to try things with, made on the spot."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from instances.tiny import model


class Command(BaseCommand):
    """Writes the file."""

    help = "Write a tiny model with random weights (half a megabyte) into the folder of models."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to, and which one."""
        parser.add_argument("path", nargs="?", default=str(settings.ALMA_MODELS_DIR / "tiny.gguf"))
        parser.add_argument("--seed", type=int, default=0, help="another number is another model")

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(options["path"])
        path.parent.mkdir(parents=True, exist_ok=True)
        model.write(path, seed=options["seed"], name=path.stem)
        self.stdout.write(f"{path}: {path.stat().st_size} bytes")
