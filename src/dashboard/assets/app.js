// Everything here is a comfort: each page works without it. What is live is read from the server anew and put in place
// of what stands there; nothing is computed here.
"use strict";

const page = document.querySelector("main");

// -- Live: on news of the log, or every few seconds, the parts of the page that the server marked are replaced. -----

const lost = document.getElementById("lost");
let refreshing = false;
let again = false;
let lastRefresh = 0;

const isLive = () => page.dataset.live || page.dataset.poll;

async function refresh() {
  if (refreshing) {
    again = true;
    return;
  }
  refreshing = true;
  try {
    const response = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!response.ok) throw new Error(response.status);
    if (response.redirected) return location.reload();
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    for (const part of document.querySelectorAll("[data-part]")) replace(part, fresh.getElementById(part.id));
    document.title = fresh.title;
    for (const name of ["live", "poll"]) {
      const value = fresh.querySelector("main")?.dataset[name];
      if (value === undefined) delete page.dataset[name];
      else page.dataset[name] = value;
    }
    lost.hidden = true;
  } catch {
    lost.hidden = false;
  } finally {
    lastRefresh = Date.now();
    refreshing = false;
    if (again) {
      again = false;
      soon();
    }
  }
}

// A part in which somebody is typing, or that has grown by further rows, stays as it is.
function replace(part, fresh) {
  if (!fresh || part.dataset.grown || part.innerHTML === fresh.innerHTML) return;
  const focus = document.activeElement;
  if (part.contains(focus) && focus.matches("input, select, textarea, summary")) return;
  const open = [...part.querySelectorAll("details")].map((one) => one.open);
  const focused = part.contains(focus) ? focus.getAttribute("href") ?? focus.name : null;
  part.replaceChildren(...fresh.childNodes);
  part.querySelectorAll("details").forEach((one, place) => (one.open = open[place] ?? one.open));
  if (focused) part.querySelector(`[href="${CSS.escape(focused)}"], [name="${CSS.escape(focused)}"]`)?.focus();
  localTimes(part);
}

let waiting = 0;
function soon() {
  const pause = Number(page.dataset.pause ?? 1000);
  clearTimeout(waiting);
  waiting = setTimeout(refresh, Math.max(0, lastRefresh + pause - Date.now()));
}

function watch() {
  const source = new EventSource(page.dataset.live);
  for (const name of page.dataset.events.split(" ")) source.addEventListener(name, soon);
  source.onopen = soon;
  source.onerror = async () => {
    if (source.readyState !== EventSource.CLOSED) {
      // The browser comes back by itself. If it does not at once, say so.
      setTimeout(() => source.readyState === EventSource.CONNECTING && refresh(), 1500);
      return;
    }
    // The thing has ended, or nobody answers: the page itself tells.
    await refresh();
    if (page.dataset.live) setTimeout(watch, 2000);
  };
}

function poll() {
  setTimeout(async () => {
    if (!document.hidden) await refresh();
    if (page.dataset.poll) poll();
  }, Number(page.dataset.poll));
}

if (page.dataset.live) watch();
else if (isLive()) poll();

// -- Lists: the next page is put under this one; near the end of the screen by itself, up to a thousand rows. -------

const MOST_ROWS = 1000;

async function more(link) {
  const part = link.closest("[data-part]");
  const rows = part.querySelector("tbody");
  link.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(link.href, { headers: { accept: "text/html" } });
    if (!response.ok) throw new Error(response.status);
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html").getElementById(part.id);
    const first = fresh.querySelector("tbody > tr");
    rows.append(...fresh.querySelectorAll("tbody > tr"));
    part.dataset.grown = "true";
    localTimes(rows);
    const hadFocus = link === document.activeElement;
    part.querySelector(".pager").replaceWith(fresh.querySelector(".pager"));
    if (hadFocus) first?.querySelector("a")?.focus({ preventScroll: true });
    watchEnd(part);
  } catch {
    link.removeAttribute("aria-busy");
    lost.hidden = false;
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
// The first page loads no more until somebody scrolls: who only looks is not made to wait.
addEventListener("scroll", () => document.querySelectorAll("[data-part]").forEach(watchEnd), { once: true, passive: true });

// -- Lists of domains: a file that is dropped or chosen is checked at once. ---------------------------------------

for (const zone of document.querySelectorAll(".drop")) {
  const input = zone.querySelector("input[type=file]");
  const send = () => input.files.length && zone.closest("form").requestSubmit();
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

// A form is sent once; the key in it makes sure of it on the server, too.
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (event.target.method === "post" && button) setTimeout(() => (button.disabled = true));
});
addEventListener("pageshow", () => document.querySelectorAll("button:disabled").forEach((one) => (one.disabled = false)));

// -- Filters apply when chosen. -------------------------------------------------------------------------------------

for (const field of document.querySelectorAll("form.filter select, form.filter input[type=checkbox][data-now]")) {
  field.addEventListener("change", () => field.form.requestSubmit());
}

// -- Times are told in UTC; the reader's own stands beside. ---------------------------------------------------------

function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    time.title = new Date(time.dateTime).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "long" });
  }
}
localTimes(document);
