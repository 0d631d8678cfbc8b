"""Routes of the whole product. Pages live at the root, the API under its documented prefixes."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from alma import graphql, overview, styleguide

urlpatterns = [
    path("", overview.home, name="home"),
    path("", include("alma.accounts.urls")),
    path("", include("alma.events.webhooks.urls")),
    path("", include("alma.monitoring.urls")),
    path("", include("alma.overview.urls")),
    path("", include("alma.reception.urls")),
    path("", include("blueprints.urls")),
    path("", include("iprs.urls")),
    path("", include("vms.urls")),
    re_path(r"^graphql/?$", graphql.GraphQLView.as_view(), name="graphql"),
    path("admin/", admin.site.urls),
    path("api/v1/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("swagger/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="swagger"),
]
if settings.DEBUG:
    urlpatterns.append(path("styleguide/", styleguide.styleguide, name="styleguide"))
handler400 = "alma.overview.bad_request"
handler403 = "alma.overview.forbidden"
handler404 = "alma.overview.not_found"
handler500 = "alma.overview.server_error"
