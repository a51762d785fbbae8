"""Requests a scan of a domain and waits for the result: python3 scan.py DOMAIN"""

import json
import os
import sys
import time
import urllib.error
import urllib.request


def send(path, body=None, headers=None):
    """Sends a GET, or a POST if there is a body; returns the response."""
    request = urllib.request.Request(os.environ["SITELOG_URL"] + path, body, headers or {})
    request.add_header("Authorization", "Bearer " + os.environ["SITELOG_KEY"])
    try:
        return urllib.request.urlopen(request, timeout=90)
    except urllib.error.HTTPError as error:
        sys.exit(error.read().decode())  # a problem (RFC 9457): `code` says what is wrong


body = json.dumps({"domain": sys.argv[1]}).encode()
scan = json.load(send("/api/v4/scans", body, {"Content-Type": "application/json", "Prefer": "wait=60"}))
while scan["status"] in ("pending", "running"):  # the scan takes longer than one response waits
    time.sleep(2)
    scan = json.load(send(scan["links"]["self"]))
if scan["status"] != "completed":
    sys.exit(f"{scan['domain']} {scan['status']}: {scan['reason']}, {scan['error']}")
print(scan["domain"], scan["status"])
print("title:", scan["result"]["title"])
print("email:", ", ".join(scan["result"]["contact_info"]["email"]))
