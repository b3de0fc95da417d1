"""Kills the real binary, spoils its calls, runs it again, and looks at what is left with another client.

    cargo build -p aloka && ALOKA_BIN=target/debug/aloka localstack/emulator run -- tests/localstack/torture --kills 200

A life is a stack in an account and a folder of its own: applied, changed and destroyed, each time with some runs that
are killed (SIGKILL, SIGTERM, SIGINT, SIGINT twice; at a moment, or at a call before or after the emulator acted), or
whose calls go wrong (proxy.py). Then one run that is left alone must end well, and the account must hold what an
undisturbed life holds: same objects, none twice, none left over. Lives run side by side, as most of their time is
waiting. Everything is drawn from the seed and the number of the life; the order in which parallel calls arrive is not.
"""
import argparse
import difflib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

import harness
from harness import CANARY, DATABASE
from picture import picture
from proxy import FAULTS, Proxy, Script
from readback import World, check, check_gone

# Seconds after which a run is taken to hang. Most that is waited for on purpose is twice 30 s, for what AWS may show late.
HANGS_AFTER = 150
# A run that says that it stops may send what it had in hand, and the machine may be slow.
STOPS_WITHIN = 1.5
# It says so within this time: the machine may be slow.
HEARS_WITHIN = 10
# A run that was told twice waits for nothing more, whatever does not answer.
ABANDONS_WITHIN = 8
VARIANT = """app_instance_type = "t3.medium"
app_ingress = [{ port = 443 }, { port = 8080 }]
app_instance_count = 2
enable_nat_gateway = false
tags = { Team = "web" }
"""
APPLY = ("apply", "-auto-approve")
DESTROY = ("destroy", "-auto-approve", f"-allow-data-loss={DATABASE}")
# Name, command, what is added to terraform.tfvars.
STAGES = (("create", APPLY, ""), ("change", APPLY, VARIANT), ("destroy", DESTROY, VARIANT))
KILLS = {"SIGKILL": [signal.SIGKILL], "SIGTERM": [signal.SIGTERM], "SIGINT": [signal.SIGINT], "SIGINT twice": [signal.SIGINT] * 2}


class Broken(Exception):
    """A promise that was not kept."""


class Aws(harness.Aws):
    """Clients of one account, with the pages of a list."""

    making = threading.Lock()

    def __init__(self, url, account):
        # A session is not made for several threads.
        with self.making:
            super().__init__(url, account)

    def pages(self, call):
        return self.ec2.get_paginator(call).paginate()


