"""Routes of accounts: signing in, one's own account, what administrators settle, and the routes that make tokens."""

from django.urls import path, re_path

from alma.accounts import views
from alma.accounts.desk import api
from alma.accounts.desk.views import keys, members, organization

app_name = "accounts"
urlpatterns = [
    path("login/", views.login, name="login"),
    path("logout/", views.logout, name="logout"),
    path("account/confirm/", views.confirm_login, name="confirm_login"),
    path("account/password/", views.password, name="password"),
    path("account/organization/", views.switch_organization, name="switch_organization"),
    path("account/welcome/<uidb64>/<token>/", views.welcome, name="welcome"),
    path("settings/keys/", keys.key_list, name="keys"),
    path("settings/keys/new/", keys.key_new, name="key_new"),
    path("settings/keys/<slug:token_id>/revoke/", keys.key_revoke, name="key_revoke"),
    path("settings/members/", members.member_list, name="members"),
    path("settings/members/add/", members.member_add, name="member_add"),
    path("settings/members/<int:pk>/role/", members.member_role, name="member_role"),
    path("settings/members/<int:pk>/link/", members.member_link, name="member_link"),
    path("settings/members/<int:pk>/remove/", members.member_remove, name="member_remove"),
    path("settings/organization/", organization.organization, name="organization"),
    path("settings/organization/name/", organization.rename, name="organization_name"),
    path("settings/organization/environments/<slug:slug>/", organization.environment, name="environment"),
    re_path(r"^v1/auth/tokens/?$", api.Tokens.as_view(), name="api-tokens"),
    re_path(r"^v1/auth/tokens/(?P<token_id>tok_[0-9a-f]{16})/?$", api.Token.as_view(), name="api-token"),
    re_path(r"^api/auth/login/?$", api.Login.as_view(), name="api-login"),
    re_path(r"^api/auth/refresh/?$", api.Refresh.as_view(), name="api-refresh"),
]
