"""The ASGI application of the web role, and of runserver: what answers http, websockets and the server's own life."""

import os

import django
from channels.routing import ProtocolTypeRouter

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "alma.settings")
django.setup(set_prefix=False)

from alma.events.consumers import PagesConsumer  # noqa: E402 - needs the apps to be ready
from alma.monitoring.requests import RequestMetrics  # noqa: E402
from alma.server.guard import BodyGuard  # noqa: E402
from alma.server.handler import django_application  # noqa: E402
from alma.server.lifespan import Lifespan  # noqa: E402
from alma.server.sockets import SocketRouter  # noqa: E402
from blueprints.code.warming import Grammars  # noqa: E402
from blueprints.mcp.mount import ProtocolMount  # noqa: E402
from instances.consumers import InstancesConsumer  # noqa: E402
from instances.router.application import DataPlane  # noqa: E402
from instances.router.origins import Origins  # noqa: E402
from iprs.consumers import DeploymentsConsumer  # noqa: E402
from vms.consumers import ConsoleConsumer  # noqa: E402

SOCKETS = {
    "/api/ws": InstancesConsumer.as_asgi(),
    "/ws/console": ConsoleConsumer.as_asgi(),
    "/ws/deployments": DeploymentsConsumer.as_asgi(),
    "/ws/pages": PagesConsumer.as_asgi(),
}

data_plane = DataPlane(django_application())
application = ProtocolTypeRouter(
    {
        "http": RequestMetrics(Origins(BodyGuard(ProtocolMount(data_plane)))),
        "websocket": SocketRouter(SOCKETS),
        "lifespan": Lifespan(data_plane, Grammars()),
    }
)
