"""Routes of mission control, the read models and projects, with and without the trailing slash."""

from django.urls import path, re_path

from alma.overview.api.projects import ProjectBlueprintDetail, ProjectBlueprints, ProjectDetail, ProjectList
from alma.overview.api.snapshots import DashboardOverview, MissionControl
from alma.overview.pages import mission_control

app_name = "overview"
_PROJECT = r"^api/v1/projects/(?P<project_id>[\w-]{1,60})"
urlpatterns = [
    path("mission-control/", mission_control, name="mission-control"),
    re_path(r"^api/v1/dashboard/overview/?$", DashboardOverview.as_view(), name="api-overview"),
    re_path(r"^api/v1/mission-control/?$", MissionControl.as_view(), name="api-mission-control"),
    re_path(r"^api/v1/projects/?$", ProjectList.as_view(), name="api-projects"),
    re_path(_PROJECT + r"/?$", ProjectDetail.as_view(), name="api-project"),
    re_path(_PROJECT + r"/blueprints/?$", ProjectBlueprints.as_view(), name="api-project-blueprints"),
    re_path(
        _PROJECT + r"/blueprints/(?P<blueprint_id>[0-9]{1,18})/?$",
        ProjectBlueprintDetail.as_view(),
        name="api-project-blueprint",
    ),
]
