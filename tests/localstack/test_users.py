"""Configurations as the users of terraform-aws-modules/vpc have them, in Terraform's hands first, then in aloka's: what is
not of the stack stays as it is, in the account and in the state.

    cargo build -p aloka && ALOKA_BIN=target/debug/aloka localstack/emulator run -- tests/localstack/beside Everyday

Each class is a folder of terraform-users. What must stay is known without aloka: by what Terraform recorded, and by boto3.
"""
import contextlib
import json
import re
import shutil

import botocore.exceptions

import harness
import test_beside
from harness import DATABASE
from readback import World, check_gone, rules, tags
from test_beside import ALLOW, HERE, IDENTITY, Beside, OverS3, Settings, unordered  # noqa: F401: the tests of these are run from here, too
from test_stack import ADDRESSES, OUTPUTS

USERS = HERE / "terraform-users"
# Routes and associations bear no tags.
UNTAGGED = {"aws_route", "aws_route_table_association"}
RULES = {"aws_security_group_rule", "aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule"}
# `4 objects in the state are not of this stack, and left alone: A, B, C and 1 more`
KEPT = re.compile(r"(\d+) objects? in the state (?:is|are) not of this stack, and left alone: (\S+)")
# What a controller in a cluster writes on subnets.
CLUSTER = {"Key": "kubernetes.io/cluster/prod", "Value": "shared"}


def everything(aws):
    """All that is in the account, by id, also what is not of the stack's kinds."""
    ec2, world = aws.ec2, World(aws)
    found = world.snapshot()
    # Those of the account's default VPC too.
    lists = {
        "VpcId": ec2.describe_vpcs()["Vpcs"], "SubnetId": ec2.describe_subnets()["Subnets"],
        "RouteTableId": ec2.describe_route_tables()["RouteTables"], "NetworkAclId": ec2.describe_network_acls()["NetworkAcls"],
        "NetworkInterfaceId": ec2.describe_network_interfaces()["NetworkInterfaces"],
        "SecurityGroupRuleId": ec2.describe_security_group_rules()["SecurityGroupRules"],
        "VpcPeeringConnectionId": [
            p for p in ec2.describe_vpc_peering_connections()["VpcPeeringConnections"] if p["Status"]["Code"] == "active"],
    }
    found |= {item[key]: item for key, items in lists.items() for item in items}
    return {key: unordered(json.loads(json.dumps(item, default=str))) for key, item in found.items()}


def untagged(item):
    """Without the tags by which aloka finds its objects again."""
    item = dict(item)
    for key in ("Tags", "TagList", "TagSet"):
        if key in item:
            item[key] = [tag for tag in item[key] if tag["Key"] not in IDENTITY]
    return item


def verbatim(text):
    """The recorded instances and outputs with their digits and the order of their keys."""
    def pairs(found):
        return tuple(found)

    state = dict(json.loads(text, object_pairs_hook=pairs, parse_float=lambda digits: f"number {digits}"))
    outputs, found = dict(state["outputs"]), {}
    for resource in map(dict, state["resources"]):
        head = tuple((name, value) for name, value in resource.items() if name != "instances")
        for instance in resource["instances"]:
            found[address(resource, dict(instance))] = (head, instance)
    return found, outputs


def address(resource, instance):
    module = f"{resource['module']}." if resource.get("module") else ""
    data = "data." if resource["mode"] == "data" else ""
    key = instance.get("index_key")
    return f"{module}{data}{resource['type']}.{resource['name']}" + ("" if key is None else f"[{json.dumps(key)}]")


