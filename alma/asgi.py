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
from alma.server.lifespan import lifespan  # noqa: E402
from alma.server.sockets import SocketRouter  # noqa: E402
from iprs.consumers import DeploymentsConsumer  # noqa: E402

SOCKETS = {
    "/ws/deployments": DeploymentsConsumer.as_asgi(),
    "/ws/pages": PagesConsumer.as_asgi(),
}

application = ProtocolTypeRouter(
    {
        "http": RequestMetrics(BodyGuard(django_application())),
        "websocket": SocketRouter(SOCKETS),
        "lifespan": lifespan,
    }
)
