"""The real binary against the emulator: two stories, each in an account and a folder of its own.

    cargo build -p aloka && ALOKA_BIN=target/debug/aloka localstack/emulator run -- tests/localstack/run

What every command printed and every file it left is searched for the database password.
"""
import contextlib
import json
import re
import shutil
import stat
import subprocess
import sys
import time
import unittest
from pathlib import Path

import harness
from harness import CANARY, DATABASE
from readback import World, check, check_gone, differing, rules, tags

OUTPUTS = {"app_public_ip", "app_public_dns", "db_endpoint", "db_subnet_group_name", "app_security_group_id", "db_security_group_id", "vpc_id"}
ROOT = ["aws_db_instance.postgres", "aws_db_subnet_group.main", "aws_security_group.app", "aws_security_group.db"]
MODULE = [
    "aws_default_security_group.this[0]", "aws_eip.nat[0]", "aws_internet_gateway.this[0]", "aws_nat_gateway.this[0]",
    "aws_route.private_nat_gateway[0]", "aws_route.public_internet_gateway[0]", "aws_route_table.private[0]", "aws_route_table.public[0]",
    "aws_route_table_association.private[0]", "aws_route_table_association.private[1]", "aws_route_table_association.public[0]",
    "aws_route_table_association.public[1]", "aws_subnet.private[0]", "aws_subnet.private[1]", "aws_subnet.public[0]",
    "aws_subnet.public[1]", "aws_vpc.this[0]",
]
ADDRESSES = {*ROOT, "aws_instance.app", *(f"module.vpc.{name}" for name in MODULE)}
OTHER_PASSWORD = CANARY + "-2"
ALLOW = f"-allow-data-loss={DATABASE}"


class Result:
    """What a command did."""

    def __init__(self, command, done):
        self.text = f"$ {command}\nexit code {done.returncode}\n--- stdout\n{done.stdout}--- stderr\n{done.stderr}"
        self.out, self.all = done.stdout, done.stdout + done.stderr


class Story(unittest.TestCase):
    """A working folder, an account, and the steps taken there."""

    maxDiff = None

    def setUp(self):
        self.top = self.enterContext(harness.scratch())
        self.cwd = self.top / "stack"
        self.cwd.mkdir()
        url, account = harness.endpoint(), harness.fresh_account()
        self.env = harness.environment(self.top / "home", url, account)
        self.aws = harness.Aws(url, account)
        self.tfvars = self.cwd / "terraform.tfvars"
        self.tfvars.write_text(harness.TFVARS)

    def run_aloka(self, *args, expect=0):
        """Runs the binary; fails on another exit code, or if the password shows up anywhere."""
        done = subprocess.run([harness.binary(), *args], cwd=self.cwd, env=self.env, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=600)
        result = Result(f"aloka {' '.join(args)}", done)
        self.assertEqual(done.returncode, expect, f"exit code; {result.text}")
        self.assertNotIn(CANARY, result.all, f"the password is printed by aloka {' '.join(args)}")
        for path in self.top.rglob("*"):
            if path.is_file() and path != self.tfvars:
                self.assertNotIn(CANARY.encode(), path.read_bytes(), f"the password is in {path.name} after aloka {' '.join(args)}")
                if "tfstate" in path.name or "tfplan" in path.name:
                    self.assertEqual(oct(stat.S_IMODE(path.stat().st_mode)), "0o600", f"mode of {path.name}")
        return result

    @contextlib.contextmanager
    def step(self, what):
        """One line for each step, with its duration."""
        start, verdict = time.monotonic(), "FAIL"
        try:
            yield
            verdict = "ok"
        finally:
            print(f"{verdict:4} {time.monotonic() - start:6.1f} s  {what}", file=sys.stderr, flush=True)

    def state(self):
        return json.loads((self.cwd / "terraform.tfstate").read_text())

    def check(self, **expected):
        world = World(self.aws)
        check(self, world, self.state()["lineage"], **expected)
        return world

    def assert_no_change(self):
        """The plan is empty, and applying it changes nothing in the world."""
        self.run_aloka("plan", "-detailed-exitcode")
        before = World(self.aws).snapshot()
        self.run_aloka("apply", "-auto-approve")
        self.assertEqual(differing(before, World(self.aws).snapshot()), set(), "a second apply changed the world")

    def assert_plan(self, add, change, destroy, *args, names=()):
        """The plan has something to do: so many objects, and these are named."""
        result = self.run_aloka("plan", "-detailed-exitcode", *args, expect=2)
        self.assertIn(f"Plan: {add} to add, {change} to change, {destroy} to destroy.", result.out, result.text)
        for name in names:
            self.assertIn(name, result.out, f"the plan does not name {name}; {result.text}")

    def recorded(self):
        """Addresses in the state file, as Terraform lists them."""
        return {
            ".".join(filter(None, [r.get("module"), r["type"], r["name"]])) + (f"[{i['index_key']}]" if "index_key" in i else "")
            for r in self.state()["resources"] if r["mode"] == "managed" for i in r["instances"]
        }

    def assert_outputs(self, text):
        values = {name: output["value"] for name, output in json.loads(text).items()}
        self.assertEqual(set(values), OUTPUTS, "names of the outputs")
        world = World(self.aws)
        instance, postgres = world.instance(), world.dbs[0]
        self.assertEqual(values, {
            "app_public_ip": instance["PublicIpAddress"], "app_public_dns": instance["PublicDnsName"],
            "db_endpoint": f"{postgres['Endpoint']['Address']}:{postgres['Endpoint']['Port']}",
            "db_subnet_group_name": "aloka-db-subnet-group", "app_security_group_id": world.groups["aloka-app-sg"]["GroupId"],
            "db_security_group_id": world.groups["aloka-db-sg"]["GroupId"], "vpc_id": world.vpcs[0]["VpcId"],
        }, "values of the outputs")

    def terraform(self, *args):
        """What Terraform makes of a copy of the state file."""
        copy = self.top / "read-by-terraform"
        copy.mkdir(exist_ok=True)
        shutil.copy(self.cwd / "terraform.tfstate", copy)
        done = subprocess.run(["terraform", *args], cwd=copy, env=self.env, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, f"terraform {args} cannot read the state file: {done.stderr}")
        return done.stdout

    def assert_destroyed(self):
        self.run_aloka("destroy", "-auto-approve", ALLOW)
        check_gone(self, World(self.aws))
        self.assertEqual(self.recorded(), set(), "resources in the state after destroy")
        self.run_aloka("destroy", "-auto-approve", ALLOW)


