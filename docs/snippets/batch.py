"""Sends a list of domains and prints its progress until it has ended: python3 batch.py LIST.csv"""

import http.client
import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid


def ask(path, body=None, headers=None):
    """A GET, or a POST of a body; the answer, to be read."""
    request = urllib.request.Request(os.environ["SITELOG_URL"] + path, body, headers or {})
    request.add_header("Authorization", "Bearer " + os.environ["SITELOG_KEY"])
    try:
        return urllib.request.urlopen(request, timeout=90)
    except urllib.error.HTTPError as error:
        sys.exit(error.read().decode())  # a problem (RFC 9457): `code` says what is wrong


with open(sys.argv[1], "rb") as file:
    # With an Idempotency-Key the request may be sent again if no answer came: nothing is done twice.
    headers = {"Content-Type": "text/csv", "Idempotency-Key": str(uuid.uuid4())}
    batch = json.load(ask("/api/v4/batches", file.read(), headers))
print("batch", batch["batch_id"])
for line in batch["rejected"]:
    print(f"line {line['line']}: {line['error']}")

last, told = "0", False
while not told:
    try:
        with ask(batch["links"]["self"] + "/events", headers={"Last-Event-ID": last}) as events:
            told = events.status == 204  # it has ended, and there is nothing more to tell
            for line in events:
                field, _, value = line.decode().rstrip("\n").partition(": ")
                if field == "data":
                    event = json.loads(value)
                    last = str(event["position"])
                    print(last, event["type"], event["stream"]["id"], flush=True)
    except (OSError, http.client.HTTPException):
        time.sleep(1)  # the connection broke: go on behind the last event
# As it is known when that much of the log was read.
batch = json.load(ask(f"{batch['links']['self']}?at_least={last}"))
print(f"{batch['status']}: {batch['completed']} completed, {batch['failed']} failed")
