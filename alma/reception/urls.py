"""Routes of the public utilities, with and without the trailing slash, and of the page for questions."""

from django.urls import path, re_path

from alma.reception.api import DocsAsk, EnterpriseInquiryView
from alma.reception.views import help_page

app_name = "reception"
urlpatterns = [
    path("help/", help_page, name="help"),
    re_path(r"^api/v1/docs/ask/?$", DocsAsk.as_view(), name="api-docs-ask"),
    re_path(r"^api/v1/enterprise-inquiry/?$", EnterpriseInquiryView.as_view(), name="api-enterprise-inquiry"),
]
