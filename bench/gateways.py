# SPDX-License-Identifier: Apache-2.0
"""What it costs to ask about each request: the question alone, and nginx that asks."""
from __future__ import annotations

import re

from load import BENCH, bench, figures, wait_for_port
from machine import Process

RULES = 1_000_000
ROUTES = """gateways = ["127.0.0.1/32"]

[[api]]
name = "bench"
hosts = ["api.bench", "127.0.0.1"]
resource = "https://api.bench"

[[api.route]]
methods = ["GET"]
path = "/api/v1/org-unit/projects/{projectId}"
permission = "project:read"
scope = {type = "project", path = "projectId"}
"""
UPSTREAM = """worker_processes 1; daemon off; pid FOLDER/PID; error_log /dev/null;
events { worker_connections 4096; }
http {
  access_log off; keepalive_requests 100000000; default_type application/json;
  client_body_temp_path FOLDER/body; proxy_temp_path FOLDER/proxy;
  fastcgi_temp_path FOLDER/fastcgi; uwsgi_temp_path FOLDER/uwsgi; scgi_temp_path FOLDER/scgi;
  upstream claviger { server 127.0.0.1:CLAVIGER; keepalive 64; }
  upstream api { server 127.0.0.1:API; keepalive 64; }
  server {
    listen 127.0.0.1:PORT;
    location / { ASK proxy_pass http://api; proxy_http_version 1.1;
      proxy_set_header Connection ""; }
    location = /ask {
      internal; proxy_pass http://claviger/forward-auth; proxy_http_version 1.1;
      proxy_pass_request_body off;
      proxy_set_header Connection ""; proxy_set_header Content-Length "";
      proxy_set_header X-Forwarded-Method $request_method;
      proxy_set_header X-Forwarded-Host $host;
      proxy_set_header X-Forwarded-Uri $request_uri;
    }
  }
}
"""


class GatewayBench:
    """Needs the tokens that the rows of requests were measured with."""

    def __init__(self, run):
        self.run = run
        self.routes = run.folder / "routes.toml"
        self.routes.write_text(ROUTES)

    def serve(self, name: str) -> Process:
        return self.run.serve(self.run.copy_of(self.run.folder / "data", name), "--route-map",
                              self.routes)

    def start_nginx(self, port: int, claviger: Process, api: Process, *, asks: bool) -> Process:
        """In front of the server that answers everything at once."""
        settings = self.run.folder / f"gateway-{asks}.conf"
        words = {"FOLDER": str(self.run.folder), "PID": f"gateway-{asks}.pid", "PORT": str(port),
                 "CLAVIGER": str(claviger.port), "API": str(api.port),
                 "ASK": "auth_request /ask;" if asks else ""}
        settings.write_text(re.sub("|".join(words), lambda word: words[word.group()], UPSTREAM))
        process = self.run.start("nginx", "-p", self.run.folder, "-c", settings, port=port)
        wait_for_port(port)
        return process

    def measure(self) -> None:
        run, table = self.run, self.run.table
        seen = run.folder / "seen"
        bare = run.start(BENCH, "bare", run.copy_of(run.folder / "data", "bare-api"))
        warm, cold = self.serve("warm"), self.serve("cold")
        alone = self.start_nginx(run.free_port(), warm, bare, asks=False)
        asking = self.start_nginx(run.free_port(), warm, bare, asks=True)
        run.alternate({
            "bare forward": (bare, "forward", seen, "/bare/0"),
            "forward": (warm, "forward", seen),
            "uncached": (cold, "forward", run.folder / "unseen-0"),
            "nginx alone": (alone, "bearer", seen),
            "nginx asking": (asking, "bearer", seen),
        }, run.measure_crypto)
        rates = run.rates
        table.ratio("forward-auth, token seen before", rates["forward"], rates["bare forward"],
                    "bare route, same request", 0.80)
        table.ratio("forward-auth, token new", rates["uncached"],
                    1 / (1 / rates["bare forward"] + 1 / rates["verify"]),
                    "1/(1/bare + 1/verify)", 0.80)
        table.plain("nginx with auth_request, its own CPU",
                    f"{rates['nginx asking'] / rates['nginx alone']:.2f} of nginx alone",
                    f"{rates['nginx asking']:,.0f}/s and {rates['nginx alone']:,.0f}/s")
        run.stop_all()

    def measure_decisions(self) -> None:
        measured = figures(bench("decide", RULES, 2))
        self.run.table.limit(f"a decision, {RULES:,} rules", measured["decide"] / 1000, "us", 1)
        self.run.table.limit("its explanation", measured["explain"] / 1000, "us", 100)
