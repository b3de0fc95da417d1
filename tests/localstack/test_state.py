"""The state in S3: the real binary on the emulator, and beside the real Terraform.

    cargo build -p aloka && ALOKA_BIN=target/debug/aloka localstack/emulator run -- tests/localstack/state

Terraform takes the locks and reads the states; it needs no provider for that. Without it in PATH its tests are
skipped, which the last line says; with ALOKA_NEEDS_TERRAFORM set that is a failure.
"""
import datetime
import hashlib
import json
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
import unittest
from pathlib import Path

import boto3
import botocore.exceptions

import harness
from harness import CANARY, DATABASE
from readback import World, check, check_gone
from store_proxy import StoreProxy

TABLE, KEY = "aloka-terraform-locks", "prod/terraform.tfstate"
ALLOW = f"-allow-data-loss={DATABASE}"
LOCKS = {"table": dict(table=True), "lock file": dict(lockfile=True), "both": dict(table=True, lockfile=True)}
SLOW = 'resource "terraform_data" "slow" {\n  provisioner "local-exec" {\n    command = "sleep 6"\n  }\n}\n'
OUTPUT = 'output "greeting" {\n  value = "hello"\n}\n'


def block(url, bucket, table=False, lockfile=False, s3=None):
    lines = [f'bucket = "{bucket}"'] if bucket else []
    lines += [f'key = "{KEY}"', f'region = "{harness.REGION}"', "use_path_style = true", "encrypt = true"]
    lines += [f'endpoints = {{ s3 = "{s3 or url}", dynamodb = "{url}", sts = "{url}", iam = "{url}" }}']
    lines += [f"skip_{what} = true" for what in
              ("credentials_validation", "requesting_account_id", "metadata_api_check", "region_validation")]
    lines += [f'dynamodb_table = "{TABLE}"'] if table else []
    lines += ["use_lockfile = true"] if lockfile else []
    return 'terraform {\n  backend "s3" {\n' + "".join(f"    {line}\n" for line in lines) + "  }\n}\n"


class Result:
    """What a command did."""

    def __init__(self, command, code, out, err):
        self.text = f"$ {command}\nexit code {code}\n--- stdout\n{out}--- stderr\n{err}"
        self.code, self.out, self.err, self.all = code, out, err, out + err


