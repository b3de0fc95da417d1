"""The network goes away in the middle of a run of the real binary, and comes back.

    cargo build -p aloka && ALOKA_BIN=target/debug/aloka localstack/emulator --container run -- tests/localstack/cut

The emulator's container is the only thing on a network of its own. It is disconnected from it, as a cable is pulled: open
connections stay open and carry nothing, what was sent may have arrived and been acted on, its answer is lost, new
connections find no route. Then it is connected again at the same address. While it is cut off, a run either waits and goes
on by itself, or is told to stop and run again afterwards. In both cases the account must hold, by another client's word,
what an undisturbed run leaves: nothing twice, nothing lost. The container is slowed down until it is cut off, so that there
is a middle to hit.

In the middle of a write of the state is a matter of one request: for that alone a relay stands between the binary and S3,
which pulls the cable before it passes the request on, or once it has the answer, which is then lost.
"""
import json
import os
import signal
import subprocess
import sys
import threading
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import harness
import test_state
from harness import CANARY
from readback import World, check, check_gone
from store_proxy import Handler, StoreProxy
from test_state import ALLOW, KEY

APPLY, DESTROY = ("apply", "-auto-approve"), ("destroy", "-auto-approve", ALLOW)
# Seconds. A request is given up after 30 s without an answer; these are well before that, and after it.
SHORT, LONG = 10, 36
# Nothing was said for so long. A line is promised each ten seconds; the machine may be slow.
SILENT = 13
# A run that has its network back ends within this time: the longest pause between two tries is 20 s.
ENDS_WITHIN = 90
# One that was told twice to stop waits for nothing that does not answer.
ABANDONS_WITHIN = 8


