// Prints what changed in a domain, newest first: node history.mjs DOMAIN
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

const query = new URLSearchParams({ limit: "1000" });
for (let next = ""; next !== null; ) {
  const page = await (await ask(`/api/v4/domains/${process.argv[2]}/history?${query}`)).json();
  for (const { at, field, old, new: now, scan_id } of page.items) {
    console.log(`${at} ${field}: ${JSON.stringify(old)} -> ${JSON.stringify(now)} (scan ${scan_id})`);
  }
  next = page.next;
  query.set("cursor", next);
}
