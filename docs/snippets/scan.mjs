// Requests a scan of a domain and waits for the result: node scan.mjs DOMAIN
import { setTimeout as pause } from "node:timers/promises";

const { SITELOG_URL, SITELOG_KEY } = process.env;

/** A request; the answer, to be read. */
async function ask(path, { headers, ...options } = {}) {
  const answer = await fetch(SITELOG_URL + path, {
    ...options,
    headers: { Authorization: `Bearer ${SITELOG_KEY}`, ...headers },
  });
  if (!answer.ok) throw new Error(await answer.text()); // a problem (RFC 9457): `code` says what is wrong
  return answer;
}

const request = {
  method: "POST",
  headers: { "Content-Type": "application/json", Prefer: "wait=60" },
  body: JSON.stringify({ domain: process.argv[2] }),
};
let scan = await (await ask("/api/v4/scans", request)).json();
while (["pending", "running"].includes(scan.status)) { // it takes longer than one answer waits
  await pause(2000);
  scan = await (await ask(scan.links.self)).json();
}
if (scan.status !== "completed") throw new Error(`${scan.domain} ${scan.status}: ${scan.reason}, ${scan.error}`);
console.log(scan.domain, scan.status);
console.log("title:", scan.result.title);
console.log("e-mail:", scan.result.contact_info.email.join(", "));
