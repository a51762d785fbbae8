/**
 * A client of sitelog: `Client` requests scans and batches, waits for them and reads lists; `verifyWebhook` checks what
 * sitelog sends to you. All other routes of the API are at `client.api`.
 */

export * from "./client.js";
export * from "./errors.js";
export * from "./webhooks.js";
export type { components, paths } from "./api.js";
