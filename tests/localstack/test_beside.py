"""Terraform and aloka on one state, in one folder, with one terraform.tfvars: each goes on where the other left off.

    cargo build -p aloka && ALOKA_BIN=target/debug/aloka localstack/emulator run -- tests/localstack/beside

Needs terraform in PATH and its AWS provider: see localstack/README.md. Without them it says that nothing was tested and exits
with 77, or with 1 if ALOKA_NEEDS_TERRAFORM is set.
"""
import base64
import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
import unittest
from pathlib import Path

import boto3

import harness
from harness import CANARY, DATABASE
from readback import World, check_gone, tags
from test_stack import ADDRESSES, OUTPUTS
from test_state import KEY, block

HERE = Path(__file__).resolve().parent
ALLOW = f"-allow-data-loss={DATABASE}"
IDENTITY = {"aloka-address", "aloka-generation", "aloka-lineage"}
VARIABLES = {
    "app_instance_type": '"t3.small"',
    "app_ingress": "[{ port = 80 }, { port = 443 }]",
    # As the Terraform configuration has them.
    "db_engine_version": '"15.17"',
    "db_backup_retention_days": "0",
    "app_user_data": '"user_data.sh"',
    "tags": '{ ManagedBy = "terraform" }',
}


def environment(top, url, account):
    env = harness.environment(top / "home", url, account)
    return env | {"TF_VAR_ep": url, "TF_VAR_db_password": CANARY, "TF_IN_AUTOMATION": "1"}


def unordered(value):
    """Most lists of the provider are sets, and their order means nothing."""
    if isinstance(value, dict):
        return {key: unordered(item) for key, item in value.items()}
    return sorted(map(unordered, value), key=json.dumps) if isinstance(value, list) else value


def private(instance):
    """What the provider recorded for itself, without the hash of the password that aloka adds to it."""
    data = json.loads(base64.b64decode(instance.get("private") or "e30="))
    return {key: value for key, value in (data or {}).items() if key != "aloka"}


