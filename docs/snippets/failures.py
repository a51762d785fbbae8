"""Prints why scans of a batch failed: python3 failures.py BATCH"""

import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request


def send(path, body=None, headers=None):
    """Sends a GET, or a POST if there is a body; returns the response."""
    request = urllib.request.Request(os.environ["SITELOG_URL"] + path, body, headers or {})
    request.add_header("Authorization", "Bearer " + os.environ["SITELOG_KEY"])
    try:
        return urllib.request.urlopen(request, timeout=90)
    except urllib.error.HTTPError as error:
        sys.exit(error.read().decode())  # a problem (RFC 9457): `code` says what is wrong


batch = json.load(send("/api/v4/batches/" + sys.argv[1]))
for reason, count in batch["failures"].items():
    print(f"{count} {reason}: see {os.environ['SITELOG_URL']}/docs/problems/{reason}")
query = {"status": "failed", "limit": 1000}
while True:
    page = json.load(send(f"/api/v4/batches/{sys.argv[1]}/scans?" + urllib.parse.urlencode(query)))
    for scan in page["items"]:
        print(scan["domain"], scan["reason"], scan["error"], sep="\t")
    if page["next"] is None:
        break
    query["cursor"] = page["next"]
