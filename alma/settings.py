"""Settings of every role. Values come from the environment through alma.env and from nowhere else."""

from pathlib import Path

from alma import databases, env, wiring

BASE_DIR = Path(__file__).resolve().parent.parent
ALMA_VERSION = "0.1.0"

# -- where and how --------------------------------------------------------------------------------
ALMA_DATA_DIR = Path(env.text("ALMA_DATA_DIR", str(BASE_DIR / "var"))).resolve()
ALMA_CONFIG_FILE = ALMA_DATA_DIR / "config.json"  # what was changed over the API, below the environment
env.keep(ALMA_CONFIG_FILE)
ALMA_HTTP_HOST = env.text("ALMA_HTTP_HOST", "127.0.0.1")
ALMA_HTTP_PORT = env.number("ALMA_HTTP_PORT", 8000, least=1, most=65535)
ALMA_SANDBOX_HOST = env.text("ALMA_SANDBOX_HOST", "127.0.0.1")
ALMA_SANDBOX_PORT = env.number("ALMA_SANDBOX_PORT", 8006, least=1, most=65535)
ALMA_SANDBOX_TIME_SCALE = env.number("ALMA_SANDBOX_TIME_SCALE", 1, least=1, most=1000)
ALMA_SANDBOX_DAILY_RESET = env.flag("ALMA_SANDBOX_DAILY_RESET", True)
ALMA_WORKERS = env.number("ALMA_WORKERS", 4, least=1, most=64)
ALMA_WEB_THREADS = env.number("ALMA_WEB_THREADS", 16, least=1, most=256)
ALMA_STOCK_HANDLER = env.flag("ALMA_STOCK_HANDLER")
ALMA_BEHIND_PROXY = env.flag("ALMA_BEHIND_PROXY")
# Whose X-Forwarded-For and X-Forwarded-Proto are believed then: addresses and networks.
ALMA_PROXY_ADDRESSES = env.listing("ALMA_PROXY_ADDRESSES", "127.0.0.1,::1")
ALMA_SOCKETS_PER_ACTOR = env.number("ALMA_SOCKETS_PER_ACTOR", 20, least=1, most=100_000)
ALMA_SOCKETS = env.number("ALMA_SOCKETS", 5_000, least=1, most=100_000)
# A role without a sign of life for so long counts as stuck: health says so, and the supervisor starts it anew.
ALMA_STALE_SECONDS = env.number("ALMA_STALE_SECONDS", 30, least=12, most=3600)
ALMA_ROLES = env.listing("ALMA_ROLES", "web,worker,reconciler,instances,sandbox")
ALMA_REDIS_URL = env.secret("ALMA_REDIS_URL")
_ON_LOOPBACK = ALMA_HTTP_HOST in {"127.0.0.1", "::1", "localhost"}

DEBUG = env.flag("ALMA_DEBUG")
SECRET_KEY = env.secret("ALMA_SECRET_KEY") or env.kept_secret(ALMA_DATA_DIR / "secret_key")
ALLOWED_HOSTS = env.listing("ALMA_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1],testserver" if _ON_LOOPBACK else "")
CSRF_TRUSTED_ORIGINS = env.listing("ALMA_TRUSTED_ORIGINS")
ROOT_URLCONF = "alma.urls"
ASGI_APPLICATION = "alma.asgi.application"
APPEND_SLASH = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# -- who may do what ------------------------------------------------------------------------------
ALMA_AUTH_ENABLED = env.flag("ALMA_AUTH_ENABLED", True)
ALMA_API_KEYS = env.listing("ALMA_API_KEYS")
ALMA_MCP_KEY = env.secret("ALMA_MCP_KEY")  # with whose rights `manage.py mcp` calls tools
# What the API document calls public is so where only this machine can ask, and elsewhere if the operator says so.
_ALONE = _ON_LOOPBACK and not ALMA_BEHIND_PROXY
ALMA_PUBLIC_READ = env.flag("ALMA_PUBLIC_READ", _ALONE)
ALMA_KEYLESS_REVIEW = env.flag("ALMA_KEYLESS_REVIEW", _ALONE)
ALMA_PUBLIC_DRAFTS = env.flag("ALMA_PUBLIC_DRAFTS", _ALONE)
ALMA_PUBLIC_METRICS = env.flag("ALMA_PUBLIC_METRICS", _ALONE)
ALMA_PUBLIC_ORGANIZATION = env.text("ALMA_PUBLIC_ORGANIZATION", "default")
ALMA_STRICT_REVIEW = env.flag("ALMA_STRICT_REVIEW", not _ALONE)

