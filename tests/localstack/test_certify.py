"""`aloka certify` on the emulator: a rehearsal of what it does on AWS, with the real driver and the real time.

    cargo build -p aloka && ALOKA_BIN=target/debug/aloka localstack/emulator run -- tests/localstack/run

Runs the tests of test_stack.py at the same time.
"""
import json
import re
import subprocess
import sys
import unittest
from pathlib import Path

import harness
import test_stack
from emulated import unlisted
from readback import World, check_gone
from spoiler import Spoiler
from test_stack import Life, SavedPlan  # noqa: F401: the tests of these are run from here, too


class Certify(unittest.TestCase):
    """A certification in an account and a folder of its own."""

    maxDiff = None

    def setUp(self):
        self.top = self.enterContext(harness.scratch())
        self.url, self.account = harness.endpoint(), harness.fresh_account()
        self.aws = harness.Aws(self.url, self.account)

    def certify(self, *args, url=None, expect):
        """The report of `aloka certify`, and what it told under way."""
        env = harness.environment(self.top / "home", url or self.url, self.account)
        command = [harness.binary(), "-cloud=aws", "certify", f"-account={self.account}", "-max-cost=5", "-auto-approve", "-json", *args]
        done = subprocess.run(command, cwd=self.top, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=900)
        self.assertEqual(done.returncode, expect, f"exit code; {done.stdout}\n{done.stderr}\n{self.logs()}")
        report = json.loads(done.stdout)
        self.assertEqual((report["cloud"], report["account"], report["unread"]), ("aws", self.account, []))
        for step in report["steps"]:
            print(f"{step['seconds']:6.1f} s  {step['name']}: {step['ended']}", file=sys.stderr)
        return report, done.stderr

    def logs(self):
        """The last lines of the last step."""
        logs = sorted((self.top / ".aloka/certify").rglob("*.log"))
        return f"{logs[-1].name}: {logs[-1].read_text()[-3000:]}" if logs else ""

    def assert_nothing_left(self, report):
        self.assertIsNone(report["left"])
        check_gone(self, World(self.aws))
        self.assertEqual(self.aws.rds.describe_db_snapshots()["DBSnapshots"], [], "snapshots")

    def test_every_step_is_taken_and_what_differs_is_what_is_listed(self):
        report, told = self.certify("-seed=7", expect=2)
        self.assertIsNone(report["failure"])
        self.assert_nothing_left(report)
        steps = re.findall(r"(?m)^step (\d+) of (\d+): (\S+)$", told)
        self.assertEqual([name for _, _, name in steps], [step["name"] for step in report["steps"]])
        self.assertEqual(len(steps), int(steps[-1][1]), "not every step was taken")
        killed = [step["name"] for step in report["steps"] if step["ended"].startswith("killed")]
        self.assertTrue(killed, "no run was killed")
        self.assertGreater(report["checked"], 1000)
        # From the first run on that was killed, what was sent is guessed from what is seen later, and an emulator that is done
        # at once shows too little of it: there a difference may be one of the guess.
        first = next(number for number, step in enumerate(report["steps"], 1) if step["name"] == killed[0])
        is_sure = lambda each: int(each["receipt"].split("-")[0]) < first
        found = [(each["operation"], each["difference"]) for each in report["differences"]]
        sure = [(each["operation"], each["difference"]) for each in report["differences"] if is_sure(each)]
        print(f"{len(sure)} differences before a run was killed, {len(found) - len(sure)} after it", file=sys.stderr)
        self.assertGreater(len(sure), 30)
        unknown, unseen = unlisted(sure)[0], unlisted(found)[1]
        self.assertEqual(unknown, [], "differences that emulated.py does not list")
        self.assertEqual(unseen, [], "listed in emulated.py, and not different any more")

    def test_what_was_made_is_destroyed_when_a_step_fails(self):
        refused = (400, "InvalidParameterCombination")
        spoiler = Spoiler(self.url, ("rds POST ModifyDBInstance", "error", refused))
        report, _ = self.certify("-seed=7", url=spoiler.url, expect=1)
        self.assertRegex(report["failure"], r"^step change-in-place-as-saved: exit code 1 .*InvalidParameterCombination")
        *_, made, failed, cleared = report["steps"]
        self.assertEqual((made["name"], failed["name"], cleared["name"]), ("save-plan", "change-in-place-as-saved", "clear-up"))
        self.assertIn("exit code 0", cleared["ended"])
        self.assert_nothing_left(report)


if __name__ == "__main__":
    harness.endpoint()
    if not harness.binary():
        sys.exit(f"ALOKA_BIN is not set: cargo build -p aloka, then ALOKA_BIN=target/debug/aloka {Path(__file__).parent}/run")
    harness.main()