class Life(Story):
    """From nothing through every kind of change to nothing; the password comes from the environment."""

    def test_life_of_a_stack(self):
        self.env["TF_VAR_db_password"] = CANARY
        with self.step("plan from nothing"):
            self.assert_plan(22, 0, 0, names=ADDRESSES)
            check_gone(self, World(self.aws))
        with self.step("apply"):
            result = self.run_aloka("apply", "-auto-approve")
            for name in OUTPUTS:
                self.assertRegex(result.out, rf"(?m)^{name}\s*=\s*\S", f"output {name} is not printed; {result.text}")
        with self.step("everything is there as described"):
            self.check()
            self.assertEqual(self.recorded(), ADDRESSES, "addresses in the state")
        with self.step("outputs"):
            self.assert_outputs(self.run_aloka("output", "-json").out)
        with self.step("nothing to do after apply"):
            self.assert_no_change()
            # The apply in between may have recorded what AWS made of the objects since.
            state = (self.cwd / "terraform.tfstate").read_bytes()
            self.assert_no_change()
            self.assertEqual((self.cwd / "terraform.tfstate").read_bytes(), state, "an apply with nothing to do changed the state file")
        if shutil.which("terraform"):
            with self.step("terraform reads the state file"):
                listed = set(self.terraform("state", "list").split())
                self.assertEqual({a for a in listed if not a.startswith("data.")}, ADDRESSES, "terraform state list")
                self.assert_outputs(self.terraform("output", "-json"))
        else:
            print("skip           terraform reads the state file: no terraform in PATH", file=sys.stderr)
        self.changes()
        self.drift()
        self.stale_plan()
        with self.step("what would destroy the database is refused until it is named"):
            for command in (["destroy"], ["destroy", "-allow-data-loss=another-db"], ["apply", "-var", "db_username=someone"]):
                before = World(self.aws).snapshot()
                result = self.run_aloka(*command, "-auto-approve", expect=1)
                self.assertIn(DATABASE, result.all, f"the refusal does not name the database; {result.text}")
                self.assertEqual(differing(before, World(self.aws).snapshot()), set(), f"refused, but changed the world: {command}")
        with self.step("destroy, and destroy again"):
            self.assert_destroyed()

    def changes(self):
        """Changed variables change what they should and nothing else."""
        first = World(self.aws)
        original = first.instance()["InstanceId"]
        with self.step("another instance type: only the instance, in place"):
            self.write('app_instance_type = "t3.medium"')
            self.assert_plan(0, 1, 0, names=["aws_instance.app", "t3.medium"])
            self.run_aloka("apply", "-auto-approve")
            changed = {path for path in differing(first.snapshot(), self.check(kind="t3.medium").snapshot())
                       if not re.search(r"LaunchTime|AttachTime|StateTransitionReason|StateReason", path)}
            self.assertLessEqual({f"{original}.InstanceType"}, changed, "the instance's type")
            self.assertEqual({path.split(".")[0] for path in changed}, {original}, f"changed beside the instance: {changed}")
            self.assert_no_change()
        with self.step("another ingress port and another tag"):
            self.write('app_instance_type = "t3.medium"', "app_ingress = [{ port = 80 }, { port = 443 }, { port = 8080 }]", 'tags = { Team = "web" }')
            self.run_aloka("apply", "-auto-approve")
            self.check(kind="t3.medium", ports=(80, 443, 8080), extra={"Team": "web"})
            self.assert_no_change()
        with self.step("back to the first values"):
            self.write()
            self.run_aloka("apply", "-auto-approve")
            self.check()
        with self.step("two instances: the first stays and gets an index"):
            self.write("app_instance_count = 2")
            self.assert_plan(1, 1, 0, names=["aws_instance.app[0]", "aws_instance.app[1]"])
            self.run_aloka("apply", "-auto-approve")
            pair = ("aws_instance.app[0]", "aws_instance.app[1]")
            world = self.check(instances=pair)
            self.assertEqual(self.recorded(), ADDRESSES - {"aws_instance.app"} | set(pair), "addresses in the state")
            kept = {tags(i)["aloka-address"] for i in world.instances if i["InstanceId"] == original}
            self.assertEqual(kept, {"aws_instance.app/0"}, "the first instance was not kept as aws_instance.app[0]")
            self.assert_no_change()
        with self.step("one instance: the first stays and loses its index"):
            self.write()
            self.run_aloka("apply", "-auto-approve")
            self.assertEqual(self.check().instance()["InstanceId"], original, "the first instance was not kept")
            self.assert_no_change()

    def drift(self):
        """What somebody else changed is seen and put right."""
        with self.step("drift: a rule that opens the database, a tag that is gone"):
            world = World(self.aws)
            group, vpc = world.groups["aloka-db-sg"]["GroupId"], world.vpcs[0]["VpcId"]
            rogue = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
            self.aws.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rogue])
            self.aws.ec2.delete_tags(Resources=[vpc], Tags=[{"Key": "Project"}])
            self.assertEqual(len(rules(World(self.aws).groups["aloka-db-sg"]["IpPermissions"])), 2, "the drift was not made")
            self.assert_plan(0, 2, 0, names=["aws_security_group.db", "0.0.0.0/0", "module.vpc.aws_vpc.this[0]", "Project"])
            self.run_aloka("apply", "-auto-approve")
            self.check()
            self.assert_no_change()
        with self.step("drift: the instance is gone"):
            gone = World(self.aws).instance()["InstanceId"]
            self.aws.ec2.terminate_instances(InstanceIds=[gone])
            self.assert_plan(1, 0, 0, names=["aws_instance.app"])
            self.run_aloka("apply", "-auto-approve")
            self.assertNotEqual(self.check().instance()["InstanceId"], gone, "no new instance")
            self.assert_no_change()

    def stale_plan(self):
        """A plan is for the world it was made from."""
        with self.step("a saved plan is refused once another apply came between"):
            self.run_aloka("plan", "-out=tfplan", "-var", "app_instance_type=t3.large")
            self.run_aloka("apply", "-auto-approve", "-var", "app_instance_type=t3.medium")
            before = World(self.aws).snapshot()
            result = self.run_aloka("apply", "tfplan", expect=1)
            self.assertIn("stale", result.all.lower(), f"the refusal does not say that the plan is stale; {result.text}")
            self.assertEqual(differing(before, World(self.aws).snapshot()), set(), "a stale plan changed the world")

    def write(self, *lines):
        self.tfvars.write_text(harness.TFVARS + "\n".join(lines) + "\n")