# Networks, addresses and hosts that may be called although they are not public; with `:port` to open that port for them.
ALMA_OUTBOUND_ALLOW = env.listing("ALMA_OUTBOUND_ALLOW")
ALMA_OUTBOUND_PORTS = env.ports("ALMA_OUTBOUND_PORTS", "443")
ALMA_OUTBOUND_CA = env.text("ALMA_OUTBOUND_CA")  # a file of certificate authorities beside the system's

# A password is good for so long: on pages that change keys and members, in an access token, and in its renewals.
ALMA_RECENT_LOGIN_SECONDS = env.number("ALMA_RECENT_LOGIN_SECONDS", 900, least=60, most=86_400)
ALMA_ACCESS_TOKEN_SECONDS = env.number("ALMA_ACCESS_TOKEN_SECONDS", 3_600, least=60, most=86_400)
ALMA_LOGIN_SECONDS = env.number("ALMA_LOGIN_SECONDS", 604_800, least=3_600, most=2_592_000)
# Name and password with each request, which the Proxmox AI document calls development only. Where a token is made
# from them, they are taken in any case.
ALMA_BASIC_AUTH = env.flag("ALMA_BASIC_AUTH", DEBUG and _ON_LOOPBACK)
# Tokens of an identity provider: who signs them, for whom they are meant, and which claims name our person and theirs.
ALMA_OIDC_ISSUER = env.text("ALMA_OIDC_ISSUER")
ALMA_OIDC_AUDIENCE = env.text("ALMA_OIDC_AUDIENCE")
ALMA_OIDC_JWKS_URL = env.text("ALMA_OIDC_JWKS_URL")  # empty: the issuer's discovery document says it
ALMA_OIDC_USER_CLAIM = env.text("ALMA_OIDC_USER_CLAIM", "preferred_username")
ALMA_OIDC_ORGANIZATION_CLAIM = env.text("ALMA_OIDC_ORGANIZATION_CLAIM")
AUTHENTICATION_BACKENDS = ["alma.accounts.signing_in.CountingBackend"]

INSTALLED_APPS = [
    "alma",  # before those of Django, for its runserver is daphne's
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "django_q",
    "alma.accounts",
    "alma.api",
    "alma.events",
    "alma.jobs",
    "alma.monitoring",
    "alma.reception",
    "vms",
    "instances",
    "blueprints",
    "iprs",
]

MIDDLEWARE = [
    "alma.http.RequestIdMiddleware",
    "alma.http.BrowserHeadersMiddleware",
    "alma.monitoring.requests.RouteMiddleware",
    "alma.api.limits.middleware.RateLimitMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "alma.accounts.middleware.ActorMiddleware",
    "alma.http.SignInReturnMiddleware",
    "alma.http.DomainErrorMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "alma.overview.navigation",
            ],
        },
    },
]


# -- database -------------------------------------------------------------------------------------
_DATABASE_URL = env.secret("ALMA_DATABASE_URL")
DATABASES = {
    "default": databases.postgresql(_DATABASE_URL)
    if _DATABASE_URL
    else databases.sqlite(ALMA_DATA_DIR / "alma.sqlite3")
}

# -- queue: durable-deployments.md is the reason for each figure; alma.jobs.checks holds them together --------
Q_CLUSTER: dict[str, object] = {
    "name": "alma",
    "orm": "default",
    "broker_class": "alma.jobs.broker.DoorbellBroker",
    "workers": ALMA_WORKERS,
    "timeout": 60,
    "retry": 240,
    "max_attempts": 1,
    "ack_failures": True,
    "queue_limit": 1,
    "save_limit": 200,
    "poll": 0.5,
    "scheduler": False,
    "label": "Task queue",
}