class Users(Beside):
    """One configuration: the steps that they share."""

    test_terraform_first = None
    test_aloka_first = None
    folder = None
    # Of the stack's addresses, those that this configuration does not have.
    absent = set()
    # Those that the stack could have and the variables do not declare.
    undeclared = set()
    # Rules and routes of the owner in the stack's groups and tables.
    exceptions = ()

    def place_configuration(self):
        shutil.copytree(USERS / "common", self.cwd)
        shutil.copytree(USERS / "modules", self.cwd / "modules")
        for file in (USERS / self.folder).iterdir():
            shutil.copy(file, self.cwd)

    def text(self):
        return (self.cwd / "terraform.tfstate").read_text()

    def attributes(self):
        """What is recorded, by address."""
        return {address(r, i): i["attributes"] for r in self.state()["resources"] for i in r["instances"]}

    # What is the stack's, and what is not.

    def note_ours(self):
        """The ids of the stack's objects, as Terraform recorded them."""
        recorded = self.attributes()
        self.stack = ADDRESSES - self.absent
        self.assertLessEqual(self.stack, set(recorded), "what this test calls the stack is recorded")
        self.foreign = {name for name in recorded if name not in self.stack}
        keys = {"aws_db_instance.postgres": "identifier"}
        self.ids = {name: recorded[name][keys.get(name, "id")] for name in self.stack}
        self.vpc, self.app = self.ids["module.vpc.aws_vpc.this[0]"], self.ids["aws_security_group.app"]
        self.ours = set(self.ids.values())
        # With the server its volume.
        self.ours |= {v["VolumeId"] for v in World(self.aws).volumes for a in v["Attachments"] if a["InstanceId"] in self.ours}

    def but_identity(self, found):
        """Everything, the stack's objects without aloka's tags: nobody else's may have any."""
        return {key: untagged(item) if key in self.ours else item for key, item in found.items()}

    def but_app_rules(self, found):
        """Everything but the rules of the app group."""
        def is_app(key, item):
            return key == self.app or item.get("GroupId") == self.app and "SecurityGroupRuleId" in item

        return {key: item for key, item in self.but_identity(found).items() if not is_app(key, item)}

    def theirs(self, found):
        """What is not of the stack, whether the stack is there or not."""
        def is_ours(key, item):
            if key in self.ours or item.get("GroupId") in self.ours and "SecurityGroupRuleId" in item:
                return True
            # Interfaces of the server and of the NAT gateway, which here are like any other.
            on = (item.get("Attachment") or {}).get("InstanceId")
            return "NetworkInterfaceId" in item and key.startswith("eni-") and (on is None or on in self.ours)

        # An address outlives what it was associated with.
        passing = {"AssociationId", "InstanceId", "NetworkInterfaceId", "NetworkInterfaceOwnerId", "PrivateIpAddress"}
        kept = {key: item for key, item in found.items() if not is_ours(key, item)}
        return {key: {name: value for name, value in item.items() if name not in passing} if key.startswith("eipalloc-") else item
                for key, item in kept.items()}

    def assert_state_keeps_theirs(self, before):
        """To the digit and the order of keys."""
        (was, outputs), (now, outputs_now) = verbatim(before), verbatim(self.text())
        for name in was.keys() - self.stack:
            self.assertTrue(name in now, f"{name} is no longer recorded")
            self.assertEqual(dict(now[name][0]), dict(was[name][0]), name)
            self.assertEqual(now[name][1], was[name][1], name)
        for name in outputs.keys() - OUTPUTS:
            self.assertEqual(outputs_now.get(name), outputs[name], f"output {name}")

    def strangers(self):
        """Instances of others in the stack's VPC: for each its id and those of its interfaces."""
        found = [i for i in World(self.aws).instances if i.get("VpcId") == self.vpc and i["InstanceId"] not in self.ours]
        return [{i["InstanceId"], *(n["NetworkInterfaceId"] for n in i["NetworkInterfaces"])} for i in found]

    # The steps.

    def terraform_applies(self):
        with self.step("terraform applies"):
            self.apply("terraform")
        self.note_ours()
        self.aws.ec2.create_tags(Resources=[id for id in self.ours if id.startswith("subnet-")], Tags=[CLUSTER])

    def aloka_takes_over(self):
        before, text = everything(self.aws), self.text()
        with self.step("aloka destroy is refused: nothing is claimed"):
            refusal = self.aloka("destroy", "-auto-approve", ALLOW, expect=1)
            self.assertIn("aloka adopt -from-state", refusal)
            self.assertEqual((everything(self.aws), self.text()), (before, text), "a refused destroy changed something")
        with self.step("aloka plan: its tags, on its own objects, and what is kept"):
            changes = self.planned("aloka")
            self.assertEqual(set(changes), {name for name in self.stack if name.split(".")[-2] not in UNTAGGED})
            for name, (actions, differs, before_tags, after_tags) in changes.items():
                self.assertEqual(actions, ["update"], name)
                self.assertLessEqual(differs, {"tags", "tags_all"}, f"{name}: {differs}")
                was, will = before_tags["tags"], after_tags["tags"]
                self.assertEqual({k for k in was.keys() | will.keys() if was.get(k) != will.get(k)}, IDENTITY, name)
            plan = self.aloka("plan")
            self.assertIn(f"{len(changes)} to change, 0 to destroy", plan)
            self.assert_told(plan)
        with self.step("aloka apply: all else stays"):
            self.assertIn(f"0 added, {len(changes)} changed, 0 destroyed", self.apply("aloka"))
            now = everything(self.aws)
            self.assertEqual(self.but_identity(now), self.but_identity(before))
            self.assertTrue(all("aloka-lineage" in tags(now[self.ids[name]]) for name in changes), "something bears no tag of aloka")
            self.assert_state_keeps_theirs(text)
            self.assertNotIn(harness.CANARY, json.dumps(self.attributes()["aws_db_instance.postgres"]))
        with self.step("both plans are empty"):
            self.assertIn("No changes.", self.assert_told(self.aloka("plan", "-detailed-exitcode")))
            self.assert_no_changes("terraform")

    def aloka_adopts(self, *names):
        """Claims what is recorded, and sends nothing."""
        before, text = everything(self.aws), self.text()
        self.aloka("adopt", "-from-state", *names)
        self.assertEqual(everything(self.aws), before)
        self.assert_state_keeps_theirs(text)

    def assert_told(self, plan):
        """One line of a plan tells how many objects are kept, and it names the exceptions; all are named with -verbose."""
        told = KEPT.findall(plan)
        self.assertEqual(len(told), 1, plan)
        count, first = int(told[0][0]), told[0][1].rstrip(",")
        objects = {name for name in self.foreign - self.undeclared if not name.startswith("data.") and name.split(".")[-2] not in RULES}
        self.assertGreaterEqual(count, len(objects), plan)
        self.assertLessEqual(count, len(self.foreign) + len(self.state()["outputs"]), plan)
        self.assertIn(first, self.foreign, plan)
        for name in (*self.exceptions, *(n for n in self.undeclared if "aws_subnet" in n)):
            self.assertIn(name, plan)
        every = self.aloka("plan", "-verbose")
        self.assertEqual({name for name in objects if name not in every}, set(), "not told by -verbose")
        return plan

    def assert_ports(self, *ports):
        (group,) = [g for g in World(self.aws).all_groups if g["GroupId"] == self.app]
        expected = {("tcp", port, port, "0.0.0.0/0") for port in ports} | {("-1", None, None, self.app)}
        self.assertEqual(rules(group["IpPermissions"]), expected, "ingress of aloka-app-sg")

    def change(self, tool, *ports):
        """The app group is served on these ports, and nothing else changes."""
        before = everything(self.aws)
        self.set(app_ingress="[" + ", ".join(f"{{ port = {port} }}" for port in ports) + "]")
        if tool == "aloka":
            others = {name for name in self.planned("aloka") if name.split(".")[-2] not in RULES}
            self.assertEqual(others, {"aws_security_group.app"})
        self.apply(tool)
        self.assert_ports(*ports)
        self.assertEqual(self.but_app_rules(everything(self.aws)), self.but_app_rules(before))

    def changes(self, *steps):
        for tool, *ports in steps:
            with self.step(f"{tool} opens {ports} and no others; both plans are empty"):
                self.change(tool, *ports)
                self.assert_no_changes("aloka")
                if tool == "aloka":  # after its own apply it is Terraform's business, and it takes long
                    self.assert_no_changes("terraform")

    def aloka_refuses_to_destroy(self, *names):
        """What it says, which names each of these and everybody in the VPC who would be cut off."""
        with self.step("aloka destroy is refused: others are in the VPC"):
            before, text = everything(self.aws), self.text()
            refusal = self.aloka("destroy", "-auto-approve", ALLOW, expect=1)
            self.assertEqual((everything(self.aws), self.text()), (before, text), "a refused destroy changed something")
            strangers = self.strangers()
            self.assertTrue(strangers)
            for ids in strangers:
                self.assertTrue(any(id in refusal for id in ids), f"{ids} are not named: {refusal}")
            for name in names:
                self.assertIn(name, refusal)
            return refusal

    def aloka_leaves_theirs(self, refusal):
        """Destroys with the -exclude= that the refusal names."""
        with self.step("aloka destroy with what the refusal says leaves theirs"):
            before, text = everything(self.aws), self.text()
            named = set(re.findall(r"-exclude='?([^\s',;]+)", refusal))
            self.assertTrue(named, f"no -exclude= is named: {refusal}")
            self.assertIn("aws_instance.app", self.stack - named, "there is nothing left to destroy")
            self.aloka("destroy", "-auto-approve", ALLOW, *(f"-exclude={name}" for name in sorted(named)))
            self.assertEqual(self.theirs(everything(self.aws)), self.theirs(before))
            self.assert_state_keeps_theirs(text)
            left = set(self.attributes()) & self.stack
            self.assertNotIn("aws_instance.app", left)
            self.assertNotIn("aws_db_instance.postgres", left)
            self.assertNotIn(DATABASE, everything(self.aws))

    def terraform_destroys(self):
        with self.step("terraform destroys the rest"):
            self.terraform("destroy", "-auto-approve", "-no-color", "-input=false")
            check_gone(self, World(self.aws))
            self.assertEqual(self.recorded(), set())

    def interfaces_of_ended_instances(self):
        """AWS deletes them with their instance, the emulator does not."""
        running = {i["InstanceId"] for i in World(self.aws).instances}
        for interface in self.aws.ec2.describe_network_interfaces()["NetworkInterfaces"]:
            on = interface.get("Attachment", {}).get("InstanceId")
            if on and on not in running:
                with contextlib.suppress(botocore.exceptions.ClientError):
                    self.aws.ec2.detach_network_interface(AttachmentId=interface["Attachment"]["AttachmentId"], Force=True)
                self.aws.ec2.delete_network_interface(NetworkInterfaceId=interface["NetworkInterfaceId"])


