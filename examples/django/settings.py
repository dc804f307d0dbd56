"""Django's settings of the example. All that flowery_logging needs stands here."""

import flowery_logging

flowery_logging.setup(service="shop")

SECRET_KEY = "only for the example"
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "examples.django.urls"
USE_TZ = True
INSTALLED_APPS = ["flowery_logging.integrations.django.LoggingConfig"]
MIDDLEWARE = [
    "flowery_logging.integrations.django.RequestMiddleware",  # before all others
    "django.middleware.common.CommonMiddleware",
]
LOGGING_CONFIG = None  # flowery_logging has configured it
FLOWERY_REQUESTS = {"quiet": ["/health"]}
