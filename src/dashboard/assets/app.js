// This script is optional: each page works without it. It reloads parts of the page from the server and replaces the
// old ones; it computes nothing.
"use strict";

const page = document.querySelector("main");

// -- Live: on new events, or every few seconds, the parts of the page that the server marked are replaced. ----------

const lost = document.getElementById("lost");
let refreshing = false;
let again = false;
let lastRefresh = 0;

async function fetched(address) {
  const response = await fetch(address, { headers: { accept: "text/html" } });
  // The response is another page: the user is no longer signed in.
  if (response.redirected) location.reload();
  if (!response.ok) throw new Error(response.status);
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

async function refresh() {
  if (refreshing) {
    again = true;
    return;
  }
  refreshing = true;
  try {
    const fresh = await fetched(location.href);
    const parts = document.querySelectorAll("[data-part]");
    // The part showed that something was not available; now it is.
    if (!parts.length) return location.replace(location.href);
    for (const part of parts) replace(part, fresh.getElementById(part.id));
    document.title = fresh.title;
    for (const name of ["live", "poll"]) {
      const value = fresh.querySelector("main")?.dataset[name];
      if (value === undefined) delete page.dataset[name];
      else page.dataset[name] = value;
    }
    lost.hidden = true;
  } catch {
    lost.hidden = false;
    again = Boolean(page.dataset.live);
  } finally {
    lastRefresh = Date.now();
    refreshing = false;
    if (again) {
      again = false;
      soon();
    }
  }
}

const FOCUSABLE = "a[href], button, input, select, textarea, summary, [tabindex]";
// Ignores the request key of forms, which differs on each page.
const meaning = (part) => part.innerHTML.replace(/(name="request_key" value=")[^"]*/g, "$1");

// A part with the focused input is replaced after the user leaves it; a part with additional rows is never replaced.
function replace(part, fresh) {
  if (!fresh || part.dataset.loading || meaning(part) === meaning(fresh)) return;
  if (part.dataset.grown) return offerFresh(part);
  const focus = part.contains(document.activeElement) ? document.activeElement : null;
  if (focus?.matches("input, select, textarea")) {
    focus.addEventListener("blur", soon, { once: true });
    return;
  }
  const place = focus ? [...part.querySelectorAll(FOCUSABLE)].indexOf(focus) : -1;
  const open = [...part.querySelectorAll("details")].map((one) => one.open);
  const scrolled = [...part.querySelectorAll(".scroll")].map((one) => one.scrollLeft);
  part.replaceChildren(...fresh.childNodes);
  part.querySelectorAll("details").forEach((one, nth) => (one.open = open[nth] ?? one.open));
  part.querySelectorAll(".scroll").forEach((one, nth) => (one.scrollLeft = scrolled[nth] ?? 0));
  if (place >= 0) part.querySelectorAll(FOCUSABLE)[place]?.focus({ preventScroll: true });
  localTimes(part);
}

// Rows that the user has scrolled to stay in place.
function offerFresh(part) {
  if (part.querySelector(".as-loaded")) return;
  const offer = document.createElement("p");
  offer.className = "as-loaded small";
  const link = document.createElement("a");
  link.href = location.href;
  link.textContent = "Show the current rows";
  offer.append(link);
  part.prepend(offer);
}

let waiting = 0;
function soon() {
  const pause = Number(page.dataset.pause ?? 1000);
  clearTimeout(waiting);
  waiting = setTimeout(refresh, Math.max(0, lastRefresh + pause - Date.now()));
}

let source = null;
function watch() {
  source?.close();
  // A refresh meanwhile may have shown that the scan or batch has ended.
  if (!page.dataset.live) return;
  source = new EventSource(page.dataset.live);
  for (const name of page.dataset.events.split(" ")) source.addEventListener(name, soon);
  source.onopen = soon;
  source.onerror = async () => {
    if (source.readyState !== EventSource.CLOSED) {
      // The browser reconnects automatically. If that takes a moment, show a message.
      setTimeout(() => source.readyState === EventSource.CONNECTING && refresh(), 1500);
      return;
    }
    // The scan or batch has ended, or the server does not respond: reload the page.
    await refresh();
    if (page.dataset.live && !document.hidden) setTimeout(watch, 2000);
  };
}

function poll() {
  setTimeout(async () => {
    if (!document.hidden) await refresh();
    if (page.dataset.poll) poll();
  }, Number(page.dataset.poll));
}

if (page.dataset.live) watch();
else if (page.dataset.poll) poll();

// A browser opens few connections to one server; a hidden page closes its connection.
document.addEventListener("visibilitychange", () => {
  if (!page.dataset.live) return;
  if (document.hidden) source?.close();
  else watch();
});

// -- Lists: the next page is appended, automatically near the end of the screen, up to a thousand rows. --------------

const MOST_ROWS = 1000;

async function more(link) {
  const part = link.closest("[data-part]");
  if (!part || part.dataset.loading) return;
  part.dataset.loading = "true";
  link.setAttribute("aria-busy", "true");
  try {
    const fresh = (await fetched(link.href)).getElementById(part.id);
    const first = fresh.querySelector("tbody > tr");
    const added = [...fresh.querySelectorAll("tbody > tr")];
    part.querySelector("tbody").append(...added);
    part.dataset.grown = "true";
    const hadFocus = link === document.activeElement;
    part.querySelector(".pager").replaceWith(fresh.querySelector(".pager"));
    if (hadFocus) first?.querySelector("a")?.focus({ preventScroll: true });
    localTimes(part);
    lost.hidden = true;
    watchEnd(part);
  } catch {
    link.removeAttribute("aria-busy");
    lost.hidden = false;
  } finally {
    delete part.dataset.loading;
  }
}

const ends = new IntersectionObserver((seen) => {
  for (const { isIntersecting, target } of seen) {
    if (!isIntersecting) continue;
    ends.unobserve(target);
    more(target);
  }
}, { rootMargin: "400px" });

function watchEnd(part) {
  const link = part.querySelector("a[rel=next]");
  if (link && part.querySelectorAll("tbody > tr").length < MOST_ROWS) ends.observe(link);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[rel=next]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || !link.closest("[data-part]")) return;
  if (link.closest("[data-part]").querySelectorAll("tbody > tr").length >= MOST_ROWS) return;
  event.preventDefault();
  more(link);
});
// Nothing is appended before the user scrolls, so the first page is ready sooner.
addEventListener("scroll", () => document.querySelectorAll("[data-part]").forEach(watchEnd), { once: true, passive: true });

