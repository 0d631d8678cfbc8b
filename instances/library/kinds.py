"""The job of a download: asking for the files, then fetching them, a few seconds in each turn, so that other work is not
kept waiting and a worker that dies costs a few seconds."""

import logging
import time
from collections.abc import Sequence
from functools import partial

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from alma.errors import DomainError, Unavailable
from alma.jobs.context import StepContext
from alma.jobs.kinds import JobKind, Place, StepFailed, StepKind, Unknown, Wait
from alma.jobs.models import Job, Step
from instances.library import hub, owning, picking, places
from instances.library.hub import Denied, Entry, Silent
from instances.models import TOKEN, Download
from instances.remote import disk
from instances.remote.asking import is_here

logger = logging.getLogger(__name__)

TURN_SECONDS = 5.0
TOLD_SECONDS = 1.0


def _row(context: StepContext) -> Download:
    """Raises StepFailed when it is gone."""
    row = Download.objects.filter(job=context.job).first()
    if row is None:
        raise StepFailed("DOWNLOAD_GONE", "This download was forgotten.")
    return row


def _token(row: Download) -> str:
    return TOKEN.unseal(row.token_sealed) or str(settings.ALMA_HF_TOKEN)


class _Stoppable(StepKind):
    """Ends between two turns once somebody has asked for that: a download would go on for hours."""

    def run(self, context: StepContext) -> None:
        """One turn. Raises Wait, Unknown, StepFailed."""
        if context.job.cancel_requested_at:
            with context.fenced():
                context.step.move(Step.State.CANCELLED)
            return
        self.turn(context, _row(context))

    def turn(self, context: StepContext, row: Download) -> None:
        """The same, while nobody wants it to end."""
        raise NotImplementedError


class ListFiles(_Stoppable):
    """Asks the endpoint for the commit and its files, and refuses what is too large or cannot be here."""

    patience = 300.0

    def turn(self, context: StepContext, row: Download) -> None:
        """One turn. Raises Unknown, StepFailed."""
        try:
            commit = hub.commit_of(row.repo, row.revision, _token(row))
            context.renew()
            entries = picking.picked(hub.files_of(row.repo, commit, _token(row)), row)
            total = sum(entry.size for entry in entries)
            self._check_size(total, row.node)
            files = self._files(row, entries)
        except Silent as error:
            raise Unknown(str(error)) from error
        except Unavailable as error:
            raise Unknown(error.message) from error
        except Denied as error:
            raise StepFailed(error.code, error.message) from error
        except DomainError as error:
            raise StepFailed(error.code, error.message) from error
        with context.fenced():
            Download.objects.filter(pk=row.pk).update(commit=commit, files=files, total_bytes=total)
            context.succeed(commit=commit, files=len(files), bytes=total)

    @staticmethod
    def _check_size(total: int, node: str) -> None:
        """Raises Denied, Invalid, Unavailable."""
        if total > settings.ALMA_DOWNLOAD_LARGEST:
            raise Denied(
                "TOO_LARGE", f"This is {total:,} bytes; a download has at most {settings.ALMA_DOWNLOAD_LARGEST:,}."
            )
        disk.refuse_without_room(node, total)

    @staticmethod
    def _files(row: Download, entries: Sequence[Entry]) -> list[dict[str, object]]:
        """How they are kept. What lies there already is shared with whoever had it fetched, or stays the operator's."""
        paths = [places.path_of(row.repo, entry.name) for entry in entries]
        theirs = disk.present(row.node, paths) - owning.owners().keys()
        return [
            {
                "path": path, "name": entry.name, "size": entry.size, "sha256": entry.sha256, "blob": entry.blob,
                "is_ours": path not in theirs,
            }
            for path, entry in zip(paths, entries, strict=True)
        ]  # fmt: skip


