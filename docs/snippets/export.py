"""Saves the results of a batch, with the columns that were sent with each domain: python3 export.py BATCH FILE.csv"""

import os
import shutil
import sys
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


batch, name = sys.argv[1:]
# Also ndjson and xlsx. An incomplete download must not look complete, so the file is renamed at the end.
with send(f"/api/v4/batches/{batch}/domains?format=csv") as response, open(name + ".part", "wb") as file:
    shutil.copyfileobj(response, file)
os.replace(name + ".part", name)
print("saved", name)