class Cable:
    """The container's connection to its network."""

    def __init__(self):
        self.container, self.network = os.environ["ALOKA_TEST_CONTAINER"], os.environ["ALOKA_TEST_NETWORK"]
        self.address = urllib.parse.urlsplit(harness.endpoint()).hostname
        self.lock, self.is_cut = threading.Lock(), False

    def docker(self, *args):
        done = subprocess.run(["docker", *args], capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise RuntimeError(f"docker {' '.join(args)}: {done.stderr.strip()}")

    def slow_down(self):
        self.docker("update", "--cpus", "0.2", self.container)

    def cut(self):
        with self.lock:
            if not self.is_cut:
                self.docker("network", "disconnect", self.network, self.container)
                self.is_cut = True
        self.docker("update", "--cpus", str(os.cpu_count()), self.container)

    def join(self):
        with self.lock:
            if self.is_cut:
                self.docker("network", "connect", "--ip", self.address, self.network, self.container)
                self.is_cut = False

    def reaches(self):
        """Does the emulator answer? Asked without any of what is tested."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            return opener.open(f"{harness.endpoint()}/_localstack/health", timeout=4).status == 200
        except (OSError, urllib.error.URLError):
            return False


class Run:
    """The binary at work: what it says and when."""

    def __init__(self, story, *args, env=None):
        self.args, self.lines, self.before = args, [], time.monotonic()
        self.process = subprocess.Popen([harness.binary(), *args], cwd=story.cwd, env={**story.env, **(env or {})}, text=True,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append((time.monotonic(), line.rstrip("\n")))

    def runs(self):
        return self.process.poll() is None

    def wait(self, seconds):
        """The exit code, or None if it still runs after that time."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        self.reader.join()
        self.process.stdout.close()
        return code

    def said(self, since, until):
        return [line for at, line in self.lines if since <= at <= until]

    def longest_silence(self, since, until):
        marks = [since, *(at for at, _ in self.lines if since < at < until), until]
        return max(after - before for before, after in zip(marks, marks[1:]))

    @property
    def text(self):
        lines = "\n".join(f"{at - self.before:6.1f} s  {line}" for at, line in self.lines)
        return f"$ aloka {' '.join(self.args)}\n{lines}\nexit code {self.process.poll()}"


class Relay(StoreProxy):
    """Stands before S3. Cuts the network at the `number`th write of the state, `when` it has not passed it on yet, or
    when it has its answer; that request is never answered."""

    def __init__(self, upstream, cable, number, when):
        super().__init__(upstream, KEY)
        self.RequestHandlerClass = RelayHandler
        self.cable, self.number, self.when = cable, number, when
        self.struck, self.healed = threading.Event(), threading.Event()


class RelayHandler(Handler):
    def handle_request(self):
        relay = self.server
        with relay.lock:
            is_write = self.command == "PUT" and urllib.parse.urlsplit(self.path).path.endswith(KEY)
            relay.writes += is_write
            self.strikes = is_write and relay.writes == relay.number
        if self.strikes and relay.when == "before":
            return self.strike()
        # Whatever comes while the network is away waits here as it would wait there.
        if relay.struck.is_set():
            relay.healed.wait()
        return super().handle_request()

    def reply(self, status, headers, body):
        if self.strikes:
            self.server.first_answer = status
            return self.strike()
        return super().reply(status, headers, body)

    def strike(self):
        self.server.cable.cut()
        self.server.struck.set()
        self.server.healed.wait()
        self.close_connection = True

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_request


class Story(test_state.Story):
    def setUp(self):
        super().setUp()
        self.cable = Cable()
        # Whatever fails, the next test finds a network.
        self.addCleanup(self.settle)

    def settle(self):
        self.cable.join()
        self.until("the emulator answers again", self.cable.reaches)

    def local(self):
        """The state file, which is whole whenever it is looked at; None as long as there is none, or nothing in it."""
        path = self.cwd / "terraform.tfstate"
        text = path.read_text() if path.exists() else ""
        return json.loads(text) if text else None

    def recorded(self):
        state = self.local() or {"resources": []}
        return sum(len(r["instances"]) for r in state["resources"] if r["mode"] == "managed")

    def cut_when(self, run, is_middle):
        self.until("the middle of the run", lambda: is_middle() or not run.runs() or None)
        self.cable.cut()
        self.assertIsNone(run.wait(0.1), f"it ended before the network was cut; {run.text}")
        self.assertFalse(self.cable.reaches(), "the emulator answers though it is cut off")
        return time.monotonic()

    def sit_out(self, run, since, seconds):
        """It waits while nothing answers, says so, and goes on by itself when the network is back."""
        self.assertIsNone(run.wait(max(0, since + seconds - time.monotonic())), f"it gave up; {run.text}")
        until = time.monotonic()
        self.settle()
        code = run.wait(ENDS_WITHIN)
        self.assertIsNotNone(code, f"it did not end within {ENDS_WITHIN} s of the network's return; {run.text}")
        self.step(f"cut off for {until - since:.0f} s: exit code {code} {time.monotonic() - until:.1f} s after the network was "
                  f"back; the longest silence meanwhile was {run.longest_silence(since, until):.1f} s")
        return code, run.said(since, until), run.longest_silence(since, until)

    def stop(self, run, since):
        """It is told to stop, and again, while nothing answers. It ends, and says what is not known."""
        self.assertIsNone(run.wait(3), run.text)
        run.process.send_signal(signal.SIGINT)
        self.until("it says that it stops", lambda: any("stopping: " in line for _, line in run.lines), 10)
        run.process.send_signal(signal.SIGINT)
        code = run.wait(ABANDONS_WITHIN)
        self.assertIsNotNone(code, f"told twice to stop, it did not end within {ABANDONS_WITHIN} s; {run.text}")
        self.assertNotEqual(code, 0, run.text)
        self.step(f"told twice to stop: exit code {code}")
        self.settle()

    def look_at(self, run):
        for bad in ("panicked at", "invariant violated", CANARY):
            self.assertNotIn(bad, run.text)

    def age(self):
        """What AWS may show late is not waited for: the emulator shows everything at once."""
        path = self.cwd / "terraform.tfstate"
        if path.exists():
            os.utime(path, (time.time() - 60,) * 2)

    def converge(self, command, lineage=None):
        """A run that is left alone ends well, and the account holds what it should."""
        self.age()
        again = Run(self, *command)
        code = again.wait(180)
        self.assertEqual(code, 0, f"a run that was left alone did not end well; {again.text}")
        self.look_at(again)
        state = self.local() or self.state()
        self.assertIn(lineage, (None, state["lineage"]), "another lineage")
        self.assertFalse(state["aloka"].get("intents"), "what is not known to be done is left in the state")
        if command == APPLY:
            check(self, World(self.aws), state["lineage"])
            self.age()
            self.aloka("plan", "-detailed-exitcode")
        else:
            check_gone(self, World(self.aws))
            self.assertEqual([r for r in state["resources"] if r["mode"] == "managed"], [], "resources in the state after destroy")


class Apply(Story):
    def begin(self):
        self.cable.slow_down()
        run = Run(self, *APPLY)
        return run, self.cut_when(run, lambda: self.recorded() >= 3)

    def sits_out(self, seconds):
        run, since = self.begin()
        lineage = self.local()["lineage"]
        code, said, silence = self.sit_out(run, since, seconds)
        self.look_at(run)
        self.assertEqual(code, 0, run.text)
        check(self, World(self.aws), lineage)
        self.assertTrue(any("Still creating..." in line for line in said) or seconds <= SHORT, run.text)
        self.assertLess(silence, SILENT, run.text)
        if seconds > 30:
            self.assertTrue(any("Timeout; again in" in line for line in said), f"it does not say that nothing answers; {run.text}")
        self.converge(APPLY, lineage)

    def test_short(self):
        self.sits_out(SHORT)

    def test_long(self):
        self.sits_out(LONG)

    def test_stopped(self):
        run, since = self.begin()
        lineage = self.local()["lineage"]
        self.stop(run, since)
        self.look_at(run)
        self.converge(APPLY, lineage)


class Destroy(Story):
    def begin(self):
        self.aloka(*APPLY)
        self.age()
        self.cable.slow_down()
        there = self.recorded()
        run = Run(self, *DESTROY)
        return run, self.cut_when(run, lambda: self.recorded() <= there - 3)

    def test_long(self):
        run, since = self.begin()
        lineage = self.local()["lineage"]
        code, said, silence = self.sit_out(run, since, LONG)
        self.look_at(run)
        self.assertEqual(code, 0, run.text)
        check_gone(self, World(self.aws))
        self.assertTrue(any("Still destroying..." in line for line in said), run.text)
        self.assertTrue(any("Timeout; again in" in line for line in said), f"it does not say that nothing answers; {run.text}")
        self.assertLess(silence, SILENT, run.text)
        self.converge(DESTROY, lineage)

    def test_stopped(self):
        run, since = self.begin()
        lineage = self.local()["lineage"]
        self.stop(run, since)
        self.look_at(run)
        self.converge(DESTROY, lineage)


class StateInS3(Story):
    """A write of the state that the network is cut at: one that did not arrive, and one whose answer is lost."""

    def cut_at_write(self, when):
        self.aloka("init", "-create-backend", cwd=self.directory("setup", lockfile=True))
        relay = Relay(self.url, self.cable, 3, when)
        self.addCleanup(relay.server_close)
        self.addCleanup(relay.shutdown)
        self.addCleanup(relay.healed.set)
        self.cwd = self.directory("cut", lockfile=True, s3=relay.url)
        self.cable.slow_down()
        run = Run(self, *APPLY, env={"AWS_ENDPOINT_URL_S3": relay.url})
        since = self.cut_when(run, relay.struck.is_set)
        self.assertIsNone(run.wait(max(0, since + LONG - time.monotonic())), f"it gave up; {run.text}")
        until = time.monotonic()
        self.settle()
        stored = self.state()["serial"]
        relay.healed.set()
        code = run.wait(ENDS_WITHIN)
        self.step(f"cut off for {until - since:.0f} s at write 3, {when} it was stored; exit code {code} {time.monotonic() - until:.1f} "
                  f"s after the network was back; the longest silence meanwhile was {run.longest_silence(since, until):.1f} s")
        self.assertIsNotNone(code, run.text)
        self.look_at(run)
        state = self.state()
        self.assertGreaterEqual(state["serial"], stored, "the state went back")
        self.assertLess(run.longest_silence(since, until), SILENT, run.text)
        self.assertEqual(code, 0, run.text)
        check(self, World(self.aws), state["lineage"])
        self.assert_free({"lockfile": True})
        self.cwd = self.directory("clean", lockfile=True)
        self.converge(APPLY, state["lineage"])

    def test_write_that_did_not_arrive(self):
        self.cut_at_write("before")

    def test_write_whose_answer_is_lost(self):
        self.cut_at_write("after")


if __name__ == "__main__":
    harness.endpoint()
    if not harness.binary():
        sys.exit(f"ALOKA_BIN is not set: cargo build -p aloka, then ALOKA_BIN=target/debug/aloka {Path(__file__).parent}/cut")
    if not os.environ.get("ALOKA_TEST_CONTAINER"):
        sys.exit("ALOKA_TEST_CONTAINER is not set: localstack/emulator --container run -- ...")
    # One after the other: they cut the same network.
    harness.main(together=1)
