"""What the tables promise."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from alma.errors import WrongState
from blueprints.models import Blueprint, BlueprintRevision
from blueprints.schema import BlueprintDocument
from tests.factories.accounts import make_actor, make_organization
from tests.factories.blueprints import make_blueprint, make_document

pytestmark = pytest.mark.django_db


def test_visible_to_shows_the_own_organization_only() -> None:
    """Nothing of another organization, nothing to somebody without one."""
    ours = make_blueprint()
    stranger = make_actor(organization=make_organization("other"))
    assert list(Blueprint.objects.visible_to(make_actor())) == [ours]
    assert not Blueprint.objects.visible_to(stranger).exists()
    assert not Blueprint.objects.visible_to(make_actor(None)).exists()


def test_visible_to_hides_deleted() -> None:
    """A deleted blueprint and its revisions are gone for readers, and stay in the table."""
    blueprint = make_blueprint()
    Blueprint.objects.filter(pk=blueprint.pk).update(deleted_at=timezone.now())
    actor = make_actor()
    assert not Blueprint.objects.visible_to(actor).exists()
    assert not BlueprintRevision.objects.visible_to(actor).exists()
    assert Blueprint.objects.filter(pk=blueprint.pk).exists()


def test_revision_numbers_are_unique() -> None:
    """Two revisions of one blueprint cannot share a number, whoever writes them."""
    revision = make_blueprint().current_revision()
    with pytest.raises(IntegrityError), transaction.atomic():
        BlueprintRevision.objects.create(
            blueprint=revision.blueprint, number=revision.number, document={}, digest="", created_by="x"
        )


def test_revision_never_changes() -> None:
    """Saving a stored revision is refused."""
    revision = make_blueprint().current_revision()
    revision.document = {"name": "something else"}
    with pytest.raises(WrongState):
        revision.save()
    assert BlueprintRevision.objects.get(pk=revision.pk).document == make_document()


def test_parsed_reads_the_document() -> None:
    """Sizes come back as bytes, the digest is the stored one."""
    revision = make_blueprint().current_revision()
    document = revision.parsed()
    assert isinstance(document, BlueprintDocument)
    assert document.digest() == revision.digest
    assert document.resources[0].specs.memory == 8 * 1024**3
