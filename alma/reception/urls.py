"""Routes of the public utilities, with and without the trailing slash."""

from django.urls import re_path

from alma.reception.api import DocsAsk, EnterpriseInquiryView

app_name = "reception"
urlpatterns = [
    re_path(r"^api/v1/docs/ask/?$", DocsAsk.as_view(), name="api-docs-ask"),
    re_path(r"^api/v1/enterprise-inquiry/?$", EnterpriseInquiryView.as_view(), name="api-enterprise-inquiry"),
]
