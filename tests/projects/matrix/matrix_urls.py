"""URLs of every kind. Each pattern has its lines in `tests/matrix.txt`."""

import matrix_views as views
from django.conf.urls.i18n import i18n_patterns
from django.contrib.auth.views import LogoutView
from django.urls import include, path, re_path, register_converter
from django.utils.translation import gettext_lazy
from django.views.generic import RedirectView
from django.views.i18n import JavaScriptCatalog
from rest_framework.authtoken.views import obtain_auth_token
from rest_framework.routers import DefaultRouter, SimpleRouter


class YearConverter:
    """A converter of the project's own, which refuses some of what its expression takes."""

    regex = "[0-9]{4}"

    def to_python(self, value):
        year = int(value)
        if year < 2000:
            raise ValueError(value)
        return year

    def to_url(self, value):
        return str(value)


register_converter(YearConverter, "year")

router = DefaultRouter()
router.register("users", views.Users, basename="user")
router.register("by-action", views.UsersByAction, basename="by-action")
plain_router = SimpleRouter(trailing_slash=False, use_regex_path=False)
plain_router.register("items", views.Items, basename="item")
plain_router.register("read", views.ReadOnlyUsers, basename="read")
plain_router.register("create", views.Creating, basename="create")

shared = ([path("notes/", views.Plain.as_view(), name="notes")], "shared")
versions = (
    [path("version/", views.VersionByNamespace.as_view(), name="version")],
    "versions",
)
deeper = [
    path("deeper/", include([re_path(r"^end/(?P<pk>\d+)/$", views.Plain.as_view())])),
    re_path(r"^(?P<kind>[a-z]+)/", include([path("leaf/", views.Open.as_view())])),
]

urlpatterns = [
    path("plain/", views.Plain.as_view()),
    path("plain/<int:pk>/", views.Plain.as_view()),
    path("open/", views.Open.as_view()),
    path("no-permissions/", views.NoPermissions.as_view()),
    path("read-only/", views.ReadOnly.as_view()),
    path("staff/", views.Staff.as_view()),
    path("and/", views.And.as_view()),
    path("or/", views.Or.as_view()),
    path("not/", views.Not.as_view()),
    path("lucky/", views.Lucky.as_view()),
    path("lucky-second/", views.LuckySecond.as_view()),
    path("subclassed/", views.SubclassedPermission.as_view()),
    path("no-authentication/", views.NoAuthentication.as_view()),
    path("session/", views.Session.as_view()),
    path("basic/", views.Basic.as_view()),
    path("token-or-session/", views.TokenOrSession.as_view()),
    path("session-or-token/", views.SessionOrToken.as_view()),
    path("by-query/", views.ByQuery.as_view()),
    path("stateless/", views.Stateless.as_view()),
    path("computed/", views.ComputedAuthentication.as_view()),
    path("given/", views.Plain.as_view(permission_classes=[])),
    path("own/get-permissions/", views.OwnGetPermissions.as_view()),
    path("own/get-authenticators/", views.OwnGetAuthenticators.as_view()),
    path("own/initial/", views.OwnInitial.as_view()),
    path("own/dispatch/", views.OwnDispatch.as_view()),
    path("own/handler/", views.OwnHandler.as_view()),
    path("own/denied/", views.OwnDenied.as_view()),
    path("own/finalize/", views.OwnFinalize.as_view()),
    path("own/challenge/", views.OwnChallenge.as_view()),
    path("own/mixin/", views.FromAMixin.as_view()),
    path("throttled/", views.Throttled.as_view()),
    path("only-json/", views.OnlyJson.as_view()),
    path("browsable-first/", views.BrowsableFirst.as_view()),
    path("html/", views.Html.as_view()),
    path("own-negotiation/", views.OwnNegotiation.as_view()),
    path("version/accept/", views.VersionByAccept.as_view()),
    path("version/query/", views.VersionByQuery.as_view()),
    path("version/<str:version>/path/", views.VersionByPath.as_view()),
    path("ns/one/", include(versions, namespace="one")),
    path("only-get/", views.OnlyGet.as_view()),
    path("streaming/", views.Streaming.as_view()),
    path("deleting/", views.Deleting.as_view()),
    path("decorated/dispatch/", views.DecoratedDispatch.as_view()),
    path("decorated/handler/", views.DecoratedHandler.as_view()),
    path("function/", views.function),
    path("function/methods/", views.function_of_methods),
    path("function/open/", views.open_function),
    path("function/staff/", views.staff_function),
    path("function/unguarded/", views.unguarded_function),
    path("function/html/", views.html_function),
    path("function/exempt/", views.exempt_function),
    path("function/uncached/", views.uncached_function),
    path("function/atomic/", views.atomic_function),
    path("function/counted/", views.counted_function),
    path("function/counted-inside/", views.counted_inside),
    path("function/wrapped/", lambda request: views.function(request)),
    path("django/view/", views.DjangoView.as_view()),
    path("django/function/", views.plain_function),
    path("django/streamed/", views.streamed),
    path("django/login/", views.behind_login),
    path("django/redirect/", RedirectView.as_view(url="/plain/")),
    path("django/catalog/", JavaScriptCatalog.as_view()),
    path("django/logout/", LogoutView.as_view()),
    path("token/", views.token_views.TokenObtainPairView.as_view()),
    path("token/refresh/", views.token_views.TokenRefreshView.as_view()),
    path("token/verify/", views.token_views.TokenVerifyView.as_view()),
    path("token/drf/", obtain_auth_token),
    path("generic/users/", views.UserList.as_view()),
    path("generic/users/<int:pk>/", views.UserDetail.as_view()),
    path("api/", include(router.urls)),
    path("bare/", include(plain_router.urls)),
    path("a/", include(shared, namespace="a")),
    path("b/<slug:tenant>/", include(shared, namespace="b")),
    path("c/", include([path("kwargs/", views.Plain.as_view(), {"x": 1})]), {"y": 2}),
    path("nested/", include([path("more/", include((deeper, "deep"), namespace="deep"))])),
    path("id/<uuid:key>/", views.Plain.as_view()),
    path("rest/<path:rest>", views.Plain.as_view()),
    path("text/<str:text>/", views.Plain.as_view()),
    re_path(r"^re/(?P<slug>[-\w]+)/$", views.Plain.as_view()),
    re_path(r"^re/(?:one|two)/x/$", views.Plain.as_view()),
    re_path(r"^ahead/(?!open)(?P<what>[a-z]+)/$", views.Plain.as_view()),
    re_path(r"^ahead/open/$", views.Open.as_view()),
    re_path(r"^unended/", views.Plain.as_view()),
    path("assets/<path:rest>", views.Plain.as_view()),
    path("well-known/<slug:name>.txt", views.Plain.as_view()),
    path("years/<year:year>/", views.Open.as_view()),
    path("years/<slug:first>/", views.Plain.as_view()),
    path("<year:year>/archive/", views.Open.as_view()),
    path("<slug:first>/archive/", views.Plain.as_view()),
    *i18n_patterns(
        path("plain/", views.Plain.as_view()),
        path("open/", views.Open.as_view()),
        path(gettext_lazy("Sunday"), views.Plain.as_view()),
        path("in/", include(shared, namespace="in-language")),
        path("<slug:page>/page/", views.Plain.as_view()),
        prefix_default_language=False,
    ),
    path("last/", views.Plain.as_view()),
]