# -- durable work ---------------------------------------------------------------------------------
ALMA_LEASE_SECONDS = env.number("ALMA_LEASE_SECONDS", 60, least=5, most=3600)
ALMA_FAILPOINTS = env.text("ALMA_FAILPOINTS")  # tests only: where processes shall die; see alma/failpoints.py
ALMA_SLOT_SECONDS = 8  # after which a worker gives a job back, so that none waits behind a long one
ALMA_CLUSTER_CONNECT_SECONDS = env.number("ALMA_CLUSTER_CONNECT_SECONDS", 5, least=1, most=60)
ALMA_CLUSTER_TOTAL_SECONDS = env.number("ALMA_CLUSTER_TOTAL_SECONDS", 20, least=1, most=300)
# How long a cluster has to answer before work for it is accepted; 0 asks none.
ALMA_CLUSTER_PROBE_SECONDS = env.number("ALMA_CLUSTER_PROBE_SECONDS", 2, least=0, most=10)
# Until when a machine that others need must be up: told by its guest agent, or by the port of its role.
ALMA_READY_SECONDS = env.number("ALMA_READY_SECONDS", 180, least=5, most=3600)
ALMA_ORPHAN_GRACE_SECONDS = env.number("ALMA_ORPHAN_GRACE_SECONDS", 86_400, least=0, most=31_536_000)
# Private networks, addresses and hosts on which clusters may lie; those of the usual private ranges on loopback alone.
ALMA_CLUSTER_ALLOW = env.listing(
    "ALMA_CLUSTER_ALLOW", "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7" if _ON_LOOPBACK else ""
)
ALMA_CLUSTER_ALLOW_UNVERIFIED = env.flag("ALMA_CLUSTER_ALLOW_UNVERIFIED")
# Which function of which app does what: the tables stand in alma/wiring.py.
ALMA_JOB_KINDS = wiring.JOB_KINDS
ALMA_STEP_KINDS = wiring.STEP_KINDS
ALMA_GATE = wiring.GATE
ALMA_CHORES = wiring.CHORES
ALMA_JOB_DAYS = env.number("ALMA_JOB_DAYS", 90, least=1, most=36_500)
ALMA_SCAN_DAYS = env.number("ALMA_SCAN_DAYS", 365, least=1, most=36_500)
ALMA_JOB_KEEPERS = wiring.JOB_KEEPERS
ALMA_LANGUAGE_PROBE = wiring.LANGUAGE_PROBE
ALMA_FIGURES = wiring.FIGURES
ALMA_SUMMARY = wiring.SUMMARY
ALMA_BLUEPRINT_GUARDS = wiring.BLUEPRINT_GUARDS
ALMA_PLAN_PREVIEW = wiring.PLAN_PREVIEW
ALMA_IPR_OPENER = wiring.IPR_OPENER
ALMA_PHRASER = wiring.PHRASER
ALMA_INVARIANTS = wiring.INVARIANTS

# -- language models -------------------------------------------------------------------------------
ALMA_MODELS_DIR = Path(env.text("ALMA_MODELS_DIR", str(ALMA_DATA_DIR / "models"))).resolve()
# Where models come from (a Hugging Face compatible endpoint), how many at a time for an organization, and how much.
ALMA_HF_ENDPOINT = env.text("ALMA_HF_ENDPOINT", "https://huggingface.co")
ALMA_HF_TOKEN = env.secret("ALMA_HF_TOKEN")
ALMA_DOWNLOADS = env.number("ALMA_DOWNLOADS", 4, least=0, most=100)
ALMA_DOWNLOAD_LARGEST = env.number("ALMA_DOWNLOAD_GB", 200, least=1, most=100_000) * 10**9
ALMA_MODELS_RESERVE = env.number("ALMA_MODELS_RESERVE_GB", 5, least=0, most=100_000) * 10**9
# The operator's commands, with {models}, {port} and {marker} where these belong; see instances/backends/kinds.py.
ALMA_LLAMA_COMMAND = env.text("ALMA_LLAMA_COMMAND")  # empty: llama.cpp inside a process of our own
ALMA_VLLM_COMMAND = env.text("ALMA_VLLM_COMMAND")
ALMA_MLX_COMMAND = env.text("ALMA_MLX_COMMAND")
# Below the ports that the system gives to outgoing connections: nobody else is given one of these by chance.
ALMA_INSTANCE_PORTS = env.span("ALMA_INSTANCE_PORTS", "8081-8999", least=1024, most=32_767)
ALMA_INSTANCES = env.number("ALMA_INSTANCES", 100, least=1, most=10_000)
ALMA_INSTANCES_RUNNING = env.number("ALMA_INSTANCES_RUNNING", 16, least=1, most=10_000)
# Ceilings by group, "big=1,small=4"; an organization may set itself lower ones, and others.
ALMA_INSTANCE_GROUPS = env.numbers("ALMA_INSTANCE_GROUPS", least=1, most=10_000)
ALMA_INSTANCE_EVICTION = env.flag("ALMA_INSTANCE_EVICTION", True)
ALMA_QUEUE_LIMIT = env.number("ALMA_QUEUE_LIMIT", 256, least=1, most=100_000)
ALMA_INSTANCE_START_SECONDS = env.number("ALMA_INSTANCE_START_SECONDS", 600, least=5, most=86_400)
# How long a request waits for an instance, and how long the log of requests is kept.
ALMA_QUEUE_SECONDS = env.number("ALMA_QUEUE_SECONDS", 300, least=1, most=86_400)
ALMA_REQUEST_DAYS = env.number("ALMA_REQUEST_DAYS", 30, least=1, most=36_500)
# Pages of which origins may ask models from a browser, with a key; none by default.
ALMA_MODEL_ORIGINS = env.listing("ALMA_MODEL_ORIGINS")
# The model that helps to understand words: an instance by its name, or what an OpenAI-compatible endpoint serves; and what one
# request may take of it, over all rounds.
ALMA_MODEL = env.text("ALMA_MODEL")
ALMA_MODEL_URL = env.text("ALMA_MODEL_URL")
ALMA_MODEL_KEY = env.secret("ALMA_MODEL_KEY")
ALMA_MODEL_SECONDS = env.number("ALMA_MODEL_SECONDS", 30, least=1, most=600)
ALMA_MODEL_TOKENS = env.number("ALMA_MODEL_TOKENS", 4096, least=64, most=100_000)
ALMA_NODE = env.text("ALMA_NODE", "main")  # whose supervisor on which machine runs which instances
ALMA_NODE_TOKEN = env.secret("ALMA_NODE_TOKEN")
# Where the supervisor of another machine than `main` answers about logs and models there.
ALMA_NODE_PORT = env.number("ALMA_NODE_PORT", 8079, least=1024, most=32_767)

