"""Which names lead to which instances: each has one of its own, and instances of the same model may share an alias."""

from alma.errors import WrongState
from instances.models import Instance


def refuse_taken(instance: Instance) -> None:
    """Nothing when all its names can be had. A name of an instance is nobody else's; an alias may be shared by replicas,
    which serve the same model with the same backend. Raises WrongState."""
    rows = Instance.objects.filter(organization_id=instance.organization_id).exclude(pk=instance.pk)
    mine = {instance.name, *instance.aliases}
    for row in rows.exclude(wanted=Instance.Wish.REMOVED).only("name", "aliases", "model", "backend"):
        if row.name == instance.name:
            raise WrongState(f"There is an instance {row.name} already.", code="INSTANCE_EXISTS")
        if taken := (mine & {row.name}) or ({instance.name} & set(row.aliases)):
            raise WrongState(f"The name {taken.pop()} leads to the instance {row.name}.", code="NAME_TAKEN")
        shared = set(instance.aliases) & set(row.aliases)
        if shared and (row.model, row.backend) != (instance.model, instance.backend):
            raise WrongState(
                f"The alias {shared.pop()} leads to {row.name}, which serves another model.", code="NAME_TAKEN"
            )