class FetchFiles(_Stoppable):
    """Fetches file after file. What has come stays over deaths and silences and is gone on with."""

    patience = 1800.0

    def turn(self, context: StepContext, row: Download) -> None:
        """One turn. Raises Wait, Unknown, StepFailed."""
        until = time.monotonic() + TURN_SECONDS
        done: list[str] = context.journal.get("done", [])
        context.record(done=done)
        for file in row.files:
            if file["path"] in done:
                continue
            if not self._is_fetched(context, row, file, until - time.monotonic()):
                context.note(at=time.time())
                raise Wait
            done = [*done, file["path"]]
            context.record(done=done)
            context.log(f"{file['name']} is there, whole and as its checksum says.")
        with context.fenced():
            Download.objects.filter(pk=row.pk).update(
                fetched_bytes=row.total_bytes or 0, current_file="", token_sealed=""
            )
            context.succeed(path=row.path, files=len(row.files), bytes=row.total_bytes)

    def _is_fetched(self, context: StepContext, row: Download, file: dict[str, object], seconds: float) -> bool:
        entry = Entry(str(file["name"]), int(str(file["size"])), str(file["sha256"]), str(file["blob"]))
        before = sum(one["size"] for one in row.files if one["path"] in context.journal["done"])
        try:
            telling = _Telling(context, row, entry.name, before)
            return disk.fetch(row.node, disk.File(row.repo, row.commit, entry, _token(row)), seconds, telling)
        except Silent as error:
            raise Unknown(str(error)) from error
        except Unavailable as error:
            raise Unknown(error.message) from error
        except Denied as error:
            raise StepFailed(error.code, error.message) from error
        except DomainError as error:
            raise StepFailed(error.code, error.message) from error
        except OSError as error:
            raise StepFailed("DISK_FAILED", f"{entry.name} could not be written: {error.strerror}.") from error


class _Telling:
    """Writes down once a second how much has come, makes sure of the lease, and ends the turn when somebody wants no more."""

    def __init__(self, context: StepContext, row: Download, name: str, before: int) -> None:
        self._context, self._row, self._name, self._before = context, row, name, before
        self._told_at = 0.0

    def __call__(self, come: int) -> None:
        if time.monotonic() - self._told_at < TOLD_SECONDS:
            return
        self._told_at = time.monotonic()
        self._context.renew()
        fetched = self._before + come
        Download.objects.filter(pk=self._row.pk).update(fetched_bytes=fetched, current_file=self._name)
        if Job.objects.filter(pk=self._context.job.pk).exclude(cancel_requested_at=None).exists():
            raise Wait


class DownloadKind(JobKind):
    """Downloads of models."""

    prefix = "download"
    stopping = "What has come of the files that are not whole yet is removed; whole files stay."
    stopping_needs = ("job:write", "instance:write")

    def places(self, job: Job) -> Sequence[Place]:
        """The page of models."""
        return [Place("Models", reverse("instances:models"), "disk")]

    def completed(self, job: Job) -> dict[str, object]:
        """Which model is there now."""
        row = Download.objects.filter(job=job).first()
        return {"model": row.path if row else ""}

    def failed(self, job: Job) -> dict[str, object]:
        """The token is given anew with a new download; what has come stays for it."""
        _forget_token(job)
        return {}

    def cancelled(self, job: Job) -> dict[str, object]:
        """What has come of it goes."""
        row = _forget_token(job)
        if row:
            drop = partial(_drop, row.node, [file["path"] for file in row.files])
            drop() if is_here(row.node) else transaction.on_commit(drop)
        return {}


def _drop(node: str, paths: list[str]) -> None:
    try:
        disk.drop_parts(node, paths)
    except Unavailable:
        logger.warning("what has come of a download stays on a machine that is away", extra={"node": node})


def _forget_token(job: Job) -> Download | None:
    row = Download.objects.filter(job=job).first()
    if row is not None:
        Download.objects.filter(pk=row.pk).update(token_sealed="", current_file="")
    return row