# -- API ------------------------------------------------------------------------------------------
REST_FRAMEWORK = wiring.REST_FRAMEWORK
# What OpenAI's clients read is an object; the llamactl document shows a text. One or the other.
ALMA_OPENAI_ERRORS = env.choice("ALMA_OPENAI_ERRORS", "object", among=("object", "string"))
# The Alumia document: in production a POST without Content-Length is answered with 411.
ALMA_REQUIRE_LENGTH = env.flag("ALMA_REQUIRE_LENGTH", not DEBUG)
# How many times the documented requests a client has; 0 for no limits at all.
ALMA_RATE_LIMITS = env.number("ALMA_RATE_LIMITS", 100 if _ALONE else 1, least=0, most=10_000)
SPECTACULAR_SETTINGS = {
    "TITLE": "ALMA",
    "DESCRIPTION": "Infrastructure as Conversation: blueprints, Infrastructure Pull Requests and live deployments.",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "OAS_VERSION": "3.1.0",  # what pydantic writes
    "POSTPROCESSING_HOOKS": ["alma.api.schema.without_trailing_slash", "instances.router.document.with_models"],
    "SERVE_PUBLIC": True,
}

# -- browser --------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = ALMA_DATA_DIR / "static"
WHITENOISE_USE_FINDERS = True
WHITENOISE_ALLOW_ALL_ORIGINS = False
LOGIN_URL = LOGOUT_REDIRECT_URL = "accounts:login"
LOGIN_REDIRECT_URL = "home"
CSRF_FAILURE_VIEW = "alma.overview.csrf_failure"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
_TLS = env.flag("ALMA_TLS", not _ON_LOOPBACK)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = _TLS
_HOST = "__Host-" if _TLS else ""  # which no other host, and no open connection, can set
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = f"{_HOST}sessionid", f"{_HOST}csrftoken"
SECURE_HSTS_SECONDS = 31_536_000 if _TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ALMA_BEHIND_PROXY else None
AUTH_PASSWORD_VALIDATORS = wiring.PASSWORD_VALIDATORS
DATA_UPLOAD_MAX_MEMORY_SIZE = 33 * 1024 * 1024  # the body guard is stricter per route; this is the net below it

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("fr", "Français"), ("es", "Español"), ("it", "Italiano")]
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"one_line": {"()": "alma.http.OneLine"}},
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.text("ALMA_LOG_LEVEL", "WARNING")},
    "loggers": {
        "alma": {"level": env.text("ALMA_LOG_LEVEL", "INFO")},
        "django.security.DisallowedHost": {"filters": ["one_line"]},
    },
}
