"""Routes of the whole product. Pages live at the root, the API under its documented prefixes."""

from django.conf import settings
from django.contrib import admin
from django.urls import path, re_path
from drf_spectacular.views import SpectacularSwaggerSplitView

from alma import graphql, overview, styleguide
from alma.api.description import Description
from alma.routing import app

urlpatterns = [
    path("", overview.home, name="home"),
    app("alma.accounts.urls"),
    app("alma.events.webhooks.urls"),
    app("alma.jobs.urls"),
    app("alma.monitoring.urls"),
    app("alma.overview.urls"),
    app("alma.reception.urls"),
    app("blueprints.urls"),
    app("instances.urls"),
    app("iprs.urls"),
    app("vms.api.urls"),
    app("vms.urls"),
    re_path(r"^graphql/?$", graphql.GraphQLView.as_view(), name="graphql"),
    path("admin/", admin.site.urls),
    re_path(r"^api/v1/schema/?$", Description.as_view(), name="schema"),
    re_path(r"^swagger/?$", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="swagger"),
]
if settings.DEBUG:
    urlpatterns.append(path("styleguide/", styleguide.styleguide, name="styleguide"))
handler400 = "alma.overview.bad_request"
handler403 = "alma.overview.forbidden"
handler404 = "alma.overview.not_found"
handler500 = "alma.overview.server_error"
