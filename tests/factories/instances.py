"""Instances for tests, as rows: nothing is started."""

from itertools import count
from typing import Any

from alma.accounts.models import Organization
from alma.jobs.models import Job
from alma.jobs.services import create_job
from instances.models import Download, Instance
from tests.factories.accounts import make_organization

_numbers = count(1)


def make_instance(name: str = "", *, organization: Organization | None = None, **overrides: Any) -> Instance:
    """An instance that is stopped and shall be, unless told otherwise."""
    number = next(_numbers)
    values = {"model": "tiny.gguf", "node": "main", "port": 21_000 + number % 11_000, **overrides}
    return Instance.objects.create(
        organization=organization or make_organization(), name=name or f"model-{number}", **values
    )


def make_download(*, organization: Organization | None = None, **overrides: Any) -> str:
    """A download whose job waits for a worker; the id of the job."""
    organization = organization or make_organization()
    row = Download.objects.create(organization=organization, **{"repo": "org/model", "revision": "main", **overrides})
    job = create_job("model_download", [], organization_id=organization.pk, title=f"Download {row}")
    Download.objects.filter(pk=row.pk).update(job=Job.objects.get(pk=job.pk))
    return job.public_id
