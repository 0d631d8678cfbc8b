"""The model that somebody names for an instance: it must be there when it is named, and it must be theirs to use."""

import difflib
from pathlib import Path

from alma.accounts.actors import Actor
from alma.errors import Invalid
from instances.backends.kinds import Backend
from instances.library.owning import visible
from instances.library.scanning import Found
from instances.remote import library

_NEAREST = 3


def chosen(path: str, backend: Backend, *, by: Actor, node: str = "") -> Found:
    """The model at a path of a machine, this one without a name; it may have a problem. Raises Invalid, with the names that
    come nearest, when there is none, and Unavailable."""
    models = visible(library.models(node), by=by)
    try:
        name = library.located(node, path, is_file=backend.takes_files)
    except Invalid as error:
        if error.code == "MODEL_MISSING":
            raise _missing(path, models) from error
        raise
    model = next((one for one in models if name in {one.path, *(part.path for part in one.parts)}), None)
    if model is None:
        raise _missing(path, models)
    if model.path != name:
        raise Invalid(f"{name} is part of a model; its name is {model.path}.", code="MODEL_MISSING")
    return model


def _missing(path: str, models: list[Found]) -> Invalid:
    names = [model.path for model in models if not model.problem]
    stems = {Path(name).name.lower(): name for name in names}
    near = difflib.get_close_matches(Path(path).name.lower(), stems, n=_NEAREST, cutoff=0.5)
    known = [stems[name] for name in near] or names[:_NEAREST]
    words = f"; there is {', '.join(known)}." if known else ", which is empty."
    return Invalid(f"There is no model {path} in the folder of models{words}", code="MODEL_MISSING")
