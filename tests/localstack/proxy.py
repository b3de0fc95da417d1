"""A proxy between the binary and the emulator: spoils chosen calls, and honours client tokens as AWS does.

One proxy serves every account at once; the access key id in a request's signature tells whose call it is. What goes
wrong is decided by the account's `Script`; without one, a call goes through unharmed.

Emulators ignore client tokens: a RunInstances that is sent twice launches twice. AWS answers the second as the first,
so the proxy does: it keeps the answer to each token, and refuses a token that comes back with other parameters.
"""
import http.client
import random
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

# Creations that neither a token nor a name makes unique. Two requests make two objects at AWS, too, and no HTTP client
# sends a POST twice by itself, so these are not duplicated.
UNIQUE_BY_NOTHING = {"CreateVpc", "CreateInternetGateway", "AllocateAddress"}
# What may happen to a call.
FAULTS = ("drop", "cut", "refused", "unavailable", "throttled", "delayed", "late", "duplicated")
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "server", "date"}


def is_read(action):
    return action.startswith(("Describe", "Get", "List"))


class Script:
    """What happens to the calls of one run. Counts them, and keeps what came, when, and what became of it."""

    def __init__(self, seed, faults=None, strike=None):
        self.rng = random.Random(seed)
        # Number of the changing call, from 1 -> fault; 0 is any read, with the probability given.
        self.faults = faults or {}
        # (number of the changing call, 0 for the first read, "before" or "after", function that kills the run)
        self.strike = strike
        self.lock = threading.Lock()
        self.writes = 0
        self.log = []

    def arrived(self, action):
        """The number of the call among those that change something (0: it reads), and what is to go wrong."""
        with self.lock:
            if is_read(action):
                number, fault = 0, None
                if self.rng.random() < self.faults.get(0, 0.0):
                    fault = self.rng.choice(FAULTS)
            else:
                self.writes += 1
                number, fault = self.writes, self.faults.get(self.writes)
            if fault == "duplicated" and action in UNIQUE_BY_NOTHING:
                fault = "cut"
            self.log.append((time.monotonic(), number, action, fault))
            return number, fault, self.rng.random()

    def struck(self, number, when):
        """Kills the run if it is to die of this call. True if the call is to have no answer."""
        with self.lock:
            if self.strike is None or self.strike[:2] != (number, when):
                return False
            strike, self.strike = self.strike[2], None
        return strike()

    def text(self):
        calls = [(number, action, fault) for _, number, action, fault in self.log if number or fault]
        return ", ".join(f"{number or ''}{action}{f' [{fault}]' if fault else ''}" for number, action, fault in calls)


class Proxy(ThreadingHTTPServer):
    """Listens on a free port; `scripts` holds the script of each account."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, upstream):
        super().__init__(("127.0.0.1", 0), Handler)
        self.upstream = urlsplit(upstream)
        self.scripts = {}
        self.tokens = {}
        self.lock = threading.Lock()
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """A client that died is nothing to tell."""

    def token_entry(self, key):
        with self.lock:
            return self.tokens.setdefault(key, {"lock": threading.Lock(), "answer": None, "parameters": None})


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    upstream = None

    def log_message(self, *_):
        pass

    def finish(self):
        if self.upstream:
            self.upstream.close()
        super().finish()

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        # The scope of the signature: Credential=KEY/DATE/REGION/SERVICE/aws4_request
        scope = re.search(r"Credential=(\d{12})/[^/]*/[^/]*/([^/]*)/", self.headers.get("Authorization", ""))
        account, service = scope.groups() if scope else ("", "")
        target = self.headers.get("X-Amz-Target", "")
        form = {} if target else dict(parse_qsl(body.decode(), keep_blank_values=True))
        action = form.get("Action") or target.rpartition(".")[2]
        script = self.server.scripts.get(account)
        if script is None:
            return self.reply(self.forward(account, form, body))
        number, fault, chance = script.arrived(action)
        if script.struck(number, "before"):
            return self.cut()
        if fault == "drop":
            return self.cut()
        if fault == "refused":
            return self.reply(error(service, 503, "Unavailable" if service == "ec2" else "ServiceUnavailable"))
        if fault == "throttled":
            return self.reply(error(service, 503 if service == "ec2" else 400, "RequestLimitExceeded" if service == "ec2" else "Throttling"))
        if fault == "delayed":
            time.sleep(2 * chance)
        answer = self.forward(account, form, body)
        if fault == "duplicated":
            second = self.forward(account, form, body)
            # Either answer may be the one that gets through.
            answer = second if chance < 0.5 else answer
        if script.struck(number, "after"):
            return self.cut()
        if fault == "cut":
            return self.cut()
        if fault == "late":
            time.sleep(2 * chance)
        if fault == "unavailable":
            answer = error(service, 500, "InternalError" if service == "ec2" else "InternalFailure")
        return self.reply(answer)

    def forward(self, account, form, body):
        """Sends the call on, once for each client token."""
        token = form.get("ClientToken")
        if not token:
            return self.send_upstream(body)
        entry = self.server.token_entry((account, form["Action"], token))
        with entry["lock"]:
            if entry["answer"] is None:
                answer = self.send_upstream(body)
                if answer[0] == 200:
                    entry["answer"], entry["parameters"] = answer, form
                return answer
            if entry["parameters"] != form:
                return error("ec2", 400, "IdempotentParameterMismatch")
            return entry["answer"]

    def send_upstream(self, body):
        for fresh in (False, True):
            if self.upstream is None or fresh:
                self.upstream = http.client.HTTPConnection(self.server.upstream.hostname, self.server.upstream.port, timeout=120)
            try:
                self.upstream.request("POST", self.path, body, dict(self.headers))
                answer = self.upstream.getresponse()
                return answer.status, answer.getheaders(), answer.read()
            except http.client.RemoteDisconnected:
                # An idle connection that the emulator closed: it did not see the request.
                self.upstream.close()
                if fresh:
                    raise
        raise AssertionError("unreachable")

    def reply(self, answer):
        status, headers, body = answer
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def cut(self):
        self.close_connection = True


def error(service, status, code):
    """An error answer in the protocol of the service."""
    message = "made by the test"
    if service == "ec2":
        text = f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors><RequestID>test</RequestID></Response>"
    elif service == "ssm":
        return status, [("Content-Type", "application/x-amz-json-1.1")], f'{{"__type":"{code}Exception","message":"{message}"}}'.encode()
    else:
        text = f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>test</RequestId></ErrorResponse>"
    return status, [("Content-Type", "text/xml")], text.encode()
