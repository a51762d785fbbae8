"""Lists the email addresses of all domains: python3 emails.py"""

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


query = {"has_email": "true", "limit": 1000}
while True:
    page = json.load(send("/api/v4/domains?" + urllib.parse.urlencode(query)))
    for domain in page["items"]:
        for address in domain["email_addresses"]:
            print(domain["domain"], address, sep="\t")
    if page["next"] is None:
        break
    query["cursor"] = page["next"]
