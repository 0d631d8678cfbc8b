"""IPRs with plans of a given content, without a cluster."""

from typing import Any

from alma.accounts.actors import Actor
from alma.accounts.models import Environment, Organization
from alma.jobs.services import StepSpec
from blueprints.models import Blueprint
from iprs import services
from iprs.models import IPR
from iprs.planner import Draft, Item
from iprs.planning import store
from tests.factories.accounts import make_actor, make_environment, make_organization
from tests.factories.blueprints import make_blueprint

CREATE = Item(
    "create", "web-1", "vm", "pve1", facts={"guest/web-1": "absent"},
    steps=(StepSpec("guest.create", "web-1", "Create web-1", 10, 3, {"name": "web-1"}),),
)  # fmt: skip
DELETE = Item("delete", "db-1", "vm", "pve1", 5001, facts={"guest/db-1": "5001 ours running abc"})


def environment_of(organization: Organization, **rule: Any) -> Environment:
    """The organization's environment of that slug with this rule."""
    slug = rule.pop("slug", "staging")
    row = Environment.objects.filter(organization=organization, slug=slug).first()
    if row is None:
        return make_environment(slug, organization=organization, **rule)
    Environment.objects.filter(pk=row.pk).update(**rule)
    row.refresh_from_db()
    return row


def make_ipr(
    *, by: Actor | None = None, blueprint: Blueprint | None = None, required_approvals: int = 1, **rule: Any
) -> IPR:
    """An open IPR whose plan is still being computed."""
    organization = rule.pop("organization", None) or make_organization()
    author = by or make_actor(organization=organization)
    place = environment_of(organization, required_approvals=required_approvals, **rule)
    return services.open_ipr(blueprint or make_blueprint(by=author), by=author, title="Add a cache", environment=place)


def planned(ipr: IPR, *items: Item, problems: tuple[str, ...] = (), remarks: tuple[str, ...] = ()) -> IPR:
    """The same IPR with its plan computed."""
    plan = ipr.current_plan
    assert plan is not None
    store(plan, Draft(items or (CREATE,), problems, remarks))
    return IPR.objects.for_page().get(pk=ipr.pk)


def reload(ipr: IPR) -> IPR:
    """The row as it is now."""
    return IPR.objects.for_page().get(pk=ipr.pk)
