"""A service for tests: /livez and /readyz are 200."""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        found = self.path in ("/livez", "/readyz", "/")
        self.send_response(200 if found else 404)
        self.end_headers()
        self.wfile.write(f"{os.getpid()}\n".encode())


print("web listens at", os.environ["PORT"], flush=True)
ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()
