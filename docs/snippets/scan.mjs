// Requests a scan of a domain and waits for the result: node scan.mjs DOMAIN
import { setTimeout as pause } from "node:timers/promises";

const { SITELOG_URL, SITELOG_KEY } = process.env;

/** Sends a request and returns the response. */
async function send(path, { headers, ...options } = {}) {
  const response = await fetch(SITELOG_URL + path, {
    ...options,
    headers: { Authorization: `Bearer ${SITELOG_KEY}`, ...headers },
  });
  if (!response.ok) throw new Error(await response.text()); // a problem (RFC 9457): `code` says what is wrong
  return response;
}

const request = {
  method: "POST",
  headers: { "Content-Type": "application/json", Prefer: "wait=60" },
  body: JSON.stringify({ domain: process.argv[2] }),
};
let scan = await (await send("/api/v4/scans", request)).json();
while (["pending", "running"].includes(scan.status)) { // the scan takes longer than one response waits
  await pause(2000);
  scan = await (await send(scan.links.self)).json();
}
if (scan.status !== "completed") throw new Error(`${scan.domain} ${scan.status}: ${scan.reason}, ${scan.error}`);
console.log(scan.domain, scan.status);
console.log("title:", scan.result.title);
console.log("email:", scan.result.contact_info.email.join(", "));
