"""A proxy between the binary and the emulator that spoils the calls of some services, and writes down all of them.

What is spoiled is said by rules, (pattern, how, argument); the first counts whose pattern is found in `SERVICE METHOD WHAT`,
where WHAT is the action of a query, the target of a JSON call, or else the path. Rules may change while it runs.
"""
import http.client
import re
import socket
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}
QUERY = {"ec2", "rds", "sts"}
PAGE = b"<!DOCTYPE html><html><head><title>Guest network</title></head><body><a href=login>Log in</a></body></html>"


class Call:
    """One call as it came: when, with whose key, for which service, and what became of it."""

    def __init__(self, handler, body):
        scope = re.search(r"Credential=([^/]*)/[^/]*/[^/]*/([^/]*)/", handler.headers.get("Authorization", ""))
        self.key, self.service = scope.groups() if scope else ("", "")
        if self.service in QUERY:
            self.what = parse_qs(body.decode(errors="replace")).get("Action", [""])[0]
        else:
            self.what = handler.headers.get("X-Amz-Target") or handler.path
        self.at, self.method, self.how = time.monotonic(), handler.command, None

    def __repr__(self):
        return f"{self.service} {self.method} {self.what}"


class Spoiler(ThreadingHTTPServer):
    """Listens on a free port of this machine."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, upstream, *rules):
        super().__init__(("127.0.0.1", 0), Handler)
        self.upstream, self.rules, self.calls = urlsplit(upstream), list(rules), []
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """A client that died is nothing to tell."""

    def rule(self, call):
        found = (rule for rule in self.rules if re.search(rule[0], repr(call)))
        return next(found, (None, None, None))[1:]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def handle_request(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        call = Call(self, body)
        call.how, argument = self.server.rule(call)
        self.server.calls.append(call)
        match call.how:
            case "error":
                status, code = argument
                return self.reply(status, [("Content-Type", "application/xml")], error(call.service, code))
            case "page":
                return self.reply(argument, [("Content-Type", "text/html"), ("Via", "1.1 hotel")], PAGE)
            case "bare":
                status, headers = argument
                return self.reply(status, headers, b"")
            case "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                return self.connection.close()
            case "late":
                time.sleep(argument)
        upstream = http.client.HTTPConnection(self.server.upstream.hostname, self.server.upstream.port, timeout=60)
        try:
            upstream.request(self.command, self.path, body, dict(self.headers))
            answer = upstream.getresponse()
            return self.reply(answer.status, answer.getheaders(), answer.read())
        finally:
            upstream.close()

    def reply(self, status, headers, body):
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_request


def error(service, code):
    """An error answer in the protocol of the service."""
    message = "made by the test"
    if service in ("ssm", "dynamodb"):
        return f'{{"__type":"{code}","message":"{message}"}}'.encode()
    inside = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    if service == "ec2":
        return f"<Response><Errors>{inside}</Errors><RequestID>test</RequestID></Response>".encode()
    if service == "s3":
        return f"<?xml version='1.0'?>{inside}".encode()
    return f"<ErrorResponse>{inside}<RequestId>test</RequestId></ErrorResponse>".encode()
