"""The twin that our figures are compared with: Django REST framework as its tutorial has it, on the stock ASGI handler.

Same database with its settings, same middleware, same fields, same server.
"""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.bench.stock_settings")

from django.core.asgi import get_asgi_application

application = get_asgi_application()
