import type { ServiceRequest } from "./api";

/** Visible ASCII, but for what a URL parser changes (`\`, `"`, `<`), and for what ends path or query (`#`). */
const TARGET = /^\/task((?:\/[!$-;=@-[\]^_a-z|~]*)?)(?:\?([!$-;=?-~]+))?$/;
/** What leads elsewhere. Asked for by a rule of our own: Node.js's URL parser overlooks some of them (`/.a/..`). */
const DOTS = /\/(?:\.|%2e){1,2}(?:\/|$)/i;

/**
 * What `respond` is asked where a node's REST service is asked for this (`target` is the raw path and query); null for what the service
 * refuses. Nothing is changed on the way to the function: what a URL parser would change (`/task/../answer`, `\`, a fragment), what is no
 * UTF-8, and a name that is there twice, of which one value would be dropped, are refused. So the raw target, which is signed, says
 * what the function was asked.
 */
export function requestOf(method: string, target: string, body: string): ServiceRequest | null {
  const [, path, search = ""] = TARGET.exec(target) ?? [];
  if (path === undefined || DOTS.test(path)) return null;
  try {
    decodeURIComponent(target);
  } catch {
    return null;
  }
  // Of two question marks at the beginning it would drop one.
  const query = [...new URLSearchParams(`?${search}`)];
  if (new Set(query.map(([name]) => name)).size !== query.length) return null;
  return { method, path: path || "/", query: Object.fromEntries(query), body };
}
