/*
 * Names of servers that strangers chose. They are asked of DNS by c-ares, not of the operating system (`dns.lookup`, getaddrinfo): that
 * holds one of the few threads which all of the node shares until it is done, and can't be called off. An accused who names hosts whose
 * DNS server never answers would block every other look-up, and honest workers would look down.
 */
import { promises } from "node:dns";
import type { LookupAddress } from "node:dns";
import { networkInterfaces } from "node:os";
import { setTimeout as pause } from "node:timers/promises";

type Family = 4 | 6;

/** A question that got lost is asked again after a second. Whoever asks gives up before all tries are over. */
const RESOLVER = { timeout: 1_000, tries: 4 } as const;

/** These mean this machine alone (RFC 6761): nobody is asked for them. */
const LOCAL = /^(?:.*\.)?localhost\.?$/i;
const LOOPBACK: readonly LookupAddress[] = [
  { address: "127.0.0.1", family: 4 },
  { address: "::1", family: 6 },
];

/** The addresses of a name, IPv4 first. Rejects with the signal's reason when that is aborted, else with what DNS said. */
export async function addressesOf(
  host: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<readonly LookupAddress[]> {
  if (LOCAL.test(host)) return LOOPBACK;
  // Of its own for each name, so that this question alone is called off.
  const resolver = new promises.Resolver(RESOLVER);
  const cancel = (): void => {
    resolver.cancel();
  };
  signal.addEventListener("abort", cancel);
  const found: LookupAddress[] = [];
  const asked = ownFamilies().map(async (family) => {
    const addresses = await (family === 4 ? resolver.resolve4(host) : resolver.resolve6(host));
    found.push(...addresses.map((address) => ({ address, family })));
  });
  try {
    await Promise.any(asked);
    // Some DNS servers never answer for the other family: leave time to connect.
    const enough = pause(timeoutMs / 4, undefined, { ref: false, signal });
    await Promise.race([Promise.allSettled(asked), enough]);
    return found.toSorted((a, b) => a.family - b.family);
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof AggregateError ? error.errors[0] : error;
  } finally {
    signal.removeEventListener("abort", cancel);
    cancel();
  }
}

/**
 * The families that this machine has an address of, as getaddrinfo does it (AI_ADDRCONFIG). An address of the other one would be an attempt
 * in vain, and cut short the one before it.
 */
function ownFamilies(): readonly Family[] {
  const both: readonly Family[] = [4, 6];
  try {
    const own = new Set(
      Object.values(networkInterfaces())
        .flatMap((addresses) => addresses ?? [])
        // A link-local address leads nowhere else.
        .filter((one) => !one.internal && !(one.family === "IPv6" && one.scopeid !== 0))
        .map(({ family }) => (family === "IPv4" ? 4 : 6)),
    );
    return own.size === 0 ? both : both.filter((family) => own.has(family));
  } catch {
    // Android tells no program.
    return both;
  }
}

const NO_ANSWER = new Set(["ETIMEOUT", "ECONNREFUSED", "ECANCELLED"]);

/**
 * Whether this node's own DNS server answers c-ares anything at all, asked for the root. A server's name that isn't found says nothing
 * where it does not: c-ares may miss one that getaddrinfo, and so a probe, knows.
 */
export async function dnsAnswers(timeoutMs: number): Promise<boolean> {
  const resolver = new promises.Resolver(RESOLVER);
  const timer = setTimeout(() => {
    resolver.cancel();
  }, timeoutMs);
  try {
    await resolver.resolveNs(".");
    return true;
  } catch (error) {
    return !NO_ANSWER.has((error as NodeJS.ErrnoException).code ?? "");
  } finally {
    clearTimeout(timer);
  }
}