class Beside(unittest.TestCase):
    """One folder with both tools' files, in an account of its own."""

    maxDiff = None

    def setUp(self):
        self.top = self.enterContext(harness.scratch())
        self.cwd = self.top / "stack"
        self.place_configuration()
        self.url, self.account = harness.endpoint(), harness.fresh_account()
        self.env = environment(self.top, self.url, self.account)
        self.aws = harness.Aws(self.url, self.account)
        self.variables = dict(VARIABLES)
        self.set()
        self.place_state()
        self.assertIsNone(harness.terraform_init(self.cwd, self.env))

    def place_configuration(self):
        shutil.copytree(HERE / "terraform", self.cwd, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
        for file in (HERE / "terraform-beside").iterdir():
            shutil.copy(file, self.cwd)

    def set(self, **values):
        self.variables |= values
        lines = [f"{name} = {value}\n" for name, value in self.variables.items()]
        (self.cwd / "terraform.tfvars").write_text(harness.TFVARS + "".join(lines))

    def run_tool(self, *command, expect=0, cwd=None):
        done = subprocess.run(command, cwd=cwd or self.cwd, env=self.env, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=900)
        text = f"$ {' '.join(command)}\nexit code {done.returncode}\n--- stdout\n{done.stdout}--- stderr\n{done.stderr}"
        self.assertEqual(done.returncode, expect, text)
        return done.stdout + done.stderr

    def aloka(self, *args, expect=0):
        return self.run_tool(harness.binary(), *args, expect=expect)

    def terraform(self, *args, expect=0, cwd=None):
        return self.run_tool("terraform", *args, expect=expect, cwd=cwd)

    # Where the state is: here, in the file that both tools take by default.

    def place_state(self):
        pass

    def state(self):
        return json.loads((self.cwd / "terraform.tfstate").read_text())

    def lose_state(self):
        for file in self.cwd.glob("terraform.tfstate*"):
            file.unlink()

    def remote_state(self):
        """How another configuration reads it: backend and its settings."""
        return "local", f'{{ path = "{self.cwd / "terraform.tfstate"}" }}'

    @contextlib.contextmanager
    def step(self, what):
        """One line for each step, with its duration."""
        start, verdict = time.monotonic(), "FAIL"
        try:
            yield
            verdict = "ok"
        finally:
            print(f"{verdict:4} {time.monotonic() - start:6.1f} s  {what}", file=sys.stderr, flush=True)

    # What each tool would do, from its own machine-readable plan.

    def planned(self, tool):
        """Changes that are not no-ops, by address: (actions, attributes that differ)."""
        if tool == "aloka":
            self.aloka("plan", "-out=plan.file")
            plan = json.loads(self.aloka("show", "-json", "plan.file").splitlines()[0])
        else:
            self.terraform("plan", "-no-color", "-input=false", "-out=plan.file")
            plan = json.loads(self.terraform("show", "-json", "plan.file").splitlines()[0])
        (self.cwd / "plan.file").unlink()
        changes = {}
        for resource in plan["resource_changes"]:
            change = resource["change"]
            if change["actions"] not in (["no-op"], ["read"]):
                before, after = change["before"] or {}, change["after"] or {}
                unknown = change.get("after_unknown") or {}
                differs = {n for n in before.keys() | after.keys() if before.get(n) != after.get(n) and not unknown.get(n)}
                changes[resource["address"]] = (change["actions"], differs, before, after)
        return changes

    def assert_no_changes(self, tool):
        """Its plan is empty by its own exit code and words."""
        args = ("plan", "-detailed-exitcode") + (() if tool == "aloka" else ("-no-color", "-input=false"))
        self.assertIn("No changes.", self.aloka(*args) if tool == "aloka" else self.terraform(*args))

    def apply(self, tool):
        if tool == "aloka":
            return self.aloka("apply", "-auto-approve")
        return self.terraform("apply", "-auto-approve", "-no-color", "-input=false")

    def identities(self):
        """What would be another if anything were replaced."""
        world = World(self.aws)
        return {
            "instances": sorted(i["InstanceId"] for i in world.instances), "databases": [d["DbiResourceId"] for d in world.dbs],
            "vpcs": [v["VpcId"] for v in world.vpcs], "subnets": sorted(s["SubnetId"] for s in world.subnets.values()),
            "gateways": sorted(n["NatGatewayId"] for n in world.nats), "groups": sorted(g["GroupId"] for g in world.groups.values()),
            "tables": sorted(t["RouteTableId"] for t in world.route_tables), "addresses": sorted(e["AllocationId"] for e in world.eips),
        }

    def recorded(self, *args):
        return {line for line in self.terraform("state", "list", *args).split() if not line.startswith("data.")}

    def check_terraform_reads(self):
        """Commands of Terraform that only read or edit the state, and another configuration that reads its outputs."""
        self.assertEqual(self.recorded(), ADDRESSES)
        shown = self.terraform("state", "show", "-no-color", "aws_db_instance.postgres")
        self.assertIn(DATABASE, shown)
        pulled = json.loads(self.terraform("state", "pull"))
        self.assertEqual(pulled["lineage"], self.state()["lineage"])
        outputs = {name: output["value"] for name, output in json.loads(self.terraform("output", "-json")).items()}
        self.assertEqual(set(outputs), OUTPUTS)
        self.check_terraform_edits()
        backend, config = self.remote_state()
        reader = self.top / "reader"
        reader.mkdir(exist_ok=True)
        (reader / "main.tf").write_text(
            f'data "terraform_remote_state" "stack" {{\n  backend = "{backend}"\n  config = {config}\n}}\n'
            'output "seen" { value = data.terraform_remote_state.stack.outputs }\n')
        self.terraform("init", "-input=false", cwd=reader)
        self.terraform("apply", "-auto-approve", "-input=false", cwd=reader)
        seen = json.loads(self.terraform("output", "-json", "seen", cwd=reader))
        self.assertEqual(seen, outputs)

    def check_terraform_edits(self):
        """Of a copy: what Terraform moved and removed would be missed."""
        edited = self.top / "edited"
        shutil.copytree(self.cwd, edited, ignore=shutil.ignore_patterns(".terraform.lock.hcl", "*.backup"), symlinks=True)
        self.terraform("state", "mv", "aws_instance.app", "aws_instance.moved", cwd=edited)
        self.terraform("state", "rm", "module.vpc.aws_nat_gateway.this[0]", cwd=edited)
        left = self.terraform("state", "list", cwd=edited).split()
        self.assertIn("aws_instance.moved", left)
        self.assertNotIn("module.vpc.aws_nat_gateway.this[0]", left)
        shutil.rmtree(edited)

    def destroy(self):
        self.aloka("destroy", "-auto-approve", ALLOW)
        check_gone(self, World(self.aws))
        self.assertEqual({a for a in self.recorded() if a in ADDRESSES}, set())

    def test_terraform_first(self):
        with self.step("terraform applies the seed's stack"):
            self.apply("terraform")
            theirs = self.state()
        with self.step("aloka: nothing but its identity tags"):
            changes = self.planned("aloka")
            self.assertEqual(len(changes), 16, sorted(changes))
            for address, (actions, differs, before, after) in changes.items():
                self.assertEqual(actions, ["update"], address)
                self.assertLessEqual(differs, {"tags", "tags_all"}, f"{address}: {differs}")
                changed = {k for k in before["tags"].keys() | after["tags"].keys() if before["tags"].get(k) != after["tags"].get(k)}
                self.assertEqual(changed, IDENTITY, address)
            text = self.aloka("plan")
            self.assertIn("16 to change, 0 to destroy", text)
        first = self.identities()
        with self.step("aloka tags them and drops nothing that Terraform recorded"):
            self.assertIn("0 added, 16 changed, 0 destroyed", self.apply("aloka"))
            self.assert_kept(theirs, self.state())
            self.assertNotIn(CANARY, json.dumps(self.state()), "the password is in aloka's state")
            self.assert_no_changes("aloka")
        with self.step("terraform sees no changes"):
            self.assert_no_changes("terraform")
        changes = [
            ("aloka", {"app_instance_type": '"t3.medium"'}),
            ("terraform", {"app_ingress": "[{ port = 80 }, { port = 443 }, { port = 8080 }]"}),
            ("aloka", {"app_ingress": "[{ port = 443 }, { port = 8080 }]"}),
            ("terraform", {"app_instance_type": '"t3.small"'}),
            ("aloka", {"app_instance_type": '"t3.large"', "app_ingress": "[{ port = 80 }, { port = 443 }]"}),
            ("terraform", {"app_instance_type": '"t3.small"', "app_ingress": "[{ port = 443 }]"}),
        ]
        for number, (tool, values) in enumerate(changes, 1):
            other = "terraform" if tool == "aloka" else "aloka"
            with self.step(f"change {number}: {tool} sets {', '.join(values)}; then {other} sees no changes"):
                self.set(**values)
                self.assertLessEqual({a for a, *_ in self.planned(tool).values() for a in a}, {"update"})
                self.apply(tool)
                self.assert_no_changes(other)
                self.assertEqual(self.identities(), first, "something was replaced")
        with self.step("the state is lost: refused, recovered, the plan is empty"):
            lost = self.state()
            self.lose_state()
            for command in (["plan"], ["destroy", "-auto-approve", ALLOW]):
                self.assertIn("aloka state recover", self.aloka(*command, expect=1))
            self.assertIn("The next plan has nothing to do.", self.aloka("state", "recover"))
            self.assertEqual(self.state()["lineage"], lost["lineage"])
            self.assert_no_changes("aloka")
            self.assert_no_changes("terraform")
            self.assertEqual(self.identities(), first, "something was replaced")
        with self.step("aloka destroys all of it"):
            self.destroy()

    def assert_kept(self, before, after):
        """Everything Terraform recorded is recorded still, but for the password and what the tags changed."""
        def instances(state):
            return {(r.get("module"), r["mode"], r["type"], r["name"], i.get("index_key")): (r, i)
                    for r in state["resources"] for i in r["instances"]}
        now, lost = instances(after), []
        for key, (resource, instance) in instances(before).items():
            self.assertIn(key, now)
            other, kept = now[key]
            # Dependencies are those of the tool that wrote last.
            pairs = {name: (instance.get(name), kept.get(name)) for name in ("schema_version", "sensitive_attributes")}
            pairs["private"] = private(instance), private(kept)
            pairs["provider"] = resource["provider"], other["provider"]
            for name, value in instance["attributes"].items():
                # What Terraform had no value for may have one now; of ARNs it knows all but the account here.
                if value not in (None, "") and name not in ("arn", "tags", "tags_all", "password", "ingress", "egress", "root_block_device"):
                    pairs[name] = unordered(value), unordered(kept["attributes"].get(name))
            lost += [f"{key}: {name}: {was} became {is_now}" for name, (was, is_now) in pairs.items() if was != is_now]
        self.assertEqual(lost, [])

    def test_aloka_first(self):
        with self.step("aloka applies"):
            self.apply("aloka")
            self.assert_no_changes("aloka")
        with self.step("terraform sees no changes"):
            self.assert_no_changes("terraform")
        with self.step("terraform's state list, show, pull, mv, rm, output and terraform_remote_state"):
            self.check_terraform_reads()
        with self.step("without what terraform-beside says: in place but for the database, whose encryption is unsaid"):
            (self.cwd / "beside_override.tf").rename(self.top / "aside")
            changes = self.planned("terraform")
            replaced = {address for address, (actions, *_) in changes.items() if "delete" in actions}
            self.assertEqual(replaced, {"aws_db_instance.postgres"}, "the documents name what is replaced")
            (self.top / "aside").rename(self.cwd / "beside_override.tf")
        with self.step("an adopted VPC: found by its place when the tags are gone, too"):
            world = World(self.aws)
            vpc, first = world.vpcs[0]["VpcId"], self.identities()
            mine = [o for o in (*world.subnets.values(), *world.vpcs, *world.instances) if "aloka-lineage" in tags(o)]
            ids = [o.get("InstanceId") or o.get("SubnetId") or o["VpcId"] for o in mine]
            self.aws.ec2.delete_tags(Resources=ids, Tags=[{"Key": key} for key in IDENTITY])
            self.lose_state()
            found = self.aloka("adopt", f"-vpc={vpc}")
            self.assertIn("Found 22 objects", found)
            changes = self.planned("aloka")
            self.assertTrue(all(differs <= {"tags", "tags_all"} for _, differs, *_ in changes.values()), changes)
            self.apply("aloka")
            self.assert_no_changes("aloka")
            self.assertEqual(self.identities(), first, "something was replaced")
        with self.step("aloka destroys all of it"):
            self.destroy()


class OverS3(Beside):
    """The same with the state in S3 and Terraform's lock file; Terraform's database takes too long to be made twice."""

    test_terraform_first = None

    def place_state(self):
        self.bucket = f"aloka-beside-{self.account}"
        self.s3 = boto3.client("s3", endpoint_url=self.url, region_name=harness.REGION, aws_access_key_id=self.account,
                               aws_secret_access_key="test")
        (self.cwd / "backend.tf").write_text(block(self.url, self.bucket, lockfile=True))
        self.aloka("init", "-create-backend")

    def state(self):
        # What is said of the endpoint follows, from standard error.
        return json.JSONDecoder().raw_decode(self.aloka("state", "pull"))[0]

    def lose_state(self):
        self.s3.delete_object(Bucket=self.bucket, Key=KEY)

    def remote_state(self):
        settings = block(self.url, self.bucket).splitlines()[2:-2]
        return "s3", "{\n" + "\n".join(settings) + "\n  }"

    def check_terraform_edits(self):
        self.terraform("state", "mv", "aws_instance.app", "aws_instance.moved")
        self.assertIn("aws_instance.moved", self.aloka("state", "list"))
        self.aloka("state", "mv", "aws_instance.moved", "aws_instance.app")
        self.assertEqual(self.recorded(), ADDRESSES)
        self.assert_no_changes("aloka")


class Settings(Beside):
    """Everyday settings of a configuration: default tags, a major version, groups whose rules have another shape."""

    test_terraform_first = None
    test_aloka_first = None
    DEFAULT_TAGS = {"CostCenter": "4711", "Project": "aloka", "Environment": "dev", "ManagedBy": "terraform"}

    def place_configuration(self):
        super().place_configuration()
        tags = "".join(f'      {key} = "{value}"\n' for key, value in self.DEFAULT_TAGS.items())
        (self.cwd / "settings_override.tf").write_text(f'''
provider "aws" {{
  default_tags {{
    tags = {{
{tags}    }}
  }}
}}
locals {{ tags = {{}} }}
resource "aws_security_group" "app" {{
  description = null
  dynamic "ingress" {{
    for_each = var.app_ingress
    content {{
      from_port   = ingress.value.port
      to_port     = ingress.value.port
      protocol    = "tcp"
      cidr_blocks = ["0.0.0.0/0"]
    }}
  }}
  ingress {{
    from_port = 0
    to_port   = 65535
    protocol  = "tcp"
    self      = true
  }}
}}
resource "aws_security_group" "db" {{
  egress {{
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/16"]
  }}
}}
resource "aws_db_instance" "postgres" {{
  engine_version = "15"
}}
''')

    def assert_recorded(self):
        """The default tags are nowhere an object's own, and everywhere among all; the version is as it is configured."""
        for resource in self.state()["resources"]:
            for instance in resource["instances"] if resource["mode"] == "managed" else []:
                attributes, what = instance["attributes"], f"{resource['type']}.{resource['name']}"
                if "tags_all" in attributes:
                    self.assertFalse(self.DEFAULT_TAGS.keys() & (attributes["tags"] or {}).keys(), what)
                    self.assertEqual({k: attributes["tags_all"].get(k) for k in self.DEFAULT_TAGS}, self.DEFAULT_TAGS, what)
                if resource["type"] == "aws_db_instance":
                    self.assertEqual(attributes["engine_version"], "15")

    def assert_unmoved(self):
        """Aloka's plan after a write of Terraform: empty at once, and no password is sent."""
        plan = self.aloka("plan", "-detailed-exitcode")
        self.assertIn("No changes.", plan)
        self.assertNotIn("looking again", plan)

    def test_everyday_settings(self):
        del self.variables["tags"]
        self.set(db_engine_version='"15"')
        with self.step("terraform applies with default tags, engine 15, its own rules"):
            self.apply("terraform")
            self.assert_recorded()
        first = self.identities()
        with self.step("aloka: nothing but its identity tags, and nothing of theirs is taken over"):
            for address, (actions, differs, before, after) in self.planned("aloka").items():
                self.assertEqual(actions, ["update"], address)
                self.assertLessEqual(differs, {"tags", "tags_all"}, f"{address}: {differs}")
                was, will = before["tags"] or {}, after["tags"]
                self.assertEqual({k for k in was.keys() | will.keys() if was.get(k) != will.get(k)}, IDENTITY, address)
            self.apply("aloka")
            self.assert_recorded()
            self.assert_no_changes("aloka")
        with self.step("terraform sees no changes"):
            self.assert_no_changes("terraform")
        with self.step("terraform changes the database in place; the hash of the password is still known"):
            (self.cwd / "zz_override.tf").write_text(
                'resource "aws_db_instance" "postgres" {\n  copy_tags_to_snapshot = false\n  apply_immediately = true\n}\n')
            self.assertEqual({a for a in self.planned("terraform")}, {"aws_db_instance.postgres"})
            self.apply("terraform")
            self.assert_unmoved()
        with self.step("each changes the server and the rules; then neither sees changes"):
            self.set(app_instance_type='"t3.medium"', app_ingress="[{ port = 443 }]")
            self.apply("aloka")
            self.assert_recorded()
            self.assert_no_changes("terraform")
            self.set(app_instance_type='"t3.small"', app_ingress="[{ port = 80 }, { port = 443 }]")
            self.apply("terraform")
            self.assert_unmoved()
            self.assertEqual(self.identities(), first, "something was replaced")
        with self.step("aloka destroys all of it"):
            self.apply("aloka")
            self.destroy()


def missing():
    """Why nothing can be tested; None if all is there."""
    if not harness.binary():
        return "ALOKA_BIN is not set"
    with harness.scratch() as top:
        cwd = top / "stack"
        shutil.copytree(HERE / "terraform", cwd, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
        return harness.terraform_init(cwd, environment(top, harness.endpoint(), harness.fresh_account()))


def main():
    why = missing()
    if why:
        print(f"NOT TESTED: Terraform beside aloka: {why}", file=sys.stderr)
        sys.exit(1 if os.environ.get("ALOKA_NEEDS_TERRAFORM") else 77)
    harness.main(together=7)


if __name__ == "__main__":
    main()
