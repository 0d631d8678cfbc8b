"""The first instance of somebody who has no model yet: the tiny one, made on the spot."""

from pathlib import Path

from django.conf import settings

from alma.accounts.actors import Actor
from instances import services
from instances.models import Instance
from instances.services import Draft
from instances.tiny import model

FILE = "tiny.gguf"
NAMES = ("tiny", *(f"tiny-{number}" for number in range(2, 100)))
OPTIONS = {"ctx_size": 8192, "parallel": 2, "threads": 1}


def make(*, by: Actor) -> Instance:
    """Write the tiny model into the folder of models unless it is there, and start an instance of it; one that serves it
    already is started. Raises what `services.create` and `start` raise."""
    by.require(services.WRITE)
    path = Path(settings.ALMA_MODELS_DIR) / FILE
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        model.write(path)
    rows = Instance.objects.visible_to(by)
    if there := rows.filter(model=FILE, node=settings.ALMA_NODE).first():
        return services.start(there, by=by)
    taken = set(rows.values_list("name", flat=True))
    name = next(name for name in NAMES if name not in taken)
    return services.create(Draft(name, FILE, options=OPTIONS), by=by, starts=True)
