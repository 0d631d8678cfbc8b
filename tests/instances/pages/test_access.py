"""How clients are told to reach an instance."""

import pytest
from django.test import Client

from alma.accounts.models import ApiKey, Organization
from tests.factories.accounts import make_organization
from tests.factories.instances import make_instance

pytestmark = pytest.mark.django_db


def test_access_names_the_address_the_words_and_the_keys(site: Client, organization: Organization, settings) -> None:
    settings.ALLOWED_HOSTS = ["alma.example"]
    make_instance("qwen2.5", organization=organization, aliases=["gpt-4o-mini"])
    use = frozenset({"inference:use"})
    ApiKey.mint(organization, "for all", use)
    ApiKey.mint(organization, "named", use, instances=["qwen2.5"])
    ApiKey.mint(organization, "elsewhere", use, instances=["other"])
    ApiKey.mint(organization, "reads", frozenset({"instance:read"}))
    ApiKey.mint(make_organization("theirs"), "canary", use)
    page = site.get("/instances/qwen2.5/?view=access", headers={"Host": "alma.example:8443"}, secure=True)
    access = page.context["access"]
    assert [key.name for key in access.keys] == ["for all", "named"]
    assert access.base == "https://alma.example:8443/v1"
    assert access.curl.startswith("curl https://alma.example:8443/v1/chat/completions ")
    assert '"model": "qwen2.5"' in access.curl
    compile(access.python, "access.py", "exec")
    assert 'base_url="https://alma.example:8443/v1"' in access.python and 'model="qwen2.5"' in access.python
    words = page.content.decode()
    assert "gpt-4o-mini" in words and "canary" not in words
