"""The sample project's WSGI callable: plain Django."""

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
