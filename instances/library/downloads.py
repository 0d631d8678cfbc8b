"""Asking for a model from elsewhere, and taking one away."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from alma.accounts.actors import Actor
from alma.accounts.models import Organization
from alma.errors import Invalid, NotFound, Refused, Unavailable, WrongState
from alma.events.services import emit
from alma.jobs import services as jobs
from alma.jobs.services import StepSpec, create_job
from instances import folder, nodes
from instances.library import owning, places
from instances.library.scanning import Found
from instances.models import TOKEN, Download, Instance
from instances.remote import disk, library
from instances.remote.asking import is_known

WRITE = "instance:write"
KIND = "model_download"
LONGEST_TOKEN = 500


@dataclass(frozen=True)
class Wish:
    """A model of an endpoint. `repo` may carry a tag behind a colon; `file` names one file; the token is good for this
    download alone and is forgotten when it ends."""

    repo: str
    tag: str = ""
    file: str = ""
    revision: str = "main"
    format: str = Download.Format.GGUF
    token: str = ""
    node: str = ""
    """The machine that it shall lie on; empty for this one."""


def begin(wish: Wish, *, by: Actor) -> Download:
    """A download, as a job. Raises Invalid, Refused, WrongState when it is under way already, or too many are."""
    by.require(WRITE)
    _check(wish)
    nodes.refuse_unknown(wish.node)
    if not is_known(wish.node):
        raise Unavailable(f"The machine {wish.node} does not answer now.", code="NODE_AWAY")
    if by.organization_id is None:
        raise Refused("You belong to no organization.", code="NO_ORGANIZATION")
    with transaction.atomic():
        Organization.objects.select_for_update().get(pk=by.organization_id)
        under_way = Download.objects.visible_to(by).open().count()
        if under_way >= settings.ALMA_DOWNLOADS:
            raise WrongState(f"{under_way} downloads are under way; let one end first.", code="TOO_MANY_DOWNLOADS")
        row = Download.objects.create(
            organization_id=by.organization_id, node=wish.node or settings.ALMA_NODE, repo=wish.repo, tag=wish.tag, file=wish.file, revision=wish.revision,
            format=wish.format, token_sealed=TOKEN.seal(wish.token), created_by=by.label,
        )  # fmt: skip
        row.job = create_job(
            KIND, _steps(row), organization_id=row.organization_id, title=f"Download {row}", params={"download": row.pk},
            exclusive_key=f"download:{wish.repo}"[:120], by=by.label,
        )  # fmt: skip
        row.save(update_fields=["job"])
    return row


def find(public_id: str, *, by: Actor) -> Download:
    """The download of a job. Raises NotFound."""
    rows = Download.objects.visible_to(by).select_related("job").filter(job__public_id=public_id[:40])
    row = rows.first() if "\0" not in public_id else None
    if row is None:
        raise NotFound("There is no download of this id.", code="DOWNLOAD_NOT_FOUND")
    return row


def cancel(row: Download, *, by: Actor) -> None:
    """Stop one that is under way; what has come of it goes. Raises WrongState when it has ended."""
    by.require(WRITE)
    if row.job is None or not row.job.is_open:
        raise WrongState("This download has ended.", code="DOWNLOAD_ENDED")
    if row.job.cancel_requested_at is None:
        jobs.cancel(row.job, by=by.label)


def delete(path: str, *, by: Actor, node: str = "") -> None:
    """Take a model's files away from a machine, this one without a name, or give up a share in files that others had fetched
    as well. Raises NotFound, Refused, Unavailable, WrongState while an instance names it."""
    by.require(WRITE)
    model = next((one for one in owning.visible(library.models(node), by=by) if one.path == path), None)
    if model is None:
        raise NotFound("There is no model of this name.", code="MODEL_NOT_FOUND")
    _refuse_used(model, by=by)
    others = _refuse_operators(model, by=by)
    with transaction.atomic():
        _give_up(model, node or settings.ALMA_NODE, by=by)
        emit(
            f"models:{by.organization_id}",
            "model.deleted",
            organization_id=by.organization_id or 0,
            actor=by.label,
            path=path,
        )
    if not others:
        disk.remove(node, [part.path for part in model.parts])


def _refuse_used(model: Found, *, by: Actor) -> None:
    """Whoever names it is served by it, or will be."""
    using = [
        row for row in Instance.objects.exclude(wanted=Instance.Wish.REMOVED) if folder.names(row.model, model.path)
    ]
    own = [row.name for row in using if row.organization_id == by.organization_id]
    if own:
        verb, which = ("serves", "that") if len(own) == 1 else ("serve", "those")
        raise WrongState(f"{', '.join(own[:5])} {verb} {model.path}; delete {which} first.", code="MODEL_IN_USE")
    if using:
        raise WrongState(f"{model.path} is in use by others.", code="MODEL_IN_USE")


def _refuse_operators(model: Found, *, by: Actor) -> bool:
    """Whether others share the files. Raises Refused for what the operator put there, where several organizations are."""
    whose = owning.owners()
    shares = [whose.get(part.path, set()) for part in model.parts]
    is_operators = not all(shares)
    is_staff = bool(by.user and by.user.is_staff)
    if is_operators and not is_staff and Organization.objects.count() > 1:
        raise Refused("The operator put this model here; the staff of the installation deletes it.", code="STAFF_ONLY")
    return not is_operators and any(share - {by.organization_id} for share in shares)


def _give_up(model: Found, node: str, *, by: Actor) -> None:
    paths = {part.path for part in model.parts}
    for row in Download.objects.visible_to(by).filter(node=node).exclude(files=[]):
        kept = [file for file in row.files if file["path"] not in paths]
        if len(kept) != len(row.files):
            Download.objects.filter(pk=row.pk).update(files=kept)


def _check(wish: Wish) -> None:
    places.checked_repo(wish.repo)
    for name, value, most in (("tag", wish.tag, 60), ("revision", wish.revision, 100), ("file", wish.file, 300)):
        if len(value) > most or not value.isprintable() or ".." in value or value.startswith("/"):
            raise Invalid(f"{name} cannot be one of a repository.", code="INVALID_REPO")
    if wish.file:
        places.checked_name(wish.file)
    if wish.format not in Download.Format.values:
        raise Invalid(f"format must be one of {', '.join(Download.Format.values)}.")
    if len(wish.token) > LONGEST_TOKEN or not (wish.token.isascii() and wish.token.isprintable()):
        raise Invalid("token is no token of an endpoint.")


def _steps(row: Download) -> Sequence[StepSpec]:
    return [
        StepSpec("model.list", row.repo, f"Ask which files {row} has", 0, 1),
        StepSpec("model.fetch", row.repo, f"Fetch {row}", 1, 9),
    ]
