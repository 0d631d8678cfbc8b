"""What answers http, websockets and the server's own life in the web role. Read once the apps are ready."""

from channels.routing import ProtocolTypeRouter

from alma.events.consumers import PagesConsumer
from alma.monitoring.requests import RequestMetrics
from alma.server.guard import BodyGuard
from alma.server.handler import django_application
from alma.server.lifespan import Lifespan
from alma.server.sockets import SocketRouter
from blueprints.code.warming import Grammars
from blueprints.mcp.mount import ProtocolMount
from instances.consumers import InstancesConsumer
from instances.router.application import DataPlane
from instances.router.origins import Origins
from iprs.consumers import DeploymentsConsumer
from vms.consumers import ConsoleConsumer

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