class Everyday(Users):
    folder = "everyday"
    absent = {"aws_db_subnet_group.main", "module.vpc.aws_default_security_group.this[0]"}

    def set(self, **values):
        super().set(db_subnet_group_name='"aloka-vpc"', **values)

    def test_life(self):
        self.terraform_applies()
        with self.step("what would replace the database is refused"):
            self.variables["db_name"] = '"another"'
            self.set()
            refusal = self.aloka("plan", expect=1)
            for what in ("alokadb", "another", "db_name", "terraform.tfvars", "-allow-replace=aws_db_instance.postgres"):
                self.assertIn(what, refusal)
            del self.variables["db_name"]
            self.set()
        self.aloka_takes_over()
        self.changes(("aloka", 443, 8080), ("terraform", 80, 443))
        self.aloka_leaves_theirs(self.aloka_refuses_to_destroy())
        self.terraform_destroys()


class Counted(Users):
    folder = "counted"
    undeclared = {"module.vpc.aws_subnet.public[2]", "module.vpc.aws_route_table_association.public[2]"}
    exceptions = ("aws_security_group_rule.db_from_bastion", "aws_route.office")

    def test_life(self):
        third = "module.vpc.aws_subnet.public[2]"
        self.terraform_applies()
        self.aloka_takes_over()
        # By count, a port that is not the last one moves those behind it.
        self.changes(("aloka", 80, 443, 8080), ("aloka", 80, 443), ("terraform", 80, 8443))
        with self.step("the third subnet is claimed"):
            refusal = self.aloka("destroy", "-auto-approve", ALLOW, expect=1)
            self.assertRegex(refusal, f"aloka adopt -from-state .*{re.escape(third)}")
            self.aloka_adopts(third)
            self.ours.add(self.attributes()[third]["id"])
        self.aloka_refuses_to_destroy()
        with self.step("the owner takes the bastion away with terraform"):
            for name in ("bastion.tf", "office.tf"):
                (self.cwd / name).unlink()
            self.apply("terraform")
            self.interfaces_of_ended_instances()
            self.assertEqual(self.strangers(), [])
        with self.step("aloka destroys the stack and leaves the server's address"):
            # Terraform has dropped the claim.
            self.assertIn(third, self.aloka("destroy", "-auto-approve", ALLOW, expect=1))
            self.aloka_adopts(third)
            # What AWS made with the VPC goes with it, and nobody else is in it any more.
            before = self.elsewhere()
            self.aloka("destroy", "-auto-approve", ALLOW)
            self.assertEqual(self.elsewhere(), before)
            self.assertEqual(set(self.attributes()) & (self.stack | self.undeclared), set())
        self.terraform_destroys()

    def elsewhere(self):
        return {key: item for key, item in self.theirs(everything(self.aws)).items() if item.get("VpcId") != self.vpc}


