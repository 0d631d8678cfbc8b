"""How clients reach an instance: where, with which keys, and in which words."""

from collections.abc import Sequence
from dataclasses import dataclass

from alma.accounts.actors import Actor
from alma.accounts.models import ApiKey
from instances.models import Instance

USE = "inference:use"
MOST = 200


@dataclass(frozen=True)
class Access:
    """Of one instance; `base` is where the API is, up to `/v1`."""

    instance: Instance
    actor: Actor
    base: str

    @property
    def keys(self) -> Sequence[ApiKey]:
        """Those that may use it now. Raises Refused for somebody who may not see keys."""
        self.actor.require("key:read")
        rows = ApiKey.objects.visible_to(self.actor).active().order_by("name", "pk")[:1000]
        return [key for key in rows if USE in key.scopes and self._reaches(key)][:MOST]

    def _reaches(self, key: ApiKey) -> bool:
        return not key.instances or self.instance.name in key.instances

    @property
    def may_see_keys(self) -> bool:
        """Whether the person may know of keys."""
        return self.actor.has("key:read")

    @property
    def curl(self) -> str:
        """A chat in a shell."""
        body = f'{{"model": "{self.instance.name}", "messages": [{{"role": "user", "content": "Hello!"}}]}}'
        return (
            f"curl {self.base}/chat/completions \\\n"
            '  -H "Authorization: Bearer $ALMA_KEY" \\\n'
            '  -H "Content-Type: application/json" \\\n'
            f"  -d '{body}'"
        )

    @property
    def python(self) -> str:
        """A chat that comes as it is written, with OpenAI's own package."""
        return (
            "import os\n\nfrom openai import OpenAI\n\n"
            f'client = OpenAI(\n    base_url="{self.base}",\n    api_key=os.environ["ALMA_KEY"],\n)\n'
            "stream = client.chat.completions.create(\n"
            f'    model="{self.instance.name}",\n'
            '    messages=[{"role": "user", "content": "Hello!"}],\n'
            "    stream=True,\n)\n"
            "for chunk in stream:\n"
            "    for choice in chunk.choices:\n"
            '        print(choice.delta.content or "", end="", flush=True)\n'
        )
