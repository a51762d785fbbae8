"""Sends a list of domains and prints its progress until it has ended: python3 batch.py LIST.csv"""

import http.client
import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid


def send(path, body=None, headers=None):
    """Sends a GET, or a POST if there is a body; returns the response."""
    request = urllib.request.Request(os.environ["SITELOG_URL"] + path, body, headers or {})
    request.add_header("Authorization", "Bearer " + os.environ["SITELOG_KEY"])
    try:
        return urllib.request.urlopen(request, timeout=90)
    except urllib.error.HTTPError as error:
        sys.exit(error.read().decode())  # a problem (RFC 9457): `code` says what is wrong


with open(sys.argv[1], "rb") as file:
    # With an Idempotency-Key the request can be retried if there was no response: it has no further effect.
    headers = {"Content-Type": "text/csv", "Idempotency-Key": str(uuid.uuid4())}
    batch = json.load(send("/api/v4/batches", file.read(), headers))
print("batch", batch["batch_id"])
for line in batch["rejected"]:
    print(f"line {line['line']}: {line['error']}")

last, ended = "0", False
while not ended:
    try:
        with send(batch["links"]["self"] + "/events", headers={"Last-Event-ID": last}) as events:
            ended = events.status == 204  # the batch has ended, and there are no more events
            for line in events:
                field, _, value = line.decode().rstrip("\n").partition(": ")
                if field == "data":
                    event = json.loads(value)
                    last = str(event["position"])
                    print(last, event["type"], event["stream"]["id"], flush=True)
    except (OSError, http.client.HTTPException):
        time.sleep(1)  # the connection was closed: continue after the last event
# The state of the batch at this log position.
batch = json.load(send(f"{batch['links']['self']}?at_least={last}"))
print(f"{batch['status']}: {batch['completed']} completed, {batch['failed']} failed")
