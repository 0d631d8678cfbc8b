"""Routes of blueprints: pages at the root, the API with and without a trailing slash."""

from django.urls import path, re_path

from blueprints.api.agents import AgentDetail, AgentList
from blueprints.api.blueprints import BlueprintCollection, BlueprintItem, RevisionCollection, RevisionItem
from blueprints.api.generation import Generation, GenerationStream
from blueprints.api.sessions import SessionArchive, SessionDetail, SessionList, SessionMessages
from blueprints.views import detail, editing, listing

app_name = "blueprints"
_API = r"^api/v1/blueprints"
_ONE = rf"{_API}/(?P<blueprint_id>[^/]+)"
_AGENT = r"^api/v1/agents/(?P<agent_id>[\w-]{1,60})"
_SESSION = r"^api/v1/sessions/(?P<session_id>[\w-]{1,60})"
urlpatterns = [
    path("blueprints/", listing.blueprint_list, name="list"),
    path("blueprints/new/", editing.blueprint_new, name="new"),
    path("blueprints/check/", editing.blueprint_check, name="check"),
    path("blueprints/<int:pk>/", detail.blueprint_detail, name="detail"),
    path("blueprints/<int:pk>/yaml/", detail.blueprint_yaml, name="yaml"),
    path("blueprints/<int:pk>/revisions/", detail.blueprint_revisions, name="revisions"),
    path("blueprints/<int:pk>/edit/", editing.blueprint_edit, name="edit"),
    path("blueprints/<int:pk>/delete/", detail.blueprint_delete, name="delete"),
    re_path(rf"{_API}/?$", BlueprintCollection.as_view(), name="api-list"),
    re_path(rf"{_API}/generate-blueprint/?$", Generation.as_view(), name="api-generate"),
    re_path(rf"{_API}/generate-blueprint-stream/?$", GenerationStream.as_view(), name="api-generate-stream"),
    re_path(rf"{_ONE}/?$", BlueprintItem.as_view(), name="api-detail"),
    re_path(rf"{_ONE}/revisions/?$", RevisionCollection.as_view(), name="api-revisions"),
    re_path(rf"{_ONE}/revisions/(?P<number>[^/]+)/?$", RevisionItem.as_view(), name="api-revision"),
    re_path(r"^api/v1/agents/?$", AgentList.as_view(), name="api-agents"),
    re_path(_AGENT + r"/?$", AgentDetail.as_view(), name="api-agent"),
    re_path(r"^api/v1/sessions/?$", SessionList.as_view(), name="api-sessions"),
    re_path(_SESSION + r"/?$", SessionDetail.as_view(), name="api-session"),
    re_path(_SESSION + r"/archive/?$", SessionArchive.as_view(), name="api-session-archive"),
    re_path(_SESSION + r"/messages/?$", SessionMessages.as_view(), name="api-session-messages"),
]
