"""Stands for the database or the queue: answers each line with a line, at the address that it is given."""

import socketserver
import sys


class Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        for line in self.rfile:
            word, _, _ = line.decode(errors="replace").strip().partition(" ")
            self.wfile.write(b"0\n" if word == "count" else b"ok\n")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    request_queue_size = 128


host, _, port = sys.argv[1].rpartition(":")
with Server((host, int(port)), Handler) as server:
    print(f"listens at {server.server_address[0]}:{server.server_address[1]}", flush=True)
    server.serve_forever()
