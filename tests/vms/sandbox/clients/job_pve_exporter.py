"""prometheus-pve-exporter: one scrape with every collector, by token."""

import os
import sys

from pve_exporter.collector import CollectorsOptions, collect_pve

if __name__ == "__main__":
    config = {
        "user": "root@pam", "token_name": "alma", "token_value": os.environ["PVE_TOKEN"],
        "verify_ssl": os.environ["PVE_CA"], "port": int(os.environ["PVE_PORT"]),
    }  # fmt: skip
    names = CollectorsOptions._fields
    sys.stdout.buffer.write(collect_pve(config, "localhost", True, True, CollectorsOptions(*[True] * len(names))))