class SavedPlan(Story):
    """The password stands in terraform.tfvars, and every apply is that of a saved plan."""

    def password(self, password):
        self.tfvars.write_text(f'{harness.TFVARS}db_password = "{password}"\n')

    def test_saved_plans(self):
        self.password(CANARY)
        with self.step("a saved plan, applied"):
            self.run_aloka("plan", "-out=tfplan")
            self.run_aloka("apply", "tfplan")
            self.check()
            self.assertEqual(self.recorded(), ADDRESSES, "addresses in the state")
        with self.step("nothing to do after it"):
            self.assert_no_change()
        with self.step("another password: only the database, in place"):
            before = World(self.aws).snapshot()
            self.password(OTHER_PASSWORD)
            self.assert_plan(0, 1, 0, "-out=tfplan", names=["aws_db_instance.postgres"])
            self.run_aloka("apply", "tfplan")
            touched = {path.split(".")[0] for path in differing(before, self.check().snapshot())}
            self.assertLessEqual(touched, {DATABASE}, "objects changed")
            self.assert_no_change()
        with self.step("destroy, and destroy again"):
            self.assert_destroyed()


if __name__ == "__main__":
    harness.endpoint()
    if not harness.binary():
        sys.exit(f"ALOKA_BIN is not set: cargo build -p aloka, then ALOKA_BIN=target/debug/aloka {Path(__file__).parent}/run")
    unittest.main(failfast=False)
