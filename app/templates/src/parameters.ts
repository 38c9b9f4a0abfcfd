import { Validator, dereference } from "@cfworker/json-schema";
import { fromAddress } from "./shared/bytes";
import { isObject } from "./shared/json";

/** The templates by name. */
export const TEMPLATES = ["rest", "bridge-vault", "storage", "vrf"] as const;
export type TemplateName = (typeof TEMPLATES)[number];

export interface RestParameters {
  readonly questions: number;
  readonly biggestQuestion: number;
  readonly timeoutMs: number;
}

export interface BridgeVaultParameters {
  readonly vault: string;
  readonly mint: string | null;
  readonly tokenAccount: string | null;
  readonly destinations: readonly string[];
  readonly refunds: boolean;
  readonly feeBps: number;
  readonly maxPerRound: string;
  readonly settleAll: boolean;
  readonly leastInflow: string;
  readonly mostFee: string;
  readonly lagSlots: number;
  readonly mostPayouts: number;
}

export interface StorageParameters {
  readonly kind: "manifest" | "content";
  readonly schema: object | boolean | null;
  readonly samples: number;
  readonly leastItems: number;
  readonly mostItems: number;
  readonly mostBytes: number;
}

export interface VrfParameters {
  readonly program: string;
  readonly mostSearched: number;
}

export interface TemplateParameters {
  readonly rest: RestParameters;
  readonly "bridge-vault": BridgeVaultParameters;
  readonly storage: StorageParameters;
  readonly vrf: VrfParameters;
}

/** One parameter of a template, as a person who sets it needs to know it. */
export interface ParameterInfo {
  /** What it is, with its unit, in one line. */
  readonly about: string;
  /** Undefined for a parameter that a creator has to set. */
  readonly default?: unknown;
}

interface Parameter<T> extends ParameterInfo {
  readonly default?: T;
  /** Says what a value must be, unless it is that. */
  readonly refuse: (value: unknown) => string | null;
}

interface Definition<T> {
  /** One line. */
  readonly description: string;
  readonly parameters: { readonly [K in keyof T]: Parameter<T[K]> };
  /** What a worker's node needs in its `secrets`, each with a line about it. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Says what is wrong with parameters that are each fine alone. */
  readonly refuse?: (parameters: T) => string | null;
}

type Check = (value: unknown) => string | null;

const must =
  (what: string, fits: (value: unknown) => boolean): Check =>
  (value) =>
    fits(value) ? null : what;

