"""A proxy before the store of the state: from its k-th write of the state on, the store fails, until it is healed."""
import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "server", "date"}
UNAVAILABLE = b"<?xml version='1.0'?><Error><Code>ServiceUnavailable</Code><Message>made by the test</Message></Error>"


class StoreProxy(ThreadingHTTPServer):
    """Listens on a free port. `fail_from` is the number of the first write that fails, counted from 1; None for none."""

    daemon_threads = True

    def __init__(self, upstream, key):
        super().__init__(("127.0.0.1", 0), Handler)
        self.upstream, self.key = urlsplit(upstream), key
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.lock = threading.Lock()
        self.writes, self.fail_from = 0, None
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """A client that died is nothing to tell."""

    def fails(self, method, path):
        with self.lock:
            if method != "PUT" or not urlsplit(path).path.endswith(self.key):
                return False
            self.writes += 1
            return self.fail_from is not None and self.writes >= self.fail_from


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def handle_request(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.server.fails(self.command, self.path):
            return self.reply(503, [("Content-Type", "application/xml")], UNAVAILABLE)
        connection = http.client.HTTPConnection(self.server.upstream.hostname, self.server.upstream.port, timeout=60)
        try:
            connection.request(self.command, self.path, body, dict(self.headers))
            answer = connection.getresponse()
            return self.reply(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()

    def reply(self, status, headers, body):
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_request
