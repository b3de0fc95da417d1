"""Machines and networks as they are: the real binary on the emulator, in an environment that others have set up.

    cargo build -p aloka && ALOKA_BIN=target/debug/aloka localstack/emulator run -- tests/localstack/driver

Each test is a kind of mishap with all its forms, which run side by side: they mostly wait. None may end in a panic, in an
error that does not say what to do, in the same error twice, or in silence.
"""
import re
import shutil
import ssl
import subprocess
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

import boto3

import harness
from spoiler import Spoiler

TABLE, KEY = "locks", "prod/terraform.tfstate"
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
# Nothing may be silent for longer: ten seconds, and what a busy machine takes.
SILENCE = 13


class Ran:
    """What a command did, with the moment of each of its lines."""

    def __init__(self, process, limit):
        self.lines, self.began = [], time.monotonic()
        timer = threading.Timer(limit, process.kill)
        timer.start()
        with process.stdout:
            for line in process.stdout:
                self.lines.append((time.monotonic() - self.began, line.rstrip("\n")))
        self.code = process.wait()
        timer.cancel()
        self.took = time.monotonic() - self.began
        self.text = "\n".join(line for _, line in self.lines)
        self.errors = [line for _, line in self.lines if line.startswith("error:")]
        self.hints = "\n".join(line for _, line in self.lines if line.startswith("hint:"))

    def silence(self):
        """The longest time without a line."""
        moments = [0, *(at for at, _ in self.lines), self.took]
        return max(later - earlier for earlier, later in zip(moments, moments[1:]))

    def __str__(self):
        return f"exit code {self.code} after {self.took:.1f} s\n{self.text}"


