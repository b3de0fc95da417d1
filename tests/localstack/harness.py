"""What the emulator test and the comparison share: the binary, its surroundings, clients of the emulator."""
import contextlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.parse
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import boto3
from botocore.config import Config

REGION = "us-east-1"
DATABASE = "aloka-dev-db"
# A password that is found anywhere it should not be.
CANARY = "Canary-7f3k-Pa55w0rd"
# The seed's terraform.tfvars; the password comes from TF_VAR_db_password.
TFVARS = f'''aws_region   = "{REGION}"
environment  = "dev"
project_name = "aloka"
'''


def endpoint():
    """The emulator to use, from ALOKA_TEST_ENDPOINT."""
    return os.environ.get("ALOKA_TEST_ENDPOINT") or sys.exit("ALOKA_TEST_ENDPOINT is not set: localstack/emulator run -- ...")


def binary():
    """The binary to test, from ALOKA_BIN; None if it is not set."""
    path = os.environ.get("ALOKA_BIN")
    if path and not os.access(path, os.X_OK):
        sys.exit(f"ALOKA_BIN={path} is no program: cargo build -p aloka")
    return os.path.abspath(path) if path else None


def fresh_account():
    """An AWS account of its own: LocalStack takes an access key id of twelve digits as the account."""
    return str(random.SystemRandom().randrange(10**11, 10**12))


def environment(home, url, account):
    """Variables for a tool under test: nothing of the caller's but the search path."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TMPDIR": str(home),
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1,localhost",
        # The password protects nothing here; a release build takes no notice of this.
        "ALOKA_TEST_CHEAP_HASH": "1",
        # An emulator on another machine speaks plain HTTP, too.
        "ALOKA_HTTP_HOSTS": urllib.parse.urlsplit(url).hostname or "",
    }


def terraform_init(cwd, env):
    """Makes a folder ready for Terraform, adding to `env` what it takes; None, or why terraform cannot be used."""
    if not shutil.which("terraform"):
        return "no terraform in PATH"
    config = os.environ.get("TF_CLI_CONFIG_FILE")
    if config and os.path.exists(config):
        env["TF_CLI_CONFIG_FILE"] = config
    mirrors = sorted(Path("/opt").glob("*/registry.terraform.io/hashicorp/aws"))
    is_left = "TF_CLI_CONFIG_FILE" in env or not mirrors
    mirror = os.environ.get("TF_PLUGIN_DIR") or (None if is_left else mirrors[0].parents[2])
    command = ["terraform", "init", "-input=false", "-no-color"] + ([f"-plugin-dir={mirror}"] if mirror else [])
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=600)
    if done.returncode == 0:
        return None
    return f"terraform init failed, its AWS provider is needed (TF_PLUGIN_DIR names a mirror): {done.stderr.strip()[-600:]}"


@contextlib.contextmanager
def scratch():
    """A folder with a home folder in it, removed afterwards. ALOKA_KEEP=1 keeps it and prints where it is."""
    path = Path(tempfile.mkdtemp(prefix="aloka-test-"))
    (path / "home").mkdir()
    try:
        yield path
    finally:
        if os.environ.get("ALOKA_KEEP"):
            print(f"kept: {path}", file=sys.stderr)
        else:
            shutil.rmtree(path)


def main(together=6):
    """Runs the tests of the script that was started, each in a process of its own, some at a time: they mostly wait.
    Names on the command line choose tests, which then run one after the other."""
    if len(sys.argv) > 1:
        unittest.main(verbosity=2)

    def names(suite):
        return [n for test in suite for n in (names(test) if isinstance(test, unittest.TestSuite) else [test.id()])]

    def run(name):
        command = [sys.executable, sys.argv[0], name.removeprefix("__main__.")]
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    tests = names(unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"]))
    failed, skipped = [], []
    with ThreadPoolExecutor(together) as pool:
        running = {pool.submit(run, name): name for name in tests}
        for future in as_completed(running):
            done = future.result()
            print(done.stdout, file=sys.stderr, flush=True)
            name = running[future].removeprefix("__main__.")
            failed += [name] if done.returncode else []
            skipped += [name] if "(skipped=" in done.stdout else []
    print(f"{len(tests)} tests, failed: {', '.join(failed) or 'none'}", file=sys.stderr)
    if skipped:
        print(f"NOT TESTED: {', '.join(skipped)}", file=sys.stderr)
    sys.exit(bool(failed) or not tests or bool(skipped and os.environ.get("ALOKA_NEEDS_TERRAFORM")))


class Aws:
    """boto3 clients of one account, without retries: what the emulator refuses is to be seen."""

    def __init__(self, url, account):
        for service in ("ec2", "rds", "ssm", "sts"):
            client = boto3.client(service, endpoint_url=url, region_name=REGION, aws_access_key_id=account,
                                  aws_secret_access_key="test", config=Config(retries={"max_attempts": 0}))
            setattr(self, service, client)
