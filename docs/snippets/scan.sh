#!/bin/sh
# Requests a scan of a domain and waits up to a minute for the result: scan.sh DOMAIN
set -eu
scan=$(curl -sS --fail-with-body "$SITELOG_URL/api/v4/scans" -H "Authorization: Bearer $SITELOG_KEY" \
    -H 'Content-Type: application/json' -H 'Prefer: wait=60' -d "{\"domain\": \"$1\"}") || { echo "$scan" >&2; exit 1; }
# If it takes longer, the status is pending or running: then poll links.self.
printf '%s\n' "$scan" | jq '{status, domain, reason, error, title: .result.title?, contact_info: .result.contact_info?, links}'