class Story(unittest.TestCase):
    """An account with nothing in it, a folder, and the steps taken there."""

    maxDiff = None

    def setUp(self):
        self.top = self.enterContext(harness.scratch())
        self.url, self.account = harness.endpoint(), harness.fresh_account()
        self.env = harness.environment(self.top / "home", self.url, self.account)
        self.env["TF_VAR_db_password"] = CANARY
        self.aws = harness.Aws(self.url, self.account)
        client = lambda service: boto3.client(service, endpoint_url=self.url, region_name=harness.REGION,
                                              aws_access_key_id=self.account, aws_secret_access_key="test")
        self.s3, self.dynamodb = client("s3"), client("dynamodb")
        # Names of buckets are the whole world's, also on the emulator.
        self.bucket = f"aloka-state-{self.account}"
        self.cwd = self.directory("stack")

    def directory(self, name, **how):
        """A clean checkout, with a backend block if its settings are given."""
        path = self.top / name
        path.mkdir()
        (path / "terraform.tfvars").write_text(harness.TFVARS)
        if how:
            (path / "provider.tf").write_text(block(self.url, self.bucket, **how))
        return path

    def configure(self, **how):
        (self.cwd / "provider.tf").write_text(block(self.url, self.bucket, **how))

    def step(self, what):
        print(f"     {self.id().rpartition('.')[2]}: {what}", file=sys.stderr, flush=True)

    def start(self, *command, cwd=None, env=None):
        return subprocess.Popen(command, cwd=cwd or self.cwd, env={**self.env, **(env or {})}, stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def finish(self, process, expect=0, answer=""):
        """The end of a process; fails on another exit code, or if the password shows up anywhere."""
        out, err = process.communicate(answer, timeout=300)
        result = Result(" ".join(process.args), process.returncode, out, err)
        if expect is not None:
            self.assertEqual(process.returncode, expect, f"exit code; {result.text}")
        self.assertNotIn(CANARY, result.all, "the password is printed")
        for path in self.top.rglob("*"):
            if path.is_file():
                self.assertNotIn(CANARY.encode(), path.read_bytes(), f"the password is in {path}")
        return result

    def aloka(self, *args, expect=0, cwd=None, env=None):
        return self.finish(self.start(harness.binary(), *args, cwd=cwd, env=env), expect)

    def terraform(self, *args, expect=0, cwd=None):
        return self.finish(self.start("terraform", *args, cwd=cwd), expect)

    def object(self, key=KEY):
        try:
            return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except botocore.exceptions.ClientError as error:
            self.assertIn(error.response["Error"]["Code"], ("NoSuchKey", "404"))
            return None

    def item(self, suffix=""):
        key = {"LockID": {"S": f"{self.bucket}/{KEY}{suffix}"}}
        return self.dynamodb.get_item(TableName=TABLE, Key=key, ConsistentRead=True).get("Item")

    def state(self):
        return json.loads(self.object())

    def locks(self, how):
        """The locks as they stand in the store, wherever they are kept."""
        found = []
        if how.get("lockfile"):
            found.append((self.object(f"{KEY}.tflock") or b"").decode())
        if how.get("table"):
            found.append(((self.item() or {}).get("Info") or {}).get("S", ""))
        return [json.loads(text) for text in found if text]

    def held_lock(self, how):
        """The lock, once it is held wherever it is to be; else None."""
        infos = self.locks(how)
        if len(infos) < sum(map(bool, how.values())):
            return None
        self.assertEqual(len({info["ID"] for info in infos}), 1, "two locks, two IDs")
        return infos[0]

    def assert_free(self, how):
        self.assertEqual(self.locks(how), [], "the lock was not given back")

    def until(self, what, condition, seconds=60):
        deadline = time.monotonic() + seconds
        while not (value := condition()):
            self.assertLess(time.monotonic(), deadline, f"not within {seconds} s: {what}")
            time.sleep(0.1)
        return value

    def assert_digest(self):
        self.assertEqual(self.item("-md5")["Digest"]["S"], hashlib.md5(self.object()).hexdigest(), "digest of the state")


class Backend(Story):
    """Bucket and table, the block and its settings, and moving a state."""

    def test_create_backend(self):
        self.configure(table=True, lockfile=True)
        self.step("without a bucket the next step is named")
        self.assertIn("aloka init -create-backend", self.aloka("plan", expect=1).err)
        self.step("made, and made once")
        first = self.aloka("init", "-create-backend").out
        self.assertIn(f"bucket {self.bucket}: made", first)
        self.assertIn(f"table {TABLE}: made", first)
        again = self.aloka("init", "-create-backend").out
        self.assertEqual(len(re.findall(r"(?m): (was there already|was so already)$", again)), 6, again)
        self.step("as it should be")
        self.assertEqual(self.s3.get_bucket_versioning(Bucket=self.bucket)["Status"], "Enabled")
        blocked = self.s3.get_public_access_block(Bucket=self.bucket)["PublicAccessBlockConfiguration"]
        self.assertEqual(set(blocked.values()), {True}, blocked)
        rules = self.s3.get_bucket_encryption(Bucket=self.bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        self.assertEqual(rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"], "AES256")
        policy = json.loads(self.s3.get_bucket_policy(Bucket=self.bucket)["Policy"])
        self.assertEqual([s["Condition"] for s in policy["Statement"]], [{"Bool": {"aws:SecureTransport": "false"}}])
        table = self.dynamodb.describe_table(TableName=TABLE)["Table"]
        self.assertEqual(table["KeySchema"], [{"AttributeName": "LockID", "KeyType": "HASH"}])
        self.assertEqual(table["BillingModeSummary"]["BillingMode"], "PAY_PER_REQUEST")

    def test_life_in_s3(self):
        self.configure(table=True, lockfile=True)
        self.aloka("init", "-create-backend")
        self.step("apply, and nothing to do after it, from another checkout as well")
        self.aloka("apply", "-auto-approve")
        self.assertFalse((self.cwd / "terraform.tfstate").exists(), "a local state was written")
        self.assert_digest()
        check(self, World(self.aws), self.state()["lineage"])
        other = self.directory("other", table=True, lockfile=True)
        self.aloka("plan", "-detailed-exitcode", cwd=other)
        self.assertIn("db_endpoint", self.aloka("output", cwd=other).out)
        self.assert_free(LOCKS["both"])
        head = self.s3.head_object(Bucket=self.bucket, Key=KEY)
        self.assertEqual((head["ContentType"], head["ServerSideEncryption"]), ("application/json", "AES256"))
        self.step("versions, and a broken state")
        lines = self.aloka("state", "versions").out.splitlines()
        self.assertGreater(len(lines), 3)
        self.assertTrue(lines[0].endswith("current") and not lines[1].endswith("current"), lines)
        self.s3.put_object(Bucket=self.bucket, Key=KEY, Body=b"{")
        self.dynamodb.delete_item(TableName=TABLE, Key={"LockID": {"S": f"{self.bucket}/{KEY}-md5"}})
        broken = self.aloka("plan", expect=1).err
        self.assertIn(lines[0].split()[0], broken, "the last good version is not named")
        # As the hint has it, but in two steps: the emulator refuses to copy an older version over the current one.
        whole = self.s3.get_object(Bucket=self.bucket, Key=KEY, VersionId=lines[0].split()[0])["Body"].read()
        self.s3.put_object(Bucket=self.bucket, Key=KEY, Body=whole)
        self.aloka("plan", "-detailed-exitcode")
        self.step("destroy")
        self.aloka("destroy", "-auto-approve", ALLOW)
        check_gone(self, World(self.aws))

    def test_migration(self):
        self.step("from a local file to S3")
        self.aloka("apply", "-auto-approve", "-var", "app_instance_count=0")
        local = (self.cwd / "terraform.tfstate").read_text()
        self.configure(lockfile=True)
        self.aloka("init", "-create-backend", expect=1)
        self.assertIn("-migrate-state", self.aloka("plan", expect=1).err)
        self.aloka("init", "-migrate-state")
        self.assertEqual(json.loads(local), self.state())
        kept = list(self.cwd.glob("terraform.tfstate.moved-*"))
        self.assertEqual([path.read_text() for path in kept], [local], "the old copy")
        self.assertFalse((self.cwd / "terraform.tfstate").exists())
        self.aloka("plan", "-detailed-exitcode", "-var", "app_instance_count=0")
        self.aloka("init", "-migrate-state")
        self.step("to another key, by -backend-config")
        self.aloka("init", "-backend-config=key=other", expect=1)
        self.aloka("init", "-backend-config=key=other", "-migrate-state")
        self.assertEqual(json.loads(self.object("other")), self.state())
        self.aloka("plan", "-detailed-exitcode", "-var", "app_instance_count=0")
        self.step("and back to a local file")
        (self.cwd / "provider.tf").unlink()
        self.assertIn("-migrate-state", self.aloka("plan", expect=1).err)
        self.aloka("init", "-migrate-state", "-reconfigure", expect=1)
        self.aloka("init", "-migrate-state")
        self.assertEqual(json.loads(local), json.loads((self.cwd / "terraform.tfstate").read_text()))
        self.step("what is there is not overwritten")
        fresh = self.directory("fresh")
        self.aloka("apply", "-auto-approve", "-var", "app_instance_count=0", "-var", "project_name=second", cwd=fresh)
        (fresh / "provider.tf").write_text(block(self.url, self.bucket, lockfile=True))
        refused = self.aloka("init", "-migrate-state", cwd=fresh, expect=1).err
        self.assertIn("lineage", refused)

    def test_a_partial_block(self):
        (self.cwd / "provider.tf").write_text(block(self.url, None, lockfile=True))
        refused = self.aloka("plan", expect=1).err
        self.assertIn("provider.tf:2:3", refused)
        self.assertIn("-backend-config='bucket=", refused)
        self.aloka("init", f"-backend-config=bucket={self.bucket}", "-create-backend")
        self.aloka("plan")
        self.step("the simulated cloud leaves S3 alone")
        told = self.aloka("-cloud=sim", "apply", "-auto-approve")
        self.assertIn("is left alone", told.err)
        self.assertIsNone(self.object())
        self.assertTrue((self.cwd / ".aloka/sim.tfstate").exists())


class Credentials(Story):
    """Credentials that expire before the end are noticed before the start."""

    def credentials(self, minutes):
        """Has them made by a process, as with single sign-on, and told to last so long."""
        expiry = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)
        made = {"Version": 1, "AccessKeyId": self.account, "SecretAccessKey": "test", "SessionToken": "test",
                "Expiration": expiry.strftime("%Y-%m-%dT%H:%M:%SZ")}
        (self.top / "made.json").write_text(json.dumps(made))
        (self.top / "config").write_text(f"[default]\ncredential_process = cat {self.top}/made.json\n")
        self.env["AWS_CONFIG_FILE"] = str(self.top / "config")
        self.env.pop("AWS_ACCESS_KEY_ID", None)
        self.env.pop("AWS_SECRET_ACCESS_KEY", None)
        return made["Expiration"]

    def test_expiry_is_noticed_before_the_start(self):
        self.step("too soon for a database")
        expiry = self.credentials(minutes=4)
        asked = self.finish(self.start(harness.binary(), "apply"), expect=1, answer="no\n")
        self.assertIn(f"the credentials expire at {expiry}", asked.err)
        check_gone(self, World(self.aws))
        self.step("late enough")
        self.credentials(minutes=120)
        self.assertNotIn("credentials expire", self.finish(self.start(harness.binary(), "apply"), expect=1, answer="no\n").err)


class Locks(Story):
    """A lock of a dead aloka, and of a living one; no Terraform needed."""

    def test_lease(self):
        lease = {"ALOKA_LOCK_LEASE": "3"}
        for name, how in LOCKS.items():
            self.step(name)
            self.configure(**how)
            self.aloka("init", "-create-backend", "-reconfigure")
            holder = self.start(harness.binary(), "apply", env=lease)
            info = self.until("the lock is held", lambda: self.held_lock(how))
            self.assertEqual(info["Lease"], 3)
            living = self.aloka("plan", "-lock-timeout=8s", expect=1, env=lease).err
            self.assertIn(info["ID"], living)
            self.assertGreater(self.held_lock(how)["Renewed"], info["Renewed"], "no sign of life")
            holder.send_signal(signal.SIGKILL)
            holder.communicate()
            self.assertEqual(self.held_lock(how)["ID"], info["ID"], "the dead left no lock")
            taken = self.aloka("plan", "-lock-timeout=30s", env=lease)
            self.assertIn(f"taking over the lock of {info['Who']}", taken.err)
            self.assert_free(how)


@unittest.skipUnless(shutil.which("terraform"), "no terraform in PATH")
class Terraform(Story):
    """Each tool respects the other's locks and reads the other's states."""

    def both_ways(self, how):
        self.configure(**how)
        self.aloka("init", "-create-backend", "-reconfigure")
        theirs = self.top / f"terraform-{'-'.join(how)}"
        theirs.mkdir()
        (theirs / "main.tf").write_text(block(self.url, self.bucket, **how) + OUTPUT)
        self.terraform("init", "-input=false", cwd=theirs)

        self.step("aloka holds the lock: terraform cannot")
        holder = self.start(harness.binary(), "apply")
        info = self.until("aloka holds the lock", lambda: self.held_lock(how))
        refused = self.terraform("plan", "-input=false", "-no-color", cwd=theirs, expect=1)
        for part in ("Error acquiring the state lock", info["ID"], info["Who"], "OperationTypeApply"):
            self.assertIn(part, refused.all)
        self.step("terraform force-unlocks it: aloka changes nothing any more")
        self.terraform("force-unlock", "-force", info["ID"], cwd=theirs)
        self.assert_free(how)
        self.terraform("plan", "-input=false", cwd=theirs)
        holder.send_signal(signal.SIGKILL)
        holder.communicate()

        self.step("terraform holds the lock: aloka respects it, and waits for it")
        (theirs / "main.tf").write_text(block(self.url, self.bucket, **how) + OUTPUT + SLOW)
        holder = self.start("terraform", "apply", "-auto-approve", "-input=false", "-no-color", cwd=theirs)
        info = self.until("terraform holds the lock", lambda: self.held_lock(how))
        refused = self.aloka("plan", expect=1).err
        for part in (info["ID"], info["Who"], "OperationTypeApply", "never expires"):
            self.assertIn(part, refused)
        waited = self.aloka("plan", "-lock-timeout=60s")
        self.assertIn("Acquiring state lock", waited.err)
        self.finish(holder)
        self.assert_free(how)

        self.step("terraform dies holding the lock: aloka force-unlocks it")
        (theirs / "main.tf").write_text(block(self.url, self.bucket, **how) + OUTPUT + SLOW.replace("slow", "slower"))
        holder = self.start("terraform", "apply", "-auto-approve", "-input=false", cwd=theirs)
        info = self.until("terraform holds the lock", lambda: self.held_lock(how))
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
        self.aloka("force-unlock", "-force", "nope", expect=1)
        self.assertEqual(self.held_lock(how)["ID"], info["ID"])
        self.aloka("force-unlock", "-force", info["ID"])
        self.assert_free(how)

        self.step("aloka writes upon terraform's state, and terraform reads it")
        before = self.state()
        self.aloka("apply", "-auto-approve")
        after = self.state()
        self.assertEqual(after["lineage"], before["lineage"])
        self.assertGreater(after["serial"], before["serial"])
        if how.get("table"):
            self.assert_digest()
        listed = self.terraform("state", "list", cwd=theirs).out.split()
        self.assertIn("terraform_data.slow", listed)
        self.assertIn("aws_instance.app", listed)
        self.assertIn("vpc_id", self.terraform("output", "-json", cwd=theirs).out)

        self.step("terraform writes upon aloka's state, and aloka reads it")
        self.terraform("state", "rm", "terraform_data.slow", cwd=theirs)
        self.aloka("plan", "-detailed-exitcode", expect=None)
        self.aloka("destroy", "-auto-approve", ALLOW)
        self.aloka("state", "list")

    def test_table(self):
        self.both_ways(LOCKS["table"])

    def test_lock_file(self):
        self.both_ways(LOCKS["lock file"])

    def test_both(self):
        self.both_ways(LOCKS["both"])


class FailingStore(Story):
    """From its k-th write on the store fails: nothing more is sent, and a re-run from a clean checkout converges."""

    def fails_from(self, k):
        setup = self.directory("setup", lockfile=True)
        self.aloka("init", "-create-backend", cwd=setup)
        proxy = StoreProxy(self.url, KEY)
        try:
            proxy.fail_from = k
            cwd = self.directory("failing", lockfile=True, s3=proxy.url)
            # What the directory says is the directory's word alone; so it is the user's, too.
            self.assertIn("which is not AWS's", self.aloka("apply", "-auto-approve", cwd=cwd, expect=1).err)
            failed = self.aloka("apply", "-auto-approve", cwd=cwd, expect=None, env={"AWS_ENDPOINT_URL_S3": proxy.url})
            if failed.code == 0:
                self.assertLess(proxy.writes, k, "the store failed, and nobody noticed")
                self.step(f"an apply has {proxy.writes} writes only")
            else:
                for part in ("could not be written", "nothing more was sent", "errored.tfstate", "here or elsewhere"):
                    self.assertIn(part, failed.err, failed.text)
                errored = cwd / "errored.tfstate"
                self.assertEqual(oct(stat.S_IMODE(errored.stat().st_mode)), "0o600")
                known = json.loads(errored.read_text())
                self.assertGreaterEqual(known["serial"], k)
                if k == 1:
                    check_gone(self, World(self.aws))
            proxy.fail_from = None
            clean = self.directory("clean", lockfile=True)
            self.aloka("apply", "-auto-approve", cwd=clean)
            check(self, World(self.aws), self.state()["lineage"])
            self.aloka("plan", "-detailed-exitcode", cwd=clean)
            self.aloka("destroy", "-auto-approve", ALLOW, cwd=clean)
            check_gone(self, World(self.aws))
        finally:
            proxy.shutdown()
            proxy.server_close()


for write in (1, 2, 3, 5, 8, 12):
    setattr(FailingStore, f"test_from_write_{write}_on", lambda self, k=write: self.fails_from(k))


if __name__ == "__main__":
    harness.endpoint()
    if not harness.binary():
        sys.exit(f"ALOKA_BIN is not set: cargo build -p aloka, then ALOKA_BIN=target/debug/aloka {Path(__file__).parent}/state")
    harness.main()
