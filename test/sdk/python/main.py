"""Shows what the Python clients of Debian's packages make of their environment: the
twin of ../go, with the same command line, the same variables (see ../go/main.go) and
the same output, for clients that are years older.

    main.py aws|awscli|gcp|azure [--timeout 20s] [--repeat 5s]
"""

import argparse
import base64
import datetime
import json
import os
import signal
import subprocess
import sys
import time

# What the clients are to trust; requests and botocore do not read SSL_CERT_FILE.
CA = os.environ.get("SSL_CERT_FILE") or True


def first_env(*names):
    return next((os.environ[n] for n in names if os.environ.get(n)), None)


def claims(token):
    """Reads a token's claims and does not verify: the token came from the SDK."""
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


class AWS:
    """botocore: credentials of the default chain, and STS says who they are."""

    SOURCES = ("AWS_CONTAINER_CREDENTIALS_FULL_URI",)

    def __init__(self):
        import botocore
        import botocore.session

        self.sdk = f"botocore {botocore.__version__}"
        self.session = botocore.session.Session()

    def run(self):
        # This version knows no AWS_ENDPOINT_URL_STS.
        sts = self.session.create_client("sts", endpoint_url=os.environ.get("AWS_ENDPOINT_URL_STS"), verify=CA)
        identity = sts.get_caller_identity()["Arn"]
        credentials = self.session.get_credentials()
        return identity, getattr(credentials, "_expiry_time", None)


class AWSCLI:
    """The command line: a process for each question."""

    SOURCES = AWS.SOURCES

    def __init__(self):
        self.sdk = "awscli " + subprocess.run(["/usr/bin/aws", "--version"], capture_output=True, text=True, check=True).stdout.split()[0].split("/")[1]

    def run(self):
        command = ["/usr/bin/aws", "sts", "get-caller-identity", "--output", "json"]
        if os.environ.get("AWS_ENDPOINT_URL_STS"):
            command += ["--endpoint-url", os.environ["AWS_ENDPOINT_URL_STS"]]
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "AWS_CA_BUNDLE": str(CA)})
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip())
        return json.loads(done.stdout)["Arn"], None


class GCP:
    """google-auth: Application Default Credentials."""

    SOURCES = ("GCE_METADATA_IP", "GCE_METADATA_ROOT")

    def __init__(self):
        import google.auth
        import google.auth.transport.requests
        import requests

        import pkg_resources

        self.auth, self.requests = google.auth, requests
        self.request = google.auth.transport.requests.Request()
        self.sdk = "google-auth " + pkg_resources.get_distribution("google-auth").version
        self.credentials = None

    def run(self):
        if self.credentials is None:
            self.credentials, _ = self.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])
        if not self.credentials.valid:
            self.credentials.refresh(self.request)
        identity = self.credentials.service_account_email
        if os.environ.get("SDK_GCP_TOKENINFO"):
            answer = self.requests.get(os.environ["SDK_GCP_TOKENINFO"], params={"access_token": self.credentials.token}, verify=CA, timeout=10)
            if answer.status_code != 200:
                raise RuntimeError(f"tokeninfo: status {answer.status_code}")  # its URL holds the token
            identity = answer.json().get("email") or answer.json()["sub"]
        return identity, self.credentials.expiry


class Azure:
    """azure-identity: DefaultAzureCredential."""

    SOURCES = ("IDENTITY_ENDPOINT",)

    def __init__(self):
        import azure.identity

        self.sdk = f"azure-identity {azure.identity.__version__}"
        self.credential = azure.identity.DefaultAzureCredential()

    def run(self):
        token = self.credential.get_token(os.environ.get("SDK_AZURE_SCOPE") or "https://management.azure.com/.default")
        said = claims(token.token)
        return f"appid={said['appid']} tid={said['tid']}", datetime.datetime.fromtimestamp(token.expires_on, datetime.timezone.utc)


CHECKS = {"aws": AWS, "awscli": AWSCLI, "gcp": GCP, "azure": Azure}


class TooLate(Exception):
    pass


def too_late(*_):
    raise TooLate("no answer in time")


def seconds(text):
    for unit, factor in (("ms", 0.001), ("s", 1), ("m", 60)):
        if text.endswith(unit):
            return float(text[: -len(unit)]) * factor
    return float(text)


def measure(name, check, timeout):
    began = time.monotonic()
    result = {"cloud": name, "sdk": check.sdk, "ok": True}
    signal.setitimer(signal.ITIMER_REAL, timeout)
    try:
        identity, expires = check.run()
        result["identity"] = identity
        if expires is not None:
            result["expires"] = expires.strftime("%Y-%m-%dT%H:%M:%SZ")
    except Exception as error:  # what an application's log would show
        result["ok"] = False
        result["error"] = f"{type(error).__name__}: {error}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    source = first_env(*check.SOURCES)
    if source:
        result["source"] = source
    result["elapsedMillis"] = int((time.monotonic() - began) * 1000)
    return result


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("check", choices=CHECKS)
    parser.add_argument("--timeout", type=seconds, default=20)
    parser.add_argument("--repeat", type=seconds, default=0)
    options = parser.parse_args()
    signal.signal(signal.SIGALRM, too_late)
    check = CHECKS[options.check]()
    while True:
        result = measure(options.check, check, options.timeout)
        print(json.dumps(result), flush=True)
        if not options.repeat:
            sys.exit(0 if result["ok"] else 1)
        time.sleep(options.repeat)


if __name__ == "__main__":
    main()
