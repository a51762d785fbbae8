// Lists the e-mail addresses of all domains: node emails.mjs
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

const query = new URLSearchParams({ has_email: "true", limit: "1000" });
for (let next = ""; next !== null; ) {
  const page = await (await ask("/api/v4/domains?" + query)).json();
  for (const { domain, email_addresses } of page.items) {
    for (const address of email_addresses) console.log(domain + "\t" + address);
  }
  next = page.next;
  query.set("cursor", next);
}
