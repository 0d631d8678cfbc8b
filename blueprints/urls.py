"""Routes of blueprints: pages at the root, the API with and without a trailing slash."""

from django.urls import path, re_path

from blueprints.api.agents import AgentDetail, AgentList
from blueprints.api.blueprints import BlueprintCollection, BlueprintItem, RevisionCollection, RevisionItem
from blueprints.api.code import CodeGeneration
from blueprints.api.conversation import Chat, ChatStream
from blueprints.api.generation import Generation, GenerationStream
from blueprints.api.sessions import SessionArchive, SessionDetail, SessionList, SessionMessages
from blueprints.api.templates import TemplateCustomize, TemplateDetail, Templates
from blueprints.api.tools import ToolDirectExecution, ToolExecution, ToolList
from blueprints.views import conversing, detail, editing, gallery, listing, talking
from blueprints.views import tools as tool_pages

app_name = "blueprints"
_API = r"^api/v1/blueprints"
_ONE = rf"{_API}/(?P<blueprint_id>[^/]+)"
_AGENT = r"^api/v1/agents/(?P<agent_id>[\w-]{1,60})"
_TEMPLATE = r"^api/v1/templates/(?P<template_id>[^/]+)"
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
    path("conversations/", talking.conversation_list, name="conversations"),
    path("conversations/<uuid:uid>/", conversing.conversation_detail, name="conversation"),
    path("conversations/<uuid:uid>/draft/", talking.conversation_draft, name="conversation-draft"),
    path("conversations/<uuid:uid>/propose/", talking.conversation_propose, name="conversation-propose"),
    path("conversations/<uuid:uid>/archive/", talking.conversation_archive, name="conversation-archive"),
    path("conversations/<uuid:uid>/fork/", talking.conversation_fork, name="conversation-fork"),
    path("templates/", gallery.template_list, name="templates"),
    path("templates/<slug:template_id>/", gallery.template_detail, name="template"),
    re_path(rf"{_API}/?$", BlueprintCollection.as_view(), name="api-list"),
    re_path(rf"{_API}/generate-blueprint/?$", Generation.as_view(), name="api-generate"),
    re_path(rf"{_API}/generate-blueprint-stream/?$", GenerationStream.as_view(), name="api-generate-stream"),
    re_path(rf"{_ONE}/?$", BlueprintItem.as_view(), name="api-detail"),
    re_path(rf"{_ONE}/revisions/?$", RevisionCollection.as_view(), name="api-revisions"),
    re_path(rf"{_ONE}/revisions/(?P<number>[^/]+)/?$", RevisionItem.as_view(), name="api-revision"),
    path("tools/", tool_pages.tool_list, name="tools"),
    path("tools/ask/", tool_pages.tool_ask, name="tool-ask"),
    path("tools/<slug:tool_name>/", tool_pages.tool_detail, name="tool"),
    re_path(r"^api/v1/tools/?$", ToolList.as_view(), name="api-tools"),
    re_path(r"^api/v1/tools/execute/?$", ToolExecution.as_view(), name="api-tool-execute"),
    re_path(r"^api/v1/tools/execute-direct/?$", ToolDirectExecution.as_view(), name="api-tool-direct"),
    re_path(r"^api/v1/templates/?$", Templates.as_view(), name="api-templates"),
    re_path(_TEMPLATE + r"/?$", TemplateDetail.as_view(), name="api-template"),
    re_path(_TEMPLATE + r"/customize/?$", TemplateCustomize.as_view(), name="api-template-customize"),
    re_path(r"^api/v1/conversation/chat/?$", Chat.as_view(), name="api-chat"),
    re_path(r"^api/v1/conversation/chat-stream/?$", ChatStream.as_view(), name="api-chat-stream"),
    re_path(r"^v1/ai/generate/?$", CodeGeneration.as_view(), name="api-code"),
    re_path(r"^api/v1/agents/?$", AgentList.as_view(), name="api-agents"),
    re_path(_AGENT + r"/?$", AgentDetail.as_view(), name="api-agent"),
    re_path(r"^api/v1/sessions/?$", SessionList.as_view(), name="api-sessions"),
    re_path(_SESSION + r"/?$", SessionDetail.as_view(), name="api-session"),
    re_path(_SESSION + r"/archive/?$", SessionArchive.as_view(), name="api-session-archive"),
    re_path(_SESSION + r"/messages/?$", SessionMessages.as_view(), name="api-session-messages"),
]
