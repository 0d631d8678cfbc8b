"""Routes of instances, with and without a trailing slash."""

from django.urls import re_path

from instances.api import about, newer, older

app_name = "instances"
_NEW = r"^api/v1/instances/(?P<name>[^/]+)"
_OLD = r"^api/instances/(?P<name>[^/]+)"

urlpatterns = [
    re_path(r"^api/v1/version/?$", about.Version.as_view(), name="version"),
    re_path(r"^api/v1/server/help/?$", about.Help.as_view(), name="server-help"),
    re_path(r"^api/v1/server/version/?$", about.ServerVersion.as_view(), name="server-version"),
    re_path(r"^api/v1/server/devices/?$", about.Devices.as_view(), name="server-devices"),
    re_path(r"^api/v1/instances/?$", newer.InstanceList.as_view(), name="newer-list"),
    re_path(_NEW + r"/start/?$", newer.Start.as_view(), name="newer-start"),
    re_path(_NEW + r"/stop/?$", newer.Stop.as_view(), name="newer-stop"),
    re_path(_NEW + r"/restart/?$", newer.Restart.as_view(), name="newer-restart"),
    re_path(_NEW + r"/logs/?$", newer.Logs.as_view(), name="newer-logs"),
    re_path(_NEW + r"/?$", newer.InstanceView.as_view(), name="newer"),
    re_path(r"^api/instances/?$", older.OldInstances.as_view(), name="older-list"),
    re_path(r"^api/instances/start-all/?$", older.StartAll.as_view(), name="start-all"),
    re_path(r"^api/instances/stop-all/?$", older.StopAll.as_view(), name="stop-all"),
    re_path(_OLD + r"/start/?$", older.OldStart.as_view(), name="older-start"),
    re_path(_OLD + r"/stop/?$", older.OldStop.as_view(), name="older-stop"),
    re_path(_OLD + r"/restart/?$", older.OldRestart.as_view(), name="older-restart"),
    re_path(_OLD + r"/health/?$", older.Health.as_view(), name="older-health"),
    re_path(_OLD + r"/logs/?$", older.OldLogsView.as_view(), name="older-logs"),
    re_path(_OLD + r"/?$", older.OldInstance.as_view(), name="older"),
]
