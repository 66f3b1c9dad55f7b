"""`yett.drf` as a Django app: not needed, but for the translations of its messages."""

from django.apps import AppConfig


class YettDrfConfig(AppConfig):
    """No models, no signals: a folder `locale` that Django finds."""

    name = "yett.drf"
    label = "yett_drf"
    verbose_name = "Yett"