class Story(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.top = self.enterContext(harness.scratch())
        self.url, self.account = harness.endpoint(), harness.fresh_account()
        self.bucket = f"aloka-driver-{self.account}"
        self.env = harness.environment(self.top / "home", self.url, self.account)
        self.env["TF_VAR_db_password"] = harness.CANARY
        self.number = 0
        client = lambda service: boto3.client(service, endpoint_url=self.url, region_name=harness.REGION,
                                              aws_access_key_id=self.account, aws_secret_access_key="test")
        self.s3, self.dynamodb = client("s3"), client("dynamodb")

    def directory(self, key=None, settings=""):
        """A clean checkout; with a state in S3 if its key is given."""
        self.number += 1
        path = self.top / f"stack-{self.number}"
        path.mkdir()
        (path / "terraform.tfvars").write_text(harness.TFVARS)
        if key:
            (path / "provider.tf").write_text(
                f'terraform {{\n  backend "s3" {{\n    bucket = "{self.bucket}"\n    key = "{key}"\n'
                f'    region = "{harness.REGION}"\n    use_path_style = true\n    {settings}\n  }}\n}}\n')
        return path

    def start(self, *args, cwd, env=None):
        """`env` is added to the environment; what is None is taken out of it."""
        env = {name: value for name, value in {**self.env, **(env or {})}.items() if value is not None}
        return subprocess.Popen([harness.binary(), *args], cwd=cwd, env=env, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")

    def run_in(self, cwd, *args, env=None, limit=100):
        ran = Ran(self.start(*args, cwd=cwd, env=env), limit)
        self.assertNotIn("panicked", ran.text, ran)
        self.assertIn(ran.code, (0, 1), ran)
        self.assertNotIn(harness.CANARY, ran.text)
        self.assertLess(ran.silence(), SILENCE, f"a silence; {ran}")
        return ran

    def plan(self, env=None, cwd=None, *args, limit=100):
        return self.run_in(cwd or self.directory(), "plan", *args, env=env, limit=limit)

    def well(self, ran):
        self.assertEqual(ran.code, 0, ran)
        return ran

    def refused(self, ran, *words, soon=True):
        """Refused once, with these words in the error or its hint."""
        self.assertEqual((ran.code, len(ran.errors)), (1, 1), ran)
        self.assertTrue(ran.hints, ran)
        for word in words:
            self.assertIn(word, ran.text, ran)
        if soon:
            self.assertLess(ran.took, 12, ran)
        return ran

    def each(self, cases):
        """Runs these functions side by side."""
        with ThreadPoolExecutor(len(cases)) as pool:
            for done in [pool.submit(case) for case in cases]:
                done.result()

    def write(self, name, text):
        path = self.top / name
        path.write_text(text)
        return str(path)

    def create_backend(self, settings=""):
        self.well(self.run_in(self.directory(KEY, settings), "init", "-create-backend"))


class Settings(Story):
    """Variables and profiles that are empty, broken, or meant for another tool."""

    def test_empty_is_not_set(self):
        names = ["AWS_ENDPOINT_URL_EC2", "AWS_ENDPOINT_URL_S3", "AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_MAX_ATTEMPTS",
                 "AWS_RETRY_MODE", "AWS_USE_FIPS_ENDPOINT", "AWS_CA_BUNDLE", "HTTPS_PROXY"]
        profile = f"[default]\nendpoint_url =\naws_access_key_id = {self.account}\naws_secret_access_key = x\n"
        config = {"AWS_CONFIG_FILE": self.write("config", profile)}
        self.each([
            lambda: self.well(self.plan({name: "" for name in names})),
            lambda: self.well(self.plan({name: " \r\n" for name in names if name.startswith("AWS_")})),
            lambda: self.well(self.plan(config)),
            lambda: self.well(self.plan({**config, **{name: None for name in KEYS}})),
            lambda: self.well(self.plan({"AWS_ENDPOINT_URL": "", **{f"AWS_ENDPOINT_URL_{name}": self.url for name in
                                                                    ("EC2", "RDS", "SSM", "STS")}})),
        ])

    def test_broken_is_named(self):
        config = lambda name, text: {"AWS_CONFIG_FILE": self.write(name, f"[default]\n{text}\n")}
        cases = [
            ({"AWS_ENDPOINT_URL": "127.0.0.1:4566"}, "AWS_ENDPOINT_URL", "127.0.0.1:4566"),
            ({"AWS_ENDPOINT_URL_RDS": "localhost"}, "AWS_ENDPOINT_URL_RDS", "localhost"),
            ({"AWS_ENDPOINT_URL": None, **config("a", "endpoint_url = 127.0.0.1:4566")}, "endpoint_url", "127.0.0.1:4566"),
            ({"AWS_MAX_ATTEMPTS": "0"}, "AWS_MAX_ATTEMPTS"),
            ({"AWS_MAX_ATTEMPTS": "many"}, "AWS_MAX_ATTEMPTS", "many"),
            ({"AWS_RETRY_MODE": "forever"}, "AWS_RETRY_MODE", "forever"),
            (config("b", "max_attempts = 0"), "max_attempts", "default"),
            (config("c", "retry_mode = twice"), "retry_mode", "twice"),
            ({"AWS_USE_FIPS_ENDPOINT": "true"}, "AWS_USE_FIPS_ENDPOINT", "AWS_ENDPOINT_URL"),
            ({"AWS_USE_DUALSTACK_ENDPOINT": "yes"}, "AWS_USE_DUALSTACK_ENDPOINT", "yes"),
            ({"AWS_CA_BUNDLE": "/nowhere"}, "AWS_CA_BUNDLE", "/nowhere"),
            ({"HTTPS_PROXY": "socks5://127.0.0.1:1"}, "HTTPS_PROXY"),
        ]
        self.each([lambda env=env, words=words: self.refused(self.plan(env), *words) for env, *words in cases])
        other = {"AWS_RETRY_MODE": "legacy", "AWS_MAX_ATTEMPTS": "4", "AWS_DEFAULTS_MODE": "auto"}
        self.well(self.plan(other))

    def test_keys_with_line_ends(self):
        token = {"AWS_SESSION_TOKEN": "IQoJ+/="}
        with_end = lambda end: {name: self.env.get(name, token.get(name)) + end for name in (*KEYS, *token)}
        inside = [({name: "AK\nIA"}, name) for name in (*KEYS, *token)]
        made = f'{{"Version": 1, "AccessKeyId": "{self.account}\\n", "SecretAccessKey": "x\\r\\n"}}'
        process = self.write("config", f"[default]\ncredential_process = cat {self.write('made', made)}\n")
        broken = made.replace(self.account, "AK\\nIA")
        process_broken = self.write("config2", f"[default]\ncredential_process = cat {self.write('made2', broken)}\n")
        without = {name: None for name in KEYS}
        self.each([
            *(lambda end=end: self.well(self.plan(with_end(end))) for end in ("\r", "\n", "\r\n", " ")),
            *(lambda env=env, name=name: self.refused(self.plan(env), name) for env, name in inside),
            lambda: self.well(self.plan({**without, "AWS_CONFIG_FILE": process})),
            lambda: self.refused(self.plan({**without, "AWS_CONFIG_FILE": process_broken}), "access key ID"),
        ])

    def test_the_key_of_the_profile_is_on_every_request(self):
        other = harness.fresh_account()
        files = {"AWS_SHARED_CREDENTIALS_FILE": self.write(
            "credentials", f"[prod]\naws_access_key_id = {other}\naws_secret_access_key = x\n")}
        self.well(self.run_in(self.directory(KEY), "init", "-create-backend",
                              env={"AWS_ACCESS_KEY_ID": other, "AWS_SECRET_ACCESS_KEY": "x"}))
        def used(by, cwd, env, *args):
            spoiler = Spoiler(self.url)
            self.well(self.plan({**files, "AWS_ENDPOINT_URL": spoiler.url, **env}, cwd, *args))
            self.assertTrue({"ec2", "rds", "sts"} <= {call.service for call in spoiler.calls}, spoiler.calls)
            self.assertEqual({call.key for call in spoiler.calls}, {by}, spoiler.calls)
        without = {name: None for name in KEYS}
        self.each([
            lambda: used(other, None, {}, "-var=aws_profile=prod"),
            lambda: used(other, None, {"TF_VAR_aws_profile": "prod", "AWS_PROFILE": "prod"}),
            lambda: used(other, None, {**without, "AWS_PROFILE": "prod"}),
            lambda: used(other, self.directory(KEY, 'profile = "prod"'), {}, "-var=aws_profile=prod"),
            lambda: used(self.account, None, {}),
            lambda: self.refused(self.plan(files, None, "-var=aws_profile=nope"), "`nope`", "aws_profile"),
            lambda: self.refused(self.plan({**files, "AWS_PROFILE": "nope"}), "`nope`", "AWS_PROFILE"),
        ])


class Credentials(Story):
    """A problem is told once, with its cause and its next step, and looked up once."""

    def test_those_that_are_not_there(self):
        without = {name: None for name in KEYS}
        config = lambda name, text: {**without, "AWS_CONFIG_FILE": self.write(name, text)}
        asked = self.top / "asked"
        process = f"[profile ci]\ncredential_process = sh -c 'echo x >> {asked}; echo no such vault >&2; exit 3'\n"
        sso = ("[profile office]\nsso_session = work\nsso_account_id = 111122223333\nsso_role_name = deploy\n"
               "[sso-session work]\nsso_region = us-east-1\nsso_start_url = https://office.invalid/start\n")
        lost = "[profile a]\nrole_arn = arn:aws:iam::111122223333:role/x\nsource_profile = gone\n"
        self.each([
            lambda: self.refused(self.plan(without), "AWS_ACCESS_KEY_ID"),
            lambda: self.refused(self.plan(config("a", "[default]\naws_access_key_id 1\n")), "on line 2", "'='"),
            lambda: self.refused(self.plan({**config("b", process), "AWS_PROFILE": "ci"}), "no such vault"),
            lambda: self.refused(self.plan({**config("c", sso), "AWS_PROFILE": "office"}), "aws sso login --profile office"),
            lambda: self.refused(self.plan(config("d", lost), None, "-var=aws_profile=a"), "gone", "list-profiles"),
        ])
        self.assertEqual(asked.read_text().split(), ["x"], "asked for more than once")

    def test_those_that_aws_does_not_accept(self):
        cases = [("ExpiredToken", "aws sso login"), ("RequestExpired", "clock"), ("RequestTimeTooSkewed", "clock"),
                 ("InvalidClientTokenId", "sts get-caller-identity"), ("SignatureDoesNotMatch", "secret access key")]
        def case(code, step):
            spoiler = Spoiler(self.url, (".", "error", (403, code)))
            self.refused(self.plan({"AWS_ENDPOINT_URL": spoiler.url}), code, step)
            return self.refused(self.plan({"AWS_ENDPOINT_URL": spoiler.url}, self.directory(KEY)), code, step)
        self.each([lambda code=code, step=step: case(code, step) for code, step in cases])


class Networks(Story):
    """Outages, and others than AWS that answer."""

    def outage(self, cwd, seconds, how, argument=None, env=None):
        """What a plan does when for so long from its first call on everything is spoiled so."""
        spoiler = Spoiler(self.url, (".", how, argument))
        threading.Timer(seconds, spoiler.rules.clear).start()
        ran = self.well(self.plan({"AWS_ENDPOINT_URL": spoiler.url, **(env or {})}, cwd))
        self.assertGreater(ran.took, seconds - 1, ran)
        return ran

    def test_an_outage_is_got_over(self):
        self.create_backend('use_lockfile = true\n    dynamodb_table = "locks"')
        busy, broken = (503, "ServiceUnavailable"), (500, "InternalError")
        locked = 'use_lockfile = true\n    dynamodb_table = "locks"'
        self.each([
            lambda: self.outage(None, 30, "error", busy),
            lambda: self.outage(None, 12, "reset"),
            lambda: self.outage(None, 6, "page", 502),
            lambda: self.outage(self.directory(KEY), 30, "error", broken),
            lambda: self.outage(self.directory(KEY, locked), 12, "reset"),
        ])

    def test_others_than_aws_are_named(self):
        moved = (302, [("Location", "http://login.hotel.example/?from=aws")])
        cases = [
            (("page", 200), "HTML page", "browser"),
            (("page", 403), "HTML page", "1.1 hotel"),
            (("bare", moved), "login.hotel.example", "browser"),
        ]
        def case(rule, words):
            spoiler = Spoiler(self.url, (".", *rule))
            env = {"AWS_ENDPOINT_URL": spoiler.url}
            self.refused(self.plan(env), *words, soon=False)
            self.refused(self.plan(env, self.directory(KEY)), words[0], soon=False)
        elsewhere = (301, [("x-amz-bucket-region", "eu-west-3"), ("x-amz-request-id", "1")])
        def head(answer, *words):
            spoiler = Spoiler(self.url, ("s3 HEAD", "bare", answer))
            env = {"AWS_ENDPOINT_URL": spoiler.url}
            self.refused(self.run_in(self.directory(KEY), "init", "-create-backend", env=env), *words)
        def nobody(cwd=None):
            ran = self.refused(self.plan({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, cwd), "no program listens", "127.0.0.1:1")
            self.assertNotIn("health.aws.amazon.com", ran.text)
        self.each([
            *(lambda rule=rule, words=words: case(rule, words) for rule, *words in cases),
            lambda: head(elsewhere, "eu-west-3", "region"),
            lambda: head((403, []), "ALOKA_BUCKET_OWNER"),
            nobody,
            lambda: nobody(self.directory(KEY)),
        ])

    @unittest.skipUnless(shutil.which("openssl"), "no openssl in PATH")
    def test_an_authority_of_the_company(self):
        def openssl(*args):
            subprocess.run(["openssl", *args], cwd=self.top, check=True, capture_output=True)
        ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        openssl("req", "-x509", *ec, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=company")
        openssl("req", *ec, "-keyout", "s.key", "-out", "s.csr", "-subj", "/CN=127.0.0.1")
        self.write("ext", "subjectAltName=IP:127.0.0.1\n")
        openssl("x509", "-req", "-in", "s.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", "s.pem",
                "-days", "2", "-extfile", "ext")
        spoiler = Spoiler(self.url)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.top / "s.pem", self.top / "s.key")
        spoiler.socket = context.wrap_socket(spoiler.socket, server_side=True)
        env = {"AWS_ENDPOINT_URL": spoiler.url.replace("http:", "https:")}
        bundle = self.top / "ca.pem"
        profile = {"AWS_CONFIG_FILE": self.write("config", f"[default]\nca_bundle = {bundle}\n")}
        self.create_backend()
        self.each([
            lambda: self.well(self.plan({**env, "AWS_CA_BUNDLE": str(bundle)})),
            lambda: self.well(self.plan({**env, "AWS_CA_BUNDLE": str(bundle)}, self.directory(KEY))),
            lambda: self.well(self.plan({**env, **profile})),
            lambda: self.refused(self.plan(env), "certificate", "AWS_CA_BUNDLE"),
            lambda: self.refused(self.plan(env, self.directory(KEY)), "certificate", "AWS_CA_BUNDLE"),
        ])


class Locks(Story):
    """Locks that say nothing, that nobody gives signs of life for, and that cannot be given back."""

    def test_a_lock_that_names_nobody(self):
        both = 'use_lockfile = true\n    dynamodb_table = "locks"'
        self.create_backend(both)
        def item(key, **attributes):
            settings = 'dynamodb_table = "locks"'
            name = {"LockID": {"S": f"{self.bucket}/{key}"}}
            put = lambda: self.dynamodb.put_item(TableName=TABLE, Item={**name, **attributes})
            case(key, settings, put, lambda: self.dynamodb.get_item(TableName=TABLE, Key=name).get("Item"))
        def thing(key, body):
            put = lambda: self.s3.put_object(Bucket=self.bucket, Key=f"{key}.tflock", Body=body)
            left = lambda: self.s3.list_objects_v2(Bucket=self.bucket, Prefix=f"{key}.tflock").get("Contents")
            case(key, "use_lockfile = true", put, left)
        def case(key, settings, put, left):
            cwd = self.directory(key, settings)
            put()
            for args in ((), ("-lock-timeout=5m",)):
                ran = self.refused(self.plan(None, cwd, *args), f"aloka force-unlock {self.bucket}/{key}")
                self.assertLess(ran.took, 8, ran)
            self.refused(self.run_in(cwd, "force-unlock", "-force", "11111111-2222-3333-4444-555555555555"), f"{key}")
            self.assertTrue(left(), "another ID removed it")
            self.well(self.run_in(cwd, "force-unlock", "-force", f"{self.bucket}/{key}"))
            self.assertFalse(left(), "it is still there")
            self.well(self.plan(None, cwd))
        self.each([
            lambda: item("a/without"),
            lambda: item("a/empty", Info={"S": ""}),
            lambda: item("a/number", Info={"N": "7"}),
            lambda: item("a/text", Info={"S": "locked by bob"}),
            lambda: thing("b/empty", b""),
            lambda: thing("b/text", b"locked by bob"),
            lambda: thing("b/json", b'{"Who": "bob"}'),
            lambda: thing("b/binary", b"\xff\xfe\x00"),
        ])

    def test_a_lock_with_a_name_is_not_taken_for_one_without(self):
        self.create_backend()
        cwd = self.directory(KEY, "use_lockfile = true")
        info = '{"ID":"e56561b6-cc55-e362-5fe9-07948dc0c55e","Operation":"OperationTypeApply","Info":"","Who":"root@vm"}'
        self.s3.put_object(Bucket=self.bucket, Key=f"{KEY}.tflock", Body=info.encode())
        self.refused(self.run_in(cwd, "force-unlock", "-force", f"{self.bucket}/{KEY}"), "root@vm")
        self.refused(self.plan(None, cwd), "root@vm", "aloka force-unlock e56561b6")

    def test_a_lock_that_cannot_be_given_back(self):
        settings = 'use_lockfile = true\n    dynamodb_table = "locks"'
        self.create_backend(settings)
        def case(pattern, permission, key, settings, *command):
            denied = (400 if "Item" in pattern else 403, "AccessDeniedException" if "Item" in pattern else "AccessDenied")
            spoiler = Spoiler(self.url, (pattern, "error", denied))
            ran = self.run_in(self.directory(key, settings), *command, env={"AWS_ENDPOINT_URL": spoiler.url})
            for word in ("warning:", "stays locked", permission, "aloka force-unlock "):
                self.assertIn(word, ran.text, ran)
        self.each([
            lambda: case("DELETE .*tflock", "s3:DeleteObject", "a", "use_lockfile = true", "plan"),
            lambda: case("DeleteItem", "dynamodb:DeleteItem", "b", 'dynamodb_table = "locks"', "plan"),
            lambda: case("DELETE .*tflock", "s3:DeleteObject", "c", "use_lockfile = true", "state", "rm", "aws_vpc.x"),
        ])

    def test_a_lock_of_the_dead(self):
        self.create_backend()
        cwd = self.directory(KEY, "use_lockfile = true")
        lease = {"ALOKA_LOCK_LEASE": "4"}
        spoiler = Spoiler(self.url, ("ec2", "late", 30))
        holder = self.start("plan", cwd=cwd, env={**lease, "AWS_ENDPOINT_URL": spoiler.url})
        deadline = time.monotonic() + 30
        while not any(call.service == "ec2" for call in spoiler.calls):
            self.assertLess(time.monotonic(), deadline, "it does not begin")
            time.sleep(0.1)
        holder.kill()
        holder.communicate()
        time.sleep(5)
        # Its lease is over, but by less than clocks may differ.
        refused = self.plan(None, cwd)
        if refused.code:
            self.refused(refused, "its lease of 4s is over")
            time.sleep(6)
            refused = self.plan(None, cwd)
        taken = self.well(refused)
        self.assertIn("taking over the lock", taken.text)

    def test_a_wait_for_a_lock_is_never_silent(self):
        self.create_backend()
        cwd = self.directory(KEY, "use_lockfile = true")
        info = '{"ID":"e56561b6-cc55-e362-5fe9-07948dc0c55e","Operation":"OperationTypeApply","Info":"","Who":"root@vm"}'
        self.s3.put_object(Bucket=self.bucket, Key=f"{KEY}.tflock", Body=info.encode())
        ran = self.plan(None, cwd, "-lock-timeout=23s")
        self.assertEqual(ran.code, 1, ran)
        self.assertGreater(ran.took, 22, ran)
        self.assertEqual(len(re.findall(r"still acquiring the lock .* elapsed\]", ran.text)), 2, ran)


class Versions(Story):
    """What is offered to be restored."""

    def test_the_newest_version_that_holds_a_state(self):
        self.create_backend()
        cwd = self.directory(KEY)
        self.well(self.run_in(cwd, "apply", "-auto-approve", "-var=app_instance_count=0"))
        good = self.s3.list_object_versions(Bucket=self.bucket, Prefix=KEY)["Versions"][0]["VersionId"]
        for body in (b"", b" \n", b'{"version":4,"terr', b"", b'{"version":4,"ser'):
            self.s3.put_object(Bucket=self.bucket, Key=KEY, Body=body)
        ran = self.refused(self.plan(None, cwd), f"version {good} of", "is whole, serial ")
        self.assertNotIn("serial 0", ran.text)


if __name__ == "__main__":
    harness.main(together=8)