// -- Lists of domains: a file that is dropped or chosen is checked at once. ---------------------------------------

for (const zone of document.querySelectorAll(".drop")) {
  const input = zone.querySelector("input[type=file]");
  const form = zone.closest("form");
  const send = () => input.files.length && form.requestSubmit(form.querySelector("button[formaction]"));
  input.addEventListener("change", send);
  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.classList.add("over");
  });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    if (event.dataTransfer.files.length) {
      input.files = event.dataTransfer.files;
      send();
    }
  });
}

// -- Values of a card are copied by a button. The address must be a safe one (https, or this machine). -------------

if (navigator.clipboard) {
  document.documentElement.classList.add("can-copy");
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.classList.add("done");
    } catch {
      button.classList.add("failed");
    }
    setTimeout(() => button.classList.remove("done", "failed"), 2000);
  });
}

// A form is sent once: its button is disabled. The request key in the form prevents repetitions on the server, too.
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  const method = button?.getAttribute("formmethod") ?? event.target.method;
  if (method === "post" && button) setTimeout(() => (button.disabled = true));
});
addEventListener("pageshow", () => document.querySelectorAll("button:disabled").forEach((one) => (one.disabled = false)));

// -- Selections: the number of selected rows, and a checkbox that selects all shown rows. ---------------------------

for (const form of document.querySelectorAll("form.selection")) {
  const boxes = () => [...form.elements].filter((box) => box.name === "domain");
  const heading = document.querySelector("th.tick");
  const all = Object.assign(document.createElement("input"), { type: "checkbox" });
  all.setAttribute("aria-label", "Select all shown rows");
  heading?.replaceChildren(all);
  const count = form.querySelector("[data-count]");
  count.parentElement.hidden = false;
  const show = () => {
    const ticked = boxes().filter((box) => box.checked).length;
    count.textContent = ticked;
    all.checked = ticked > 0 && ticked === boxes().length;
    all.indeterminate = ticked > 0 && !all.checked;
  };
  all.addEventListener("change", () => {
    for (const box of boxes()) box.checked = all.checked;
    show();
  });
  document.addEventListener("change", (event) => event.target.form === form && show());
  show();
}

// -- Times are in UTC; the title shows the reader's local time. ------------------------------------------------------

function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    time.title = new Date(time.dateTime).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "long" });
  }
}
localTimes(document);
