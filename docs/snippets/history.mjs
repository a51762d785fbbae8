// Prints what changed in a domain, newest first: node history.mjs DOMAIN
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

const query = new URLSearchParams({ limit: "1000" });
for (let next = ""; next !== null; ) {
  const page = await (await send(`/api/v4/domains/${process.argv[2]}/history?${query}`)).json();
  for (const { at, field, old, new: now, scan_id } of page.items) {
    console.log(`${at} ${field}: ${JSON.stringify(old)} -> ${JSON.stringify(now)} (scan ${scan_id})`);
  }
  next = page.next;
  query.set("cursor", next);
}
