import { formatAmount } from "@securing-tasks/client";
import { UsageError } from "./failures";

/** Milliseconds of a slot on a public cluster: what durations are converted at. */
export const SLOT_MS = 400;

const MOST = 2n ** 64n - 1n;

/**
 * Base units of an amount as people write it: "12.5" tokens, or "100 base" units. Digits may be grouped by `_`. Throws a
 * {@link UsageError} for what is no amount, has more digits than the mint, or is over 64 bits.
 */
export function parseAmount(text: string, decimals: number): bigint {
  const plain = text.trim().replace(/(?<=\d)_(?=\d)/g, "");
  const base = /^(\d+)\s*base$/.exec(plain)?.[1];
  const tokens = /^(\d*)(?:\.(\d+))?$/.exec(plain);
  const [, whole = "", fraction = ""] = tokens ?? [];
  if (base === undefined && whole + fraction === "") {
    throw new UsageError(
      `"${text}" is no amount. Write tokens like 12.5, or base units like "100 base".`,
    );
  }
  const digits = fraction.replace(/0+$/, "");
  if (digits.length > decimals) {
    throw new UsageError(
      `"${text}" has more than the ${decimals} decimals of the mint. Round it, or write base units like "100 base".`,
    );
  }
  const amount = BigInt(base ?? `${whole}${digits.padEnd(decimals, "0")}`);
  if (amount > MOST) {
    throw new UsageError(`"${text}" is over ${MOST.toString()} base units. Lower it.`);
  }
  return amount;
}

/** An amount with its unit, exactly: "1.5 SOL", "2,000 tokens". */
export function formatTokens(amount: bigint, decimals: number, unit = "tokens"): string {
  const [whole = "", fraction] = formatAmount(amount, decimals).split(".");
  return `${group(whole)}${fraction === undefined ? "" : `.${fraction}`} ${unit}`;
}

/** Digits in groups of three. */
export function group(digits: string | bigint | number): string {
  return digits.toString().replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

const UNITS_US: Readonly<Record<string, bigint>> = {
  ms: 1_000n,
  s: 1_000_000n,
  m: 60_000_000n,
  h: 3_600_000_000n,
  d: 86_400_000_000n,
};
const DURATION = /(\d+)(?:\.(\d{1,3}))?\s*(ms|s|m|h|d)/g;
const SLOT_US = BigInt(SLOT_MS) * 1_000n;

/**
 * Slots, from "150", "150 slots", or a duration like "10m", "1.5h" or "1h30m" (units ms, s, m, h, d) at {@link SLOT_MS} a slot, rounded
 * up. Throws a {@link UsageError} for anything else.
 */
export function parseSlots(text: string): bigint {
  const plain = text.trim().replace(/(?<=\d)_(?=\d)/g, "");
  // Grouped by commas as they are shown. In a duration a comma may be somebody's decimal point.
  const slots = /^(\d+|\d{1,3}(?:,\d{3})+)\s*(?:slots?)?$/.exec(plain)?.[1];
  if (slots !== undefined) return countable(BigInt(slots.replaceAll(",", "")), text);
  if (plain === "" || plain.replace(DURATION, "").trim() !== "") {
    throw new UsageError(
      `"${text}" is no time. Write slots like "150 slots", or a duration like 10m or 1h30m.`,
    );
  }
  let total = 0n;
  for (const [, count = "", fraction = "", unit = ""] of plain.matchAll(DURATION)) {
    // Thousandths of a unit are whole microseconds.
    total += (BigInt(count + fraction.padEnd(3, "0")) * (UNITS_US[unit] ?? 0n)) / 1_000n;
  }
  return countable((total + SLOT_US - 1n) / SLOT_US, text);
}

function countable(slots: bigint, text: string): bigint {
  if (slots <= MOST) return slots;
  throw new UsageError(`"${text}" is more slots than the chain can count. Use fewer.`);
}

/** How long slots take, to two units: "10m", "1h 30m", "3s". */
export function formatDuration(slots: bigint, msPerSlot: number = SLOT_MS): string {
  // Slot lengths are measured, so not whole.
  const seconds = (slots * BigInt(Math.round(msPerSlot * 1_000)) + 500_000n) / 1_000_000n;
  const parts: readonly (readonly [bigint, string])[] = [
    [seconds / 86_400n, "d"],
    [(seconds / 3_600n) % 24n, "h"],
    [(seconds / 60n) % 60n, "m"],
    [seconds % 60n, "s"],
  ];
  const first = parts.findIndex(([count]) => count > 0n);
  if (first < 0) return slots === 0n ? "0s" : "1s";
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0n)
    .map(([count, unit]) => `${group(count)}${unit}`)
    .join(" ");
}

/** "1,500 slots (~10m)". */
export function formatSlots(slots: bigint, msPerSlot: number = SLOT_MS): string {
  return `${group(slots)} slot${slots === 1n ? "" : "s"} (~${formatDuration(slots, msPerSlot)})`;
}

/** When a slot is, seen from now: "in ~3m", "~2h ago", "now". */
export function formatWhen(slot: bigint, now: bigint, msPerSlot: number = SLOT_MS): string {
  if (slot === now) return "now";
  return slot > now
    ? `in ~${formatDuration(slot - now, msPerSlot)}`
    : `~${formatDuration(now - slot, msPerSlot)} ago`;
}

/** Basis points as percent: 1250 is "12.5%". */
export function formatShare(bps: number): string {
  return `${formatAmount(BigInt(bps), 2)}%`;
}
