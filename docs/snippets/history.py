"""Prints what changed in a domain, newest first: python3 history.py DOMAIN"""

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


query = {"limit": 1000}
while True:
    page = json.load(send(f"/api/v4/domains/{sys.argv[1]}/history?" + urllib.parse.urlencode(query)))
    for change in page["items"]:
        old, new = (json.dumps(change[side], ensure_ascii=False) for side in ("old", "new"))
        print(f"{change['at']} {change['field']}: {old} -> {new} (scan {change['scan_id']})")
    if page["next"] is None:
        break
    query["cursor"] = page["next"]
