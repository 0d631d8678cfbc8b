"""Routes of jobs, with and without a trailing slash."""

from django.urls import re_path

from alma.jobs.api import views

app_name = "jobs"
urlpatterns = [
    re_path(r"^v1/jobs/?$", views.Jobs.as_view(), name="list"),
    re_path(r"^v1/jobs/(?P<job_id>[\w-]{1,60})/?$", views.JobItem.as_view(), name="detail"),
]
