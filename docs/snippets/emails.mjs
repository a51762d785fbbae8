// Lists the email addresses of all domains: node emails.mjs
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

const query = new URLSearchParams({ has_email: "true", limit: "1000" });
for (let next = ""; next !== null; ) {
  const page = await (await send("/api/v4/domains?" + query)).json();
  for (const { domain, email_addresses } of page.items) {
    for (const address of email_addresses) console.log(domain + "\t" + address);
  }
  next = page.next;
  query.set("cursor", next);
}
