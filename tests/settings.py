"""ALMA's own settings in a folder of this run: whatever the shell says about another installation is put aside.

Run against PostgreSQL with ALMA_TEST_DATABASE_URL=postgres://…; without it SQLite in a file is used, as it is served.
"""

import atexit
import os
import shutil
import tempfile

_KEPT = ("ALMA_TEST_", "ALMA_CHROMIUM")
_FOLDER = tempfile.mkdtemp(prefix="alma-")  # short, for the addresses of UNIX sockets lie in it


def _remove(owner: int) -> None:
    """At the end of the process that made the folder, not at the end of what it forked."""
    if os.getpid() == owner:
        shutil.rmtree(_FOLDER, ignore_errors=True)


atexit.register(_remove, os.getpid())
for _name in [name for name in os.environ if name.startswith("ALMA_") and not name.startswith(_KEPT)]:
    del os.environ[_name]
os.environ["ALMA_DATA_DIR"] = _FOLDER
os.environ["ALMA_RATE_LIMITS"] = "0"  # but for the tests of the limits themselves
if os.environ.get("ALMA_TEST_DATABASE_URL"):
    os.environ["ALMA_DATABASE_URL"] = os.environ["ALMA_TEST_DATABASE_URL"]

from alma import settings as _settings  # noqa: E402 - reads what was set above

globals().update({name: value for name, value in vars(_settings).items() if name.isupper() and name[0] != "_"})
if os.environ.get("ALMA_DATABASE_URL"):
    _settings.DATABASES["default"]["ENGINE"] = "tests.fixtures.postgresql"
WHITENOISE_AUTOREFRESH = True  # static files are looked up when asked for, not listed for the client of each test
ALMA_CLUSTER_PROBE_SECONDS = 0  # clusters of most tests are rows alone; those about silence ask
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
os.environ["DJANGO_SETTINGS_MODULE"] = "alma.settings"  # for the processes that tests start
