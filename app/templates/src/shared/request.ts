import type { ServiceRequest, SignedAnswer } from "@securing-tasks/sandbox";

/** Visible ASCII but what a URL parser would change, or end path or query at. */
const TARGET = /^\/task((?:\/[!$-;=@-[\]^_a-z|~]*)?)(?:\?([!$-;=?-~]+))?$/;
const DOTS = /\/(?:\.|%2e){1,2}(?:\/|$)/i;

/**
 * What a worker's `respond` was asked where it was asked for this; null where a node's service refuses the path unasked. It is
 * `requestOf` of the sandbox without URLSearchParams, which functions don't have.
 */
export function readRequest({
  method,
  path: target,
  body,
}: Pick<SignedAnswer, "method" | "path" | "body">): ServiceRequest | null {
  const [, path, search = ""] = TARGET.exec(target) ?? [];
  if (path === undefined || DOTS.test(path)) return null;
  const query = new Map<string, string>();
  try {
    decodeURIComponent(path);
    for (const pair of search.split("&").filter((pair) => pair !== "")) {
      const [name = "", ...rest] = pair.split("=").map((part) => part.replace(/\+/g, " "));
      const key = decodeURIComponent(name);
      if (query.has(key)) return null;
      query.set(key, decodeURIComponent(rest.join("=")));
    }
  } catch {
    return null;
  }
  return { method, path: path || "/", query: Object.fromEntries(query), body };
}
