"""Routes of webhooks: pages, and the API with and without a trailing slash."""

from django.urls import path, re_path

from alma.events.webhooks import views
from alma.events.webhooks.api import alumia, proxmox

app_name = "webhooks"
_ALUMIA = r"^api/v1/webhooks/(?P<webhook_id>[\w-]{1,60})"
urlpatterns = [
    path("settings/webhooks/", views.webhook_list, name="list"),
    path("settings/webhooks/new/", views.webhook_new, name="new"),
    path("settings/webhooks/<int:pk>/", views.webhook_detail, name="detail"),
    path("settings/webhooks/<int:pk>/change/", views.webhook_change, name="change"),
    path("settings/webhooks/<int:pk>/rotate/", views.webhook_rotate, name="rotate"),
    path("settings/webhooks/<int:pk>/delete/", views.webhook_delete, name="delete"),
    path("settings/webhooks/<int:pk>/switch/", views.webhook_switch, name="switch"),
    path("settings/webhooks/<int:pk>/test/", views.webhook_test, name="test"),
    path("settings/webhooks/<int:pk>/deliveries/<int:delivery_pk>/", views.delivery_detail, name="delivery"),
    path(
        "settings/webhooks/<int:pk>/deliveries/<int:delivery_pk>/redeliver/", views.delivery_redeliver, name="redeliver"
    ),
    re_path(r"^v1/webhooks/?$", proxmox.Webhooks.as_view(), name="api-webhooks"),
    re_path(r"^v1/webhooks/(?P<webhook_id>[\w-]{1,60})/?$", proxmox.Webhook.as_view(), name="api-webhook"),
    re_path(r"^api/v1/webhooks/?$", alumia.WebhookList.as_view(), name="alumia-webhooks"),
    re_path(_ALUMIA + r"/?$", alumia.WebhookDetail.as_view(), name="alumia-webhook"),
    re_path(_ALUMIA + r"/secret/?$", alumia.WebhookRotation.as_view(), name="alumia-webhook-secret"),
]
