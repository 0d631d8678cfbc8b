"""Routes of instances, with and without a trailing slash."""

from django.urls import path, re_path

from instances.api import about, keys, library, log, machines, newer, older, pasting, system, waiting
from instances.views import models, routes

app_name = "instances"
_NEW = r"^api/v1/instances/(?P<name>[^/]+)"
_OLD = r"^api/instances/(?P<name>[^/]+)"

urlpatterns = [
    *routes.PAGES,
    path("models/", models.model_list, name="models"),
    path("models/download/", models.model_download, name="model-download"),
    path("models/downloads/<slug:job_id>/cancel/", models.model_cancel, name="model-cancel"),
    path("models/delete/", models.model_delete, name="model-delete"),
    re_path(r"^api/v1/version/?$", about.Version.as_view(), name="version"),
    re_path(r"^api/v1/server/help/?$", about.Help.as_view(), name="server-help"),
    re_path(r"^api/v1/server/version/?$", about.ServerVersion.as_view(), name="server-version"),
    re_path(r"^api/v1/server/devices/?$", about.Devices.as_view(), name="server-devices"),
    re_path(r"^api/v1/nodes/?$", machines.Nodes.as_view(), name="nodes"),
    re_path(r"^api/v1/nodes/(?P<name>[^/]+)/?$", machines.NodeView.as_view(), name="node"),
    re_path(r"^api/v1/requests/?$", log.Requests.as_view(), name="requests"),
    re_path(r"^api/v1/queue/?$", waiting.Queue.as_view(), name="queue"),
    re_path(r"^api/v1/limits/?$", waiting.LimitsView.as_view(), name="limits"),
    re_path(r"^api/v1/instances/?$", newer.InstanceList.as_view(), name="newer-list"),
    re_path(_NEW + r"/start/?$", newer.Start.as_view(), name="newer-start"),
    re_path(_NEW + r"/stop/?$", newer.Stop.as_view(), name="newer-stop"),
    re_path(_NEW + r"/restart/?$", newer.Restart.as_view(), name="newer-restart"),
    re_path(_NEW + r"/logs/?$", newer.Logs.as_view(), name="newer-logs"),
    re_path(_NEW + r"/?$", newer.InstanceView.as_view(), name="newer"),
    re_path(r"^api/v1/backends/llama-cpp/help/?$", about.BackendHelp.as_view(), name="backend-help"),
    re_path(r"^api/v1/backends/llama-cpp/version/?$", about.BackendServerVersion.as_view(), name="backend-version"),
    re_path(r"^api/v1/backends/llama-cpp/devices/?$", about.BackendDevices.as_view(), name="backend-devices"),
    re_path(r"^api/v1/backends/llama-cpp/parse-command/?$", pasting.ParseLlama.as_view(), name="parse-llama"),
    re_path(r"^api/v1/backends/mlx/parse-command/?$", pasting.ParseMlx.as_view(), name="parse-mlx"),
    re_path(r"^api/v1/backends/vllm/parse-command/?$", pasting.ParseVllm.as_view(), name="parse-vllm"),
    re_path(r"^api/v1/models/?$", library.Models.as_view(), name="api-models"),
    re_path(r"^api/v1/models/fit/?$", library.Fitting.as_view(), name="api-model-fit"),
    re_path(r"^api/v1/models/download/?$", library.Downloads.as_view(), name="api-model-download"),
    re_path(r"^api/v1/models/jobs/?$", library.Jobs.as_view(), name="api-model-jobs"),
    re_path(r"^api/v1/models/jobs/(?P<job_id>[^/]+)/?$", library.OneJob.as_view(), name="api-model-job"),
    re_path(r"^api/v1/auth/keys/?$", keys.Keys.as_view(), name="api-keys"),
    re_path(r"^api/v1/auth/keys/(?P<key_id>tok_[0-9a-f]{16})/?$", keys.OneKey.as_view(), name="api-key"),
    re_path(
        r"^api/v1/auth/keys/(?P<key_id>tok_[0-9a-f]{16})/permissions/?$",
        keys.KeyPermissions.as_view(),
        name="api-key-rights",
    ),
    re_path(r"^api/v1/config/?$", system.NewConfig.as_view(), name="newer-config"),
    re_path(r"^api/system/status/?$", system.Status.as_view(), name="system-status"),
    re_path(r"^api/system/info/?$", system.Info.as_view(), name="system-info"),
    re_path(r"^api/config/?$", system.OldConfig.as_view(), name="older-config"),
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
