// What most programs need: scans and batches, waiting for their ends, and lists.

import { randomUUID } from "node:crypto";

import createClient, { type Client as Api } from "openapi-fetch";

import type { components, paths } from "./api.js";
import { WaitTimeoutError } from "./errors.js";
import { DeadlineReached, sender, sleep, type Settings } from "./http.js";

type Schemas = components["schemas"];
export type AcceptedBatch = Schemas["AcceptedBatch"];
export type AcceptedScan = Schemas["AcceptedScan"];
export type Batch = Schemas["Batch"];
export type BatchDomain = Schemas["BatchDomain"];
export type Domain = Schemas["Domain"];
export type DomainChange = Schemas["DomainChange"];
export type EndedScan = Schemas["EndedScan"];
export type Event = Schemas["Event"];
export type Scan = Schemas["Scan"];

/** The options of a scan, as in the API. */
export type ScanOptions = Omit<Schemas["NewScan"], "domain">;
/** The options of a batch, as in the API. */
export type BatchOptions = Omit<Schemas["NewBatch"], "domains">;

export interface ClientOptions extends Partial<Settings> {
  /** The tenant, a UUID, where it does not follow from the key. */
  tenant?: string;
}

export interface WaitOptions {
  /** How long to wait for the end. */
  timeoutSeconds?: number;
  /** The log position that the answer must have reached: the `position` of a retry. */
  atLeast?: number;
}

type ListAnswer<Row> = { get: { responses: { 200: { content: { "application/json": { items: Row[] } } } } } };
/** The routes that are lists. */
export type List = { [P in keyof paths]: paths[P] extends ListAnswer<unknown> ? P : never }[keyof paths];
/** A row of a list. */
export type Row<P extends List> = paths[P] extends ListAnswer<infer R> ? R : never;
/** The filters of a list; `limit` is the size of a page. */
export type Filters<P extends List> = paths[P] extends { get: { parameters: { query?: infer Q } } }
  ? Omit<NonNullable<Q>, "cursor" | "format">
  : never;
/** What the path of a list needs, for example `{ domain: "example.com" }`. */
export type PathOf<P extends List> = paths[P] extends { get: { parameters: { path: infer V } } } ? V : undefined;

const ENDED = ["completed", "partial", "failed", "cancelled"];
/** The longest time that the server waits within one request, in seconds. */
const LONGEST_WAIT = 60;

/**
 * A connection to a server.
 *
 * Every error of the server is a SitelogError. Requests that the server defers (429, 503) and those whose connection broke
 * are repeated, `retries` times; POST requests carry an Idempotency-Key, so that nothing is done twice.
 */
export class Client {
  /** All routes of the API, typed; they repeat and throw as this class does. */
  readonly api: Api<paths>;
  readonly #settings: Settings;

