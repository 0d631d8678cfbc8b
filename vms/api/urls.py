"""Routes of `/v1`, with and without a trailing slash."""

from django.urls import re_path

from vms.api import machines

app_name = "v1"

urlpatterns = [
    re_path(r"^v1/vms/?$", machines.Machines.as_view(), name="vms"),
]