class Life:
    """A folder, an account, and what was done there."""

    def __init__(self, number, seed, url, proxy, top):
        self.number, self.proxy, self.top = number, proxy, top
        self.rng = random.Random(f"{seed}/{number}")
        self.account = harness.fresh_account()
        self.cwd = top / "stack"
        self.cwd.mkdir()
        self.aws = Aws(url, self.account)
        self.env = harness.environment(top / "home", proxy.url, self.account) | {"TF_VAR_db_password": CANARY}
        self.story, self.kills, self.faults, self.runs = [], 0, 0, 0
        self.serial, self.lineage = 0, None

    # One run.

    def run(self, command, script=None, kill=None, at=None):
        """Runs the binary. `kill` names the signals, `at` is a moment in seconds or a number of a call and its side.
        A read, number 0, is answered only when the run has heard."""
        self.runs += 1
        script = script or Script("calm")
        out = self.top / f"run-{self.runs}.txt"
        process = None
        started = threading.Event()
        told = []  # when a signal was sent that the run lived to see
        listeners = []
        heard = []  # when it said that it stops; None if it did not before it ended or HEARS_WITHIN passed

        def listen():
            heard.append(self.wait_for(process, out, b"stopping: "))

        def strike():
            started.wait()
            listener = threading.Thread(target=listen)
            for nth, number in enumerate(KILLS[kill]):
                if nth:
                    listener.join()
                    time.sleep(0.1 * script.rng.random())
                if process.poll() is not None:
                    break
                # First: the run may end of it before this thread goes on.
                told.append(time.monotonic())
                process.send_signal(number)
                if not nth and number != signal.SIGKILL:
                    listener.start()
                    listeners.append(listener)
            # The call that told it twice is never answered.
            if kill in ("SIGKILL", "SIGINT twice"):
                try:
                    process.wait(2 * ABANDONS_WITHIN)
                except subprocess.TimeoutExpired:
                    pass
            elif isinstance(at, tuple) and at[0] == 0 and told:
                listener.join()
            return kill in ("SIGKILL", "SIGINT twice")

        timer = None
        if isinstance(at, float):
            timer = threading.Timer(at, strike)
        elif at:
            script.strike = (*at, strike)
        self.proxy.scripts[self.account] = script
        before = time.monotonic()
        with out.open("wb") as file:
            process = subprocess.Popen([harness.binary(), *command], cwd=self.cwd, env=self.env, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
            started.set()
            if timer:
                timer.start()
            try:
                code = process.wait(HANGS_AFTER)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                code = "hangs"
            finally:
                if timer:
                    timer.cancel()
        took = time.monotonic() - before
        for listener in listeners:
            listener.join()
        self.kills += bool(told)
        self.faults += sum(bool(fault) for *_, fault in script.log)
        what = f"{kill} {f'at {at:.2f} s' if isinstance(at, float) else f'{at[1]} call {at[0]}'}" if told else "-"
        self.story.append(f"{self.runs:3} aloka {command[0]}: exit {code} after {took:.2f} s; killed: {what}; calls: {script.text()}")
        heard_at = heard[0] if heard else None
        if len(told) == 2 and heard_at:
            self.require(before + took < told[1] + ABANDONS_WITHIN, "told twice to stop, it waited on")
        self.look_at_run(code, out, script, told, heard_at, kill)
        return code

    def look_at_run(self, code, out, script, told, heard_at, kill):
        """What must be true after every run, however it ended."""
        text = out.read_text(errors="replace")
        self.require(code != "hangs", f"did not end within {HANGS_AFTER} s")
        for bad in ("panicked at", "invariant violated", CANARY):
            self.require(bad not in text, f"`{bad}` is printed")
        signals = {-number for number in KILLS[kill]} if told else set()
        self.require(code in {0, 1} | signals, f"exit code {code}")
        if told and kill != "SIGKILL":
            last = heard_at + STOPS_WITHIN if heard_at else told[0] + HEARS_WITHIN
            late = [f"{action} {at - told[0]:.1f} s after" for at, number, action, _ in script.log if number and at > last]
            self.require(not late, f"changes after it was told to stop: {late}")
        lock = self.cwd / ".terraform.tfstate.lock.info"
        self.require(code not in (0, 1) or not lock.exists(), "the lock was not given back")
        state = self.state()
        if state:
            self.require(state["serial"] >= self.serial, f"serial fell from {self.serial} to {state['serial']}")
            self.require(self.lineage in (None, state["lineage"]), f"lineage was {self.lineage} and is {state['lineage']}")
            self.serial, self.lineage = state["serial"], state["lineage"]
        for path in self.top.rglob("*"):
            if path.is_file():
                self.require(CANARY.encode() not in path.read_bytes(), f"the password is in {path.name}")

    def wait_for(self, process, out, word):
        """Two signals that come before the first is heard are one: so the second waits for a word of the run, as people
        do. When it was said; None if it was not before the run ended or HEARS_WITHIN passed."""
        deadline = time.monotonic() + HEARS_WITHIN
        while time.monotonic() < deadline and process.poll() is None:
            if word in out.read_bytes():
                return time.monotonic()
            time.sleep(0.01)
        return None

    def state(self):
        """The state file, which is whole whenever it is looked at."""
        path = self.cwd / "terraform.tfstate"
        if not path.exists() or not path.stat().st_size:
            return None
        try:
            return json.loads(path.read_text())
        except ValueError as error:
            raise self.broken(f"the state file is no JSON: {error}") from error

    def age_state(self):
        """The emulator shows every change at once, so there is nothing to wait for; one time in five it is waited for
        all the same."""
        path = self.cwd / "terraform.tfstate"
        if self.rng.random() < 0.8 and path.exists():
            os.utime(path, (time.time() - 60,) * 2)

    # Judgement.

    def broken(self, why):
        last = self.top / f"run-{self.runs}.txt"
        tail = last.read_text(errors="replace")[-6000:] if last.exists() else "(no run yet)"
        story = "\n".join(self.story)
        return Broken(f"life {self.number}, account {self.account}: {why}\n--- story\n{story}\n--- the last run printed\n{tail}\n--- state\n{self.state_text()}")

    def state_text(self):
        """Serial, intents and what is recorded, by id."""
        path = self.cwd / "terraform.tfstate"
        try:
            state = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            return str(error)
        ids = {f"{r.get('module', '')} {r['type']}.{r['name']}[{i.get('index_key', '')}]": i["attributes"].get("id")
               for r in state["resources"] if r["mode"] == "managed" for i in r["instances"]}
        return json.dumps({"serial": state["serial"], "intents": state["aloka"].get("intents"), "resources": ids}, indent=1)

    def require(self, truth, why):
        if not truth:
            raise self.broken(why)

    def compare(self, stage, wanted):
        """The account holds what it should, by another client's word, and the plan is empty."""
        found = picture(self.aws)
        lines = list(difflib.unified_diff(wanted, found, "undisturbed", "this life", n=0, lineterm=""))
        self.require(not lines, f"after {stage} the account holds something else:\n" + "\n".join(lines))
        if stage == "destroy":
            check_gone(unittest.TestCase(), World(self.aws))
            left = [r for r in self.state()["resources"] if r["mode"] == "managed"]
            self.require(not left and not self.state()["aloka"].get("intents"), f"the state records {left}")
            files = sorted(str(path.relative_to(self.cwd)) for path in self.cwd.rglob("*") if not path.is_dir())
            receipts = [name for name in files if name.startswith(".aloka/receipts/") and name.endswith(".jsonl")]
            known = {"terraform.tfstate", "terraform.tfstate.backup", "terraform.tfvars", *receipts}
            self.require(set(files) <= known and len(receipts) <= 10, f"files left: {files}")
            open_to_others = [name for name in receipts if (self.cwd / name).stat().st_mode & 0o077]
            self.require(not open_to_others, f"receipts that others may read: {open_to_others}")
        else:
            self.require(self.run(("plan", "-detailed-exitcode")) == 0, f"the plan after {stage} is not empty")

    def set_variables(self, more):
        (self.cwd / "terraform.tfvars").write_text(harness.TFVARS + more)

    # Stories.

    def interrupted_question(self):
        """Ctrl-C at the question ends the run, and nothing was done."""
        process = subprocess.Popen([harness.binary(), "apply"], cwd=self.cwd, env=self.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        text = ""
        while "Enter a value:" not in text and (more := process.stdout.read(1)):
            text += more
        process.send_signal(signal.SIGINT)
        try:
            code = process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            raise self.broken("Ctrl-C at the question is not heard") from None
        finally:
            process.stdin.close()
            process.stdout.close()
        self.require(code == 1, f"exit code {code} after Ctrl-C at the question")
        self.require(not self.state() and sorted(p.name for p in self.cwd.iterdir()) == ["terraform.tfvars"], "Ctrl-C at the question left files")

    def interrupted_reads(self):
        """Ctrl-C while the plan is made ends the run, though every read is answered: nothing is asked, nothing done."""
        script = Script("calm")
        code = self.run(APPLY, script, "SIGINT", (0, "before"))
        self.require(code == 1 and not script.writes, f"exit code {code} and {script.writes} changes after Ctrl-C while planning")

    def undisturbed(self):
        """A life that nothing happens to: pictures, durations and numbers of changing calls by stage."""
        known = {}
        for stage, command, more in STAGES:
            self.set_variables(more)
            if stage == "create":
                self.interrupted_question()
                self.interrupted_reads()
            script = Script("calm")
            before = time.monotonic()
            self.require(self.run(command, script) == 0, f"an undisturbed {stage} does not end well")
            took = time.monotonic() - before
            if stage == "create":
                check(unittest.TestCase(), World(self.aws), self.lineage)
            known[stage] = (picture(self.aws), took, script.writes)
            self.compare(stage, known[stage][0])
        return known

    def tortured(self, known):
        for stage, command, more in STAGES:
            self.set_variables(more)
            wanted, took, writes = known[stage]
            for _ in range(self.rng.randint(2, 5)):
                calm = self.disturbed(command, took, writes)
                self.age_state()
                if calm and self.rng.random() < 0.7:
                    break
            self.require(self.run(command) == 0, f"a run that was left alone did not finish the {stage}")
            self.compare(stage, wanted)

    def disturbed(self, command, took, writes):
        """One run that is killed, or whose calls go wrong, or both. True if it got through."""
        rng = self.rng
        story = rng.choice(("moment", "moment", "call", "call", "call", "faults", "faults and moment", "faults and call"))
        faults = {}
        if "faults" in story:
            faults = {rng.randint(1, writes): rng.choice(FAULTS) for _ in range(rng.randint(1, 4))} | {0: 0.03}
        script = Script(rng.random(), faults)
        kill = at = None
        if "moment" in story:
            kill, at = rng.choice(list(KILLS)), rng.uniform(0.02, 1.1 * took)
        elif "call" in story:
            kill, at = rng.choice(list(KILLS)), (min(int(rng.expovariate(0.12)), writes), rng.choice(("before", "after")))
        code = self.run(command, script, kill, at)
        if story == "faults":
            self.require(code == 0, "faults that pass were not got over")
        return code == 0


class Torture:
    """Lives side by side until enough runs were killed."""

    def __init__(self, options):
        self.options, self.url = options, harness.endpoint()
        self.proxy = Proxy(self.url)
        self.lock = threading.Lock()
        self.next, self.kills, self.faults, self.runs, self.lives, self.failures = 0, 0, 0, 0, 0, []

    def live(self, number, act):
        with harness.scratch() as top:
            life = Life(number, self.options.seed, self.url, self.proxy, top)
            try:
                return act(life)
            except Broken:
                raise
            except Exception as error:
                raise life.broken(f"{type(error).__name__}: {error}") from error
            finally:
                with self.lock:
                    self.kills, self.faults, self.runs, self.lives = self.kills + life.kills, self.faults + life.faults, self.runs + life.runs, self.lives + 1
                    if self.options.verbose:
                        print(f"life {number}:", *life.story, sep="\n", file=sys.stderr, flush=True)

    def take(self):
        """The number of the next life; None if there was enough of them."""
        with self.lock:
            if self.kills >= self.options.kills or self.failures:
                return None
            self.next += 1
            return self.next

    def work(self, known):
        while (number := self.take()) is not None:
            self.attempt(number, known)

    def attempt(self, number, known):
        try:
            self.live(number, lambda life: life.tortured(known))
        except Broken as broken:
            with self.lock:
                self.failures.append((number, str(broken)))

    def run(self):
        seed = self.options.seed
        print(f"seed {seed}, at least {self.options.kills} kills, {self.options.workers} lives at a time", flush=True)
        began = time.monotonic()
        try:
            known = self.live(0, Life.undisturbed)
        except Broken as broken:
            print(broken)
            return 1
        self.runs = self.lives = 0
        if self.options.only:
            self.attempt(self.options.only, known)
        else:
            with ThreadPoolExecutor(self.options.workers) as pool:
                for future in [pool.submit(self.work, known) for _ in range(self.options.workers)]:
                    future.result()
        for number, text in self.failures:
            print(f"FAILED: {text}\nagain: --seed {seed} --only {number}")
        print(f"{self.lives} lives, {self.runs} runs, {self.kills} killed, {self.faults} calls spoiled, {len(self.failures)} failures, "
              f"{time.monotonic() - began:.0f} s; seed {seed}")
        return 1 if self.failures else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32), help="what everything is drawn from")
    parser.add_argument("--kills", type=int, default=200, help="how many runs to kill at least")
    parser.add_argument("--workers", type=int, default=16, help="lives at a time")
    parser.add_argument("--only", type=int, help="this life alone")
    parser.add_argument("--verbose", action="store_true", help="print every story")
    options = parser.parse_args()
    if not harness.binary():
        sys.exit("ALOKA_BIN is not set: cargo build -p aloka, then ALOKA_BIN=target/debug/aloka tests/localstack/torture")
    sys.exit(Torture(options).run())


if __name__ == "__main__":
    main()
