"""Orders: a service with a database and a queue, in Python's standard library.

It answers its probes from what it knows, and asks nobody because of a probe: the database is checked in the background, by the connection that requests use. What the queue
does not take is kept and sent later, so nobody waits for it.
"""

import json
import os
import queue
import signal
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PATIENCE = 0.8  # seconds for an answer of the database or of the queue
STUCK = 5.0  # seconds for one turn of the sender; only a hang takes longer
DRAIN = 2.0  # seconds that Services need to notice that it ends


class Line:
    """A connection on which each line is answered by a line. It is opened again when it broke."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self.address = (host, int(port))
        self.lock = threading.Lock()
        self.file = None

    def ask(self, text: str) -> str:
        if not self.lock.acquire(timeout=PATIENCE):
            raise TimeoutError("others are before it")
        try:
            if self.file is None:
                self.file = socket.create_connection(self.address, PATIENCE).makefile("rw")
            self.file.write(text + "\n")
            self.file.flush()
            answer = self.file.readline()
            if not answer:
                raise ConnectionError("closed")
            return answer.strip()
        except OSError:
            self.file = None
            raise
        finally:
            self.lock.release()


class Orders:
    def __init__(self) -> None:
        self.database = Line(os.environ["DATABASE"])
        self.queue = Line(os.environ["QUEUE"])
        self.unsent: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.ready = self.ending = False
        self.beat = time.monotonic()

    def check(self) -> None:
        """Asks the database again and again."""
        while True:
            try:
                self.database.ask("ping")
                self.ready = True
            except OSError:
                self.ready = False
            time.sleep(0.5)

    def send(self) -> None:
        """Gives orders to the queue, one after the other. What liveness watches is that it goes round, not that the queue is there."""
        order = ""
        while True:
            self.beat = time.monotonic()
            try:
                order = order or self.unsent.get(timeout=0.5)
                self.queue.ask("put " + order)
                order = ""
            except queue.Empty:
                pass
            except OSError:
                time.sleep(0.5)


orders = Orders()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/livez":
            self.reply(200 if time.monotonic() - orders.beat < STUCK else 503)
        elif self.path == "/readyz":
            self.reply(200 if orders.ready and not orders.ending else 503)
        elif self.path == "/orders":
            self.database("count")
        else:
            self.reply(200 if self.path == "/" else 404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.database("set " + json.dumps(body.decode(errors="replace"))):
            orders.unsent.put("order")

    def database(self, text: str) -> bool:
        try:
            self.reply(200, orders.database.ask(text))
            return True
        except OSError as e:
            self.reply(503, f"the database does not answer: {e}")
            return False

    def reply(self, status: int, text: str = "") -> None:
        body = (text + "\n").encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = False  # those that are answered are waited for


def main() -> None:
    server = Server(("127.0.0.1", int(os.environ["PORT"])), Handler)
    for loop in (orders.check, orders.send):
        threading.Thread(target=loop, daemon=True).start()

    def end(*_: object) -> None:
        orders.ending = True
        threading.Timer(DRAIN, server.shutdown).start()

    signal.signal(signal.SIGTERM, end)
    server.serve_forever(0.1)
    server.server_close()
    sys.exit(0)


if __name__ == "__main__":
    main()
