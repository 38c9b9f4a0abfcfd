import type { Doors, HttpAnswer, HttpRequest } from "@securing-tasks/sandbox";

/** Null where a door gave no answer. What is no fault of a door is thrown on. */
async function answerOf<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    // All that this says of the accused is that it can't be reached from here.
    if (error instanceof Error && "reason" in error) return null;
    throw error;
  }
}

/** Something that can be fetched: its SHA-256 and where it should be. */
export interface Place {
  /** 64 hex digits. */
  readonly sha256: string;
  readonly uri: string;
}

/**
 * The bytes with these hashes, null where they can't be had. Each is asked for twice, so that one lost packet is none. Bytes with another
 * hash are what some server made up, so they say nothing about who named the hash: null too. Gateways are not asked: each node has its
 * own, and one that has none would have no verdict.
 */
export async function fetchAll(
  doors: Doors,
  places: readonly Place[],
): Promise<readonly (Uint8Array | null)[]> {
  const got = new Map<Place, Uint8Array>();
  for (let attempt = 0; attempt < 2; attempt++) {
    // All at once, so that many slow servers take no longer than one.
    const asked = places.filter((place) => !got.has(place));
    const answers = await Promise.all(
      asked.map(({ sha256, uri }) => answerOf(doors.fetch(sha256, uri))),
    );
    asked.forEach((place, at) => {
      const bytes = answers[at];
      if (bytes) got.set(place, bytes);
    });
  }
  return places.map((place) => got.get(place) ?? null);
}

/** One of them. */
export async function fetchContent(
  doors: Doors,
  sha256: string,
  uri: string,
): Promise<Uint8Array | null> {
  const [bytes] = await fetchAll(doors, [{ sha256, uri }]);
  return bytes ?? null;
}

/** Asks a server; null where it gives no answer at all. */
export function ask(doors: Doors, request: HttpRequest): Promise<HttpAnswer | null> {
  return answerOf(doors.http(request));
}

/** Shortest and longest time that is waited for a server that is busy, in seconds. */
const [SHORTEST_WAIT, LONGEST_WAIT] = [1, 3];

/** Milliseconds after which a server wants to be asked again, within bounds; null where it does not say that it is busy. */
export function waitOf(answer: HttpAnswer | null): number | null {
  if (answer?.status !== 429 && answer?.status !== 503) return null;
  const said = answer.headers["retry-after"];
  if (said === undefined) return null;
  const seconds = /^\d{1,9}$/.test(said) ? Number(said) : LONGEST_WAIT;
  return Math.min(Math.max(seconds, SHORTEST_WAIT), LONGEST_WAIT) * 1_000;
}

const WEB_ADDRESS = /^https?:\/\/[\w.[\]:-]+(?:[/?#][\x21-\x7e]*)?$/i;
const MOST_ADDRESS = 2_000;

/**
 * Whether a text is an http(s) URL that the doors can ask for: no user name, nothing but plain ASCII. Where `work` names an address, it
 * asks this too: an audit that takes less than `work` would accuse the honest.
 */
export function isWebAddress(value: unknown): value is string {
  return typeof value === "string" && value.length <= MOST_ADDRESS && WEB_ADDRESS.test(value);
}
