import { DoorError } from "./api";

export interface Download {
  readonly method?: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** In milliseconds in which this node is awake. */
  readonly timeoutMs: number;
  /** Of the body. All that comes over the connection has twice as many bytes at most, and 64 KiB for the head. */
  readonly maxBytes: number;
  /**
   * Whether private and loopback addresses may be called. Names are then looked up as the operating system does it, so that those which
   * only this machine or its network knows are found (/etc/hosts, other containers).
   */
  readonly allowPrivateNetwork: boolean;
  /**
   * Whether it may come over a connection that a moment ago brought something else from the same server. What fails there is asked for
   * over a new one, and only that says that a server is down. For what has a known hash, by GET. Default: false.
   */
  readonly mayShare?: boolean;
}

export interface Downloaded {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array;
}

/** An http or https URL; rejects with `refused` what is none. */
export function webUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol === "http:" || url?.protocol === "https:") return url;
  throw new DoorError("refused", `${shown(text)} is no http or https URL`);
}

/** The name or address in a URL. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "");
}

/** Where a content-addressed store has the bytes with this hash. */
export function gatewayUrl(base: string, hash: string): URL {
  return webUrl(`${base.replace(/\/+$/, "")}/${hash}`);
}

/** Of a text that strangers wrote, what fits into a message. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}
