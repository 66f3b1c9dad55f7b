"""The routes of the shared views."""

import django_site as site
from django.urls import path

common = [
    path("json", site.Json.as_view()),
    path("items/<int:number>/<str:name>", site.item),
    path("form", site.form),
    path("upload", site.upload),
    path("error", site.error),
    path("redirect", site.redirect),
    path("cookies", site.cookies),
    path("seen/ä", site.seen),
]