  constructor(url: string, key?: string, { tenant, retries = 5, timeoutSeconds = 90 }: ClientOptions = {}) {
    this.#settings = { retries, timeoutSeconds };
    const headers: Record<string, string> = {};
    if (key !== undefined) headers["Authorization"] = `Bearer ${key}`;
    if (tenant !== undefined) headers["X-Tenant-Id"] = tenant;
    this.api = createClient<paths>({ baseUrl: url, headers, fetch: sender(this.#settings) });
  }

  /** Requests a scan and does not wait. The answer is an EndedScan only if `max_age_days` found a recent one. */
  async scan(domain: string, options: ScanOptions = {}): Promise<AcceptedScan | EndedScan> {
    return sound(await this.api.POST("/api/v4/scans", { body: { domain, ...options } }));
  }

  /** Requests a scan and returns it, with its result, when it has completed, failed or been cancelled. */
  async scanAndWait(
    domain: string,
    { timeoutSeconds = 300, ...options }: ScanOptions & { timeoutSeconds?: number } = {},
  ): Promise<EndedScan> {
    // A repetition under the same key is the same scan, and the server waits again.
    const key = randomUUID();
    const ask = async (left: number, deadline: number) => {
      const header = { "Idempotency-Key": key, Prefer: `wait=${Math.min(Math.floor(left), LONGEST_WAIT)}` };
      const fetch = sender(this.#settings, deadline);
      return sound(await this.api.POST("/api/v4/scans", { params: { header }, body: { domain, ...options }, fetch }));
    };
    const ended = await untilEnded(`the scan of ${domain}`, timeoutSeconds, ask, (scan) => scan.scan_id);
    return ended as EndedScan;
  }

  /** A scan, with its result if it has completed. */
  async getScan(id: string): Promise<Scan> {
    return sound(await this.api.GET("/api/v4/scans/{id}", { params: { path: { id } } }));
  }

  /** Returns a scan when it has completed, failed or been cancelled. */
  async waitForScan(id: string, { timeoutSeconds = 300, atLeast }: WaitOptions = {}): Promise<Scan> {
    const params = { path: { id }, query: position(atLeast) };
    const ask = async (_: number, deadline: number) =>
      sound(await this.api.GET("/api/v4/scans/{id}", { params, fetch: sender(this.#settings, deadline) }));
    return untilEnded(`the scan ${id}`, timeoutSeconds, ask, (scan) => scan.scan_id);
  }

  /**
   * Requests the scans of a list. `rejected` has the lines that are not domains; `batch_id` is null if `max_age_days` left
   * nothing to do.
   */
  async createBatch(domains: Iterable<string>, options: BatchOptions = {}): Promise<AcceptedBatch> {
    if (typeof domains === "string") throw new TypeError("domains is one text; pass a list of domains");
    return sound(await this.api.POST("/api/v4/batches", { body: { domains: [...domains], ...options } }));
  }

  /** A batch and its progress. */
  async getBatch(id: string): Promise<Batch> {
    return sound(await this.api.GET("/api/v4/batches/{id}", { params: { path: { id } } }));
  }

  /** Returns a batch when its last scan has ended. */
  async waitForBatch(id: string, { timeoutSeconds = 3600, atLeast }: WaitOptions = {}): Promise<Batch> {
    const params = { path: { id }, query: position(atLeast) };
    const ask = async (_: number, deadline: number) =>
      sound(await this.api.GET("/api/v4/batches/{id}", { params, fetch: sender(this.#settings, deadline) }));
    return untilEnded(`the batch ${id}`, timeoutSeconds, ask, (batch) => batch.batch_id);
  }

  /** The best known data of a domain. */
  async getDomain(domain: string): Promise<Domain> {
    return sound(await this.api.GET("/api/v4/domains/{domain}", { params: { path: { domain } } }));
  }

  /**
   * The rows of any list, page by page as they are needed:
   * `client.items("/api/v4/domains/{domain}/urls", { domain: "example.com" })`.
   */
  async *items<P extends List>(list: P, path: PathOf<P>, filters?: Filters<P>): AsyncGenerator<Row<P>, void, undefined> {
    // What the types of a single route say is lost where it may be any list.
    const get = this.api.GET as unknown as (list: P, options: unknown) => Promise<{ data?: Page<Row<P>> }>;
    let cursor: string | null | undefined;
    do {
      const page: Page<Row<P>> = sound(await get(list, { params: { path, query: { ...filters, cursor } } }));
      yield* page.items;
      cursor = page.next;
    } while (cursor);
  }

  /** Scans in the order of their requests, without results. */
  scans(filters?: Filters<"/api/v4/scans">): AsyncGenerator<Scan, void, undefined> {
    return this.items("/api/v4/scans", undefined, filters);
  }

  /** Batches, newest first. */
  batches(filters?: Filters<"/api/v4/batches">): AsyncGenerator<Batch, void, undefined> {
    return this.items("/api/v4/batches", undefined, filters);
  }

  /** The scans of a batch. */
  batchScans(id: string, filters?: Filters<"/api/v4/batches/{id}/scans">): AsyncGenerator<Scan, void, undefined> {
    return this.items("/api/v4/batches/{id}/scans", { id }, filters);
  }

  /** The domains of a batch, line by line, with what is known of each. */
  batchDomains(
    id: string,
    filters?: Filters<"/api/v4/batches/{id}/domains">,
  ): AsyncGenerator<BatchDomain, void, undefined> {
    return this.items("/api/v4/batches/{id}/domains", { id }, filters);
  }

  /** Known domains. */
  domains(filters?: Filters<"/api/v4/domains">): AsyncGenerator<Domain, void, undefined> {
    return this.items("/api/v4/domains", undefined, filters);
  }

  /** What scans changed, newest first. */
  changes(filters?: Filters<"/api/v4/changes">): AsyncGenerator<DomainChange, void, undefined> {
    return this.items("/api/v4/changes", undefined, filters);
  }

  /** The log, in its order. */
  events(filters?: Filters<"/api/v4/events">): AsyncGenerator<Event, void, undefined> {
    return this.items("/api/v4/events", undefined, filters);
  }
}

interface Page<Row> {
  items: Row[];
  next?: string | null;
}

/** Polls, with growing pauses, until the status of the answer is final. */
async function untilEnded<Ending extends { status: string }>(
  what: string,
  timeoutSeconds: number,
  ask: (left: number, deadline: number) => Promise<Ending>,
  idOf: (found: Ending) => string,
): Promise<Ending> {
  const deadline = performance.now() + timeoutSeconds * 1000;
  const left = () => Math.max((deadline - performance.now()) / 1000, 0);
  const inVain = `${what} has not ended within ${timeoutSeconds} seconds`;
  let id: string | null = null;
  for (let pause = 0.2; ; pause = Math.min(pause * 1.5, 5)) {
    let found: Ending;
    try {
      found = await ask(left(), deadline);
    } catch (error) {
      if (!(error instanceof DeadlineReached)) throw error;
      throw new WaitTimeoutError(`${inVain}; the last request failed: ${error.message}`, id, { cause: error.cause });
    }
    if (ENDED.includes(found.status)) return found;
    id = idOf(found);
    if (left() === 0) throw new WaitTimeoutError(inVain, id);
    await sleep(Math.min(pause, left()));
  }
}

/** What an answer says. Errors were thrown before, so it says something. */
function sound<T>({ data }: { data?: T }): T {
  if (data === undefined) throw new TypeError("the answer is empty");
  return data;
}

function position(atLeast: number | undefined): { at_least?: number } {
  return atLeast === undefined ? {} : { at_least: atLeast };
}
