"""Receives webhooks, checks their signatures and drops repetitions: WEBHOOK_SECRETS=whsec_… python3 receiver.py PORT"""

import base64
import collections
import hashlib
import hmac
import http.server
import json
import os
import sys
import time

KEYS = [base64.b64decode(secret.removeprefix("whsec_")) for secret in os.environ["WEBHOOK_SECRETS"].split()]
TOLERANCE = 300  # seconds
seen = collections.OrderedDict()  # in a database, if a restart must not repeat anything


def is_genuine(headers, body):
    """Whether one of the signatures is by one of our secrets, and recent."""
    sent, identifier = headers.get("webhook-timestamp", ""), headers.get("webhook-id", "")
    if not sent.isdigit() or abs(time.time() - int(sent)) > TOLERANCE:
        return False
    signed = f"{identifier}.{sent}.".encode() + body
    expected = ["v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode() for key in KEYS]
    given = headers.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(one, other) for one in expected for other in given)


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if not is_genuine(self.headers, body):
            return self.answer(401)
        identifier = self.headers["webhook-id"]
        if identifier not in seen:
            event = json.loads(body)
            print(event["type"], json.dumps(event["data"]), flush=True)  # your work; keep it short
            seen[identifier] = True
            if len(seen) > 10_000:
                seen.popitem(last=False)
        self.answer(204)

    def answer(self, status):
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver)
print(f"listening on {server.server_port}", flush=True)
server.serve_forever()
