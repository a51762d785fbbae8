#!/bin/sh
# Requests the scan of a domain and waits up to a minute for its end: scan.sh DOMAIN
set -eu
scan=$(curl -sS --fail-with-body "$SITELOG_URL/api/v4/scans" -H "Authorization: Bearer $SITELOG_KEY" \
    -H 'Content-Type: application/json' -H 'Prefer: wait=60' -d "{\"domain\": \"$1\"}") || { echo "$scan" >&2; exit 1; }
# Its status is pending or running if it takes longer: then links.self tells how it goes on.
printf '%s\n' "$scan" | jq '{status, domain, reason, error, title: .result.title?, contact_info: .result.contact_info?, links}'
