"""Starts PHP-FPM with a fixed number of workers behind nginx, both for this run alone.

Their configuration, sockets and logs stay in the scratch directory; SIGTERM ends both.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

PAGE = Path(__file__).with_name("fpm_page.php")
NAMES = ["php-fpm", *(f"php-fpm8.{minor}" for minor in range(9, 0, -1))]
SEARCH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"

FPM = """\
[global]
daemonize = no
error_log = {work}/fpm.log
[lab]
{user}
listen = {work}/fpm.sock
listen.backlog = 1024
pm = static
pm.max_children = {workers}
clear_env = no
"""

NGINX = """\
{user}
daemon off;
worker_processes 1;
pid {work}/nginx.pid;
error_log {work}/nginx.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    keepalive_requests 1000000;
    client_body_temp_path {work}/body; proxy_temp_path {work}/proxy;
    fastcgi_temp_path {work}/fastcgi; uwsgi_temp_path {work}/uwsgi; scgi_temp_path {work}/scgi;
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        location / {{
            fastcgi_pass unix:{work}/fpm.sock;
            fastcgi_param SCRIPT_FILENAME {page};
            fastcgi_param QUERY_STRING $query_string;
            fastcgi_param REQUEST_METHOD $request_method;
        }}
    }}
}}
"""


def find(names: list[str]) -> str:
    """The first of these programs that the machine has.

    Without one the contender is absent, not broken: the lab takes EX_UNAVAILABLE for that.
    """
    for name in names:
        if path := shutil.which(name, path=SEARCH):
            return path
    print(f"{names[0]} not found", file=sys.stderr)
    sys.exit(os.EX_UNAVAILABLE)


def main() -> None:
    port, workers = sys.argv[1:]
    fpm, nginx = find(NAMES), find(["nginx"])
    work = Path.cwd() / f"php-fpm-{port}"
    work.mkdir(exist_ok=True)
    root = os.geteuid() == 0
    values = {"work": work, "port": port, "workers": int(float(workers)), "page": PAGE}
    (work / "fpm.conf").write_text(FPM.format(user="user = root" if root else "", **values))
    (work / "nginx.conf").write_text(NGINX.format(user="user root;" if root else "", **values))
    allow_root = ["--allow-to-run-as-root"] if root else []
    commands = [
        [fpm, "--nodaemonize", "--fpm-config", str(work / "fpm.conf"), *allow_root],
        [nginx, "-e", str(work / "nginx.log"), "-c", str(work / "nginx.conf"), "-p", str(work)],
    ]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    children: list[subprocess.Popen[bytes]] = []
    try:
        children.extend(subprocess.Popen(command) for command in commands)
        while all(child.poll() is None for child in children):
            time.sleep(0.2)
        sys.exit(f"php-fpm or nginx ended; see the logs in {work}")
    finally:
        for child in children:
            child.terminate()
        for child in children:
            child.wait(timeout=10)


if __name__ == "__main__":
    main()