const whole = (least: number, most: number): Check =>
  must(
    `a whole number from ${least} to ${most}`,
    (value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most,
  );

const isAddress = (value: unknown): boolean =>
  typeof value === "string" && fromAddress(value) !== null;

const address = must("an address in base58", isAddress);
const addressOrNone = must(
  "an address in base58, or null",
  (value) => value === null || isAddress(value),
);
const yesOrNo = must("true or false", (value) => typeof value === "boolean");

const U64 = 2n ** 64n;
const amount = must(
  'an amount in base units as text, like "1000000"',
  (value) => typeof value === "string" && /^\d{1,20}$/.test(value) && BigInt(value) < U64,
);

/** Whether a schema, or an object in it, names something outside. A name in it that only looks like a keyword is refused too. */
function refersOutside(value: unknown, root = false): boolean {
  if (Array.isArray(value)) return value.some((one) => refersOutside(one));
  if (!isObject(value)) return false;
  return Object.entries(value).some(([key, one]) => {
    if ((key === "$id" || key === "id") && typeof one === "string") return !root;
    if (/^\$(?:ref|dynamicRef|recursiveRef)$/.test(key) && typeof one === "string") {
      return !one.startsWith("#");
    }
    return refersOutside(one);
  });
}

/** Whether anything in a schema has this name and such a value; a name that only looks like a keyword counts too. */
function holds(schema: unknown, wrong: (key: string, value: unknown) => boolean): boolean {
  if (Array.isArray(schema)) return schema.some((one) => holds(one, wrong));
  if (!isObject(schema)) return false;
  return Object.entries(schema).some(([key, value]) => wrong(key, value) || holds(value, wrong));
}

/** Throws where a pattern or reference can't be used, which would only show on content that it is for. */
function useAll(schema: object): void {
  holds(schema, (key, value) => {
    const patterns =
      key === "pattern" ? [value] : key === "patternProperties" ? Object.keys(value ?? {}) : [];
    for (const pattern of patterns) if (typeof pattern === "string") new RegExp(pattern, "u");
    return false;
  });
  const known = dereference(schema);
  for (const one of Object.values(known)) {
    const to = typeof one === "object" ? one.__absolute_ref__ : undefined;
    if (to !== undefined && !(to in known)) throw new Error(`$ref to ${to} leads nowhere`);
  }
}

function schemaTrouble(value: unknown): string | null {
  if (value === null || typeof value === "boolean") return null;
  if (!isObject(value)) return "a JSON schema, or null for any content";
  if (refersOutside(value, true)) {
    return "a JSON schema whose $ref all begin with # and that has no $id but at its root";
  }
  // An accused chooses the content: one list of 45,000 items, or one long name of a host, would take longer than an audit may.
  if (holds(value, (key, one) => key === "uniqueItems" && one !== false)) {
    return (
      "a JSON schema without uniqueItems, which compares every two items: " +
      "leave it out, or ask for an object, whose names are different anyway"
    );
  }
  if (holds(value, (key, one) => key === "format" && one === "url")) {
    return 'a JSON schema without the format "url", which long texts hold up: use "uri"';
  }
  // Most mistakes only show when the schema is used.
  try {
    useAll(value);
    for (const sample of [{}, [], "", 0, null]) new Validator(value, "2020-12").validate(sample);
  } catch (error) {
    return `a JSON schema (draft 2020-12) that can be used: ${String(error)}`;
  }
  return null;
}

/** Requests of an audit of the REST template besides the sampled questions: the health check and two retries. */
const OTHER_REQUESTS = 3;
/** Beside it, the payload may take 10 seconds, and a run may take 60. */
const MOST_ASKING_MS = 40_000;

/** What an audit of the storage template holds at once, in a memory of 64 MiB, and reads in the 10 seconds that it may compute. */
const MOST_SAMPLED_BYTES = 8_388_608;

const DEFINITIONS: { readonly [N in TemplateName]: Definition<TemplateParameters[N]> } = {
  rest: {
    description: "A service of every worker: health check and sampled questions with known answers",
    parameters: {
      questions: {
        about: "Questions that an audit asks",
        default: 3,
        refuse: whole(1, 20),
      },
      biggestQuestion: {
        about: "Questions are the numbers from 1 to this",
        default: 1_000_000,
        refuse: whole(1, Number.MAX_SAFE_INTEGER),
      },
      timeoutMs: {
        about: "Longest time to wait for one answer, in milliseconds",
        default: 3_000,
        refuse: whole(100, 10_000),
      },
    },
    secrets: {},
    refuse: ({ questions, timeoutMs }) =>
      (questions + OTHER_REQUESTS) * timeoutMs > MOST_ASKING_MS
        ? `(questions + ${OTHER_REQUESTS}) × timeoutMs may be ${MOST_ASKING_MS} at most: ` +
          "a slow server must not be able to hold an audit up until it is given up"
        : null,
  },
  "bridge-vault": {
    description: "Payouts of a vault on the chain: each for an inflow, to whom it may go, no more",
    parameters: {
      vault: { about: "Address that holds the money; for tokens, their owner", refuse: address },
      mint: {
        about: "Mint of the tokens; null for SOL",
        default: null,
        refuse: addressOrNone,
      },
      tokenAccount: {
        about: "The vault's token account; null for SOL",
        default: null,
        refuse: addressOrNone,
      },
      destinations: {
        about: "Addresses that may be paid; for tokens, their owners",
        default: [],
        refuse: must(
          "a list of addresses in base58",
          (value) => Array.isArray(value) && value.length <= 100 && value.every(isAddress),
        ),
      },
      refunds: {
        about: "Whether an inflow may go back to who paid it in",
        default: true,
        refuse: yesOrNo,
      },
      feeBps: {
        about: "Most that a payout may be less than its inflow, in basis points",
        default: 0,
        refuse: whole(0, 10_000),
      },
      maxPerRound: {
        about: "Most that may go out in one round, in base units",
        refuse: amount,
      },
      settleAll: {
        about:
          "Whether every order has to be paid out in the round after it; one that is not is downtime",
        default: true,
        refuse: yesOrNo,
      },
      leastInflow: {
        about: "Inflows below this need not be paid out, in base units",
        default: "1000000",
        refuse: amount,
      },
      mostFee: {
        about: "Highest transaction fee that is no movement of money, in lamports",
        default: "100000",
        refuse: amount,
      },
      lagSlots: {
        about:
          "Newest slots that are left for the next report, since RPC servers may not know them yet",
        default: 32,
        refuse: whole(0, 10_000),
      },
      mostPayouts: {
        about: "Payouts that a round has to make at most, the biggest first",
        default: 50,
        refuse: whole(1, 60),
      },
    },
    secrets: {},
    refuse: ({ mint, tokenAccount, destinations, refunds }) =>
      (mint === null) !== (tokenAccount === null)
        ? "mint and tokenAccount belong together: set both for tokens, or none for SOL"
        : destinations.length === 0 && !refunds
          ? "nobody may be paid: name destinations, or allow refunds"
          : null,
  },
  storage: {
    description: "Contents that workers keep: hash, availability, size and JSON schema",
    parameters: {
      kind: {
        about: '"manifest": the payload lists contents; "content": it is the content',
        default: "manifest",
        refuse: must(
          '"manifest" or "content"',
          (value) => value === "manifest" || value === "content",
        ),
      },
      schema: {
        about: "JSON schema (draft 2020-12) of each content; null for any bytes",
        default: null,
        refuse: schemaTrouble,
      },
      samples: {
        about: "Contents of a manifest that an audit fetches",
        default: 5,
        refuse: whole(1, 50),
      },
      leastItems: {
        about: "Fewest contents of a manifest",
        default: 1,
        refuse: whole(1, 1_000),
      },
      mostItems: {
        about:
          "Most contents of a manifest; for over 80, workers need a higher limit of door calls",
        default: 80,
        refuse: whole(1, 1_000),
      },
      mostBytes: {
        about: "Biggest content, in bytes",
        default: 262_144,
        refuse: whole(1, 1_048_576),
      },
    },
    secrets: { source: "URL of what the worker keeps: a content, or a list of { sha256, uri }" },
    refuse: ({ kind, samples, leastItems, mostItems, mostBytes }) =>
      leastItems > mostItems
        ? "leastItems must not be over mostItems"
        : kind === "manifest" && samples * mostBytes > MOST_SAMPLED_BYTES
          ? `samples × mostBytes may be ${MOST_SAMPLED_BYTES} at most: ` +
            "an audit must neither run out of memory nor of time"
          : null,
  },
  vrf: {
    description:
      "A random number of every worker in every round, with a proof that it had no choice",
    parameters: {
      program: {
        about: "Address of the Securing Tasks program",
        default: "5keaxc4yHqGYy8zeiL9AauZhM4TjDPBHJfWPWhXxQoC5",
        refuse: address,
      },
      mostSearched: {
        about:
          "Transactions that an audit looks through for an earlier submission; of more, a sample",
        default: 100,
        refuse: whole(1, 110),
      },
    },
    secrets: { vrfKey: "Secret of the worker's key: 64 random hex digits, kept for ever" },
  },
};

/** A line about a template, what a creator can set, and what its workers need in their `secrets`. */
export interface TemplateInfo {
  readonly name: TemplateName;
  readonly description: string;
  readonly parameters: Readonly<Record<string, ParameterInfo>>;
  readonly secrets: Readonly<Record<string, string>>;
}

export function templateInfo(name: TemplateName): TemplateInfo {
  const { description, parameters, secrets } = definition(name);
  return { name, description, parameters, secrets };
}

/**
 * All parameters of a template: those given, and the defaults of the others. Throws a sentence for the first that is unknown, missing
 * or wrong.
 */
export function parametersOf<N extends TemplateName>(
  name: N,
  given: object,
): TemplateParameters[N] {
  const { parameters, refuse } = definition(name);
  const entries = Object.entries(parameters);
  const where = `Template ${name}`;
  for (const key of Object.keys(given)) {
    if (Object.hasOwn(parameters, key)) continue;
    throw noParameter(name, key);
  }
  const all: Record<string, unknown> = {};
  for (const [key, parameter] of entries) {
    const set = (given as Record<string, unknown>)[key];
    const value = set === undefined ? parameter.default : set;
    if (value === undefined) {
      throw new Error(`${where} needs the parameter ${key}. ${parameter.about}.`);
    }
    const trouble = parameter.refuse(value);
    if (trouble !== null) {
      throw new Error(`${where}: ${key} must be ${trouble}, and is ${JSON.stringify(value)}.`);
    }
    all[key] = value;
  }
  const complete = all as unknown as TemplateParameters[N];
  const trouble = refuse?.(complete) ?? null;
  if (trouble !== null) throw new Error(`${where}: ${trouble}.`);
  return complete;
}

function noParameter(name: TemplateName, key: string): Error {
  const known = Object.keys(definition(name).parameters).join(", ");
  return new Error(`Template ${name} has no parameter ${key}. It has: ${known}.`);
}

/**
 * A parameter as people write it: as JSON, or as the text itself where the parameter is a text ("1000000" base units). Throws a sentence
 * where it is neither, and for an unknown one.
 */
export function parameterOf(name: TemplateName, key: string, text: string): unknown {
  const { parameters } = definition(name);
  const parameter = Object.hasOwn(parameters, key) ? parameters[key] : undefined;
  if (!parameter) throw noParameter(name, key);
  let value: unknown = text;
  try {
    value = JSON.parse(text);
  } catch {
    // A text.
  }
  for (const read of [value, text]) if (parameter.refuse(read) === null) return read;
  throw new Error(
    `Template ${name}: ${key} must be ${parameter.refuse(value) ?? ""}, and is ${text}.`,
  );
}

/** The parameters of a template to which nothing was set; null where something has to be. */
export function defaultsOf(name: TemplateName): object | null {
  const needed = Object.values(definition(name).parameters).some(
    (parameter) => parameter.default === undefined,
  );
  return needed ? null : parametersOf(name, {});
}

interface AnyDefinition {
  readonly description: string;
  readonly parameters: Readonly<Record<string, Parameter<unknown>>>;
  readonly secrets: Readonly<Record<string, string>>;
  readonly refuse?: (parameters: unknown) => string | null;
}

function definition(name: TemplateName): AnyDefinition {
  if (!TEMPLATES.includes(name)) {
    throw new Error(`There is no template ${name}. There are: ${TEMPLATES.join(", ")}.`);
  }
  return DEFINITIONS[name] as unknown as AnyDefinition;
}