class Keyed(Users):
    folder = "keyed"
    absent = {"module.vpc.aws_default_security_group.this[0]"}
    exceptions = ("aws_vpc_security_group_ingress_rule.db_from_bastion", "aws_route.reporting")

    def test_life(self):
        self.terraform_applies()
        with self.step("aloka adopt -from-state claims and sends nothing"):
            self.aloka_adopts("aws_instance.app", "aws_db_instance.postgres")
            refusal = self.aloka("destroy", "-auto-approve", ALLOW, expect=1)
            self.assertNotIn("aws_instance.app", refusal)
        self.aloka_takes_over()
        self.changes(("aloka", 443, 8080), ("terraform", 80, 443))
        self.aloka_refuses_to_destroy("pcx-")
        self.terraform_destroys()


class Named(Users):
    folder = "named"
    exceptions = ("aws_security_group_rule.postgres_from_bastion",)

    def test_life(self):
        self.terraform_applies()
        self.aloka_takes_over()
        with self.step("aloka closes 443; once the configuration says so too, terraform's plan is empty"):
            self.change("aloka", 80)
            self.assertNotIn("aws_vpc_security_group_ingress_rule.https", self.attributes())
            self.edit(r'resource "aws_vpc_security_group_ingress_rule" "https" \{.*?\n\}\n', "")
            self.assert_no_changes("aloka")
            self.assert_no_changes("terraform")
        with self.step("aloka opens 8080: nobody can know the name, and terraform does not create it a second time"):
            self.change("aloka", 80, 8080)
            self.assert_no_changes("aloka")
            for name, (actions, _, before, _) in self.planned("terraform").items():
                self.assertEqual((actions, before["from_port"]), (["delete"], 8080), name)
        with self.step("aloka closes it again; both plans are empty"):
            self.change("aloka", 80)
            self.assert_no_changes("aloka")
            self.assert_no_changes("terraform")
        # The second database is in the stack's subnet group.
        self.aloka_refuses_to_destroy("aloka-reports")
        self.terraform_destroys()

    def edit(self, pattern, text):
        file = self.cwd / "main.tf"
        edited, count = re.subn(pattern, text, file.read_text(), flags=re.DOTALL)
        self.assertEqual(count, 1, pattern)
        file.write_text(edited)


if __name__ == "__main__":
    test_beside.main()
