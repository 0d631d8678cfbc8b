"""Who asks a model from within: the bounds of a key hold there as well."""

import pytest
from asgiref.sync import sync_to_async

from alma.accounts.actors import Actor
from alma.errors import NotAuthenticated
from instances.router.callers import Callers, Limits
from instances.router.threads import Threads
from tests.factories.accounts import make_key

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_draft_that_an_instance_makes_counts_against_its_key() -> None:
    key, _ = await sync_to_async(make_key)(frozenset({"blueprint:write"}))
    key.tokens_per_day, key.requests_per_minute, key.instances = 100, 2, ["another"]
    await key.asave()
    threads = Threads()
    callers = Callers(threads)
    actor = Actor(key.organization_id, "key", key_id=key.pk)
    found = await callers.inside(actor)
    assert (found.actor, found.limits) == (actor, Limits(requests_per_minute=2, tokens_per_day=100))
    assert found.may_use("the model of the installation")
    person = Actor(key.organization_id, "ana")
    assert (await callers.inside(person)).limits == Limits()
    await key.adelete()
    with pytest.raises(NotAuthenticated):
        await callers.inside(actor)
    await threads.close()
