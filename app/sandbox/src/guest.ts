import type { Doors, Proofs } from "./api";

/** What the host lends to the guest. Texts cross as JSON. None of it can do more than the function may do anyway. */
export interface Host {
  call(id: number, door: string, args: string): void;
  log(text: string): void;
  /** Takes over the bytes of a payload. */
  payload(bytes: ArrayBuffer): void;
  /** Evidence or null, as JSON; so is what was asked and answered. */
  proof(payload: ArrayBuffer, exchange: string): string;
  keep(evidence: string): void;
  encode(text: string): ArrayBuffer;
  decode(bytes: ArrayBuffer, fatal: boolean, keepBom: boolean): string;
  atob(text: string): string;
  btoa(text: string): string;
}

/** What the host asks of the guest. */
export interface Guest {
  /** Promises a JSON text: an {@link Outcome}. */
  start(module: Readonly<Record<string, unknown>>, order: string): Promise<string>;
  answer(id: number, json: string): void;
  bytes(id: number, bytes: ArrayBuffer): void;
  fail(id: number, reason: string, message: string): void;
}

/** As JSON, what the function came to. */
export type Outcome =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "bytes" }
  | { readonly kind: "missing" }
  | { readonly kind: "odd"; readonly what: string }
  | { readonly kind: "thrown"; readonly what: string };

/**
 * Runs inside of QuickJS, before the function: its source is taken by `toString`, so it may use nothing from outside.
 * It keeps what it needs of the built-ins before the function can change them; still, nothing here guards the wall. Whoever breaks this
 * object breaks its own run.
 */
export function guest(host: Host, seed: string): Guest {
  "use strict";
  /* eslint-disable @typescript-eslint/unbound-method -- each is called by `apply`, or needs no `this` */
  const { parse, stringify } = JSON;
  const { create, freeze, keys, defineProperty, getOwnPropertyDescriptor, getPrototypeOf } = Object;
  const { apply } = Reflect;
  const { Promise, Error, Uint8Array, ArrayBuffer, String } = globalThis;
  const { isArray } = Array;
  const typedArray = getPrototypeOf(Uint8Array.prototype) as object;
  const tagOf = getOwnPropertyDescriptor(typedArray, Symbol.toStringTag)?.get as () => unknown;
  const bufferOf = getOwnPropertyDescriptor(typedArray, "buffer")?.get as () => ArrayBuffer;
  const toText = String;
  const cut = String.prototype.slice;
  /* eslint-enable @typescript-eslint/unbound-method */
  const isView = ArrayBuffer.isView.bind(ArrayBuffer);

  const define = (name: string, value: unknown): void => {
    defineProperty(globalThis, name, { value, writable: true, configurable: true });
  };

  // What comes of garbage collection, and memory that threads share, could differ from run to run.
  for (const name of ["WeakRef", "FinalizationRegistry", "SharedArrayBuffer"]) {
    Reflect.deleteProperty(globalThis, name);
  }

  // xoshiro128** (Blackman, Vigna 2018), its state the first 16 bytes of the seed.
  const word = (at: number): number => parseInt(seed.slice(8 * at, 8 * at + 8), 16) | 0;
  let [a, b, c, d] = [word(0), word(1), word(2), word(3)];
  if ((a | b | c | d) === 0) a = 1;
  const { imul } = Math;
  const turn = (x: number, k: number): number => (x << k) | (x >>> (32 - k));
  const next = (): number => {
    const result = imul(turn(imul(b, 5), 7), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = turn(d, 11);
    return result;
  };
  defineProperty(Math, "random", {
    value: function random(): number {
      return ((next() >>> 5) * 0x4000000 + (next() >>> 6)) / 0x20000000000000;
    },
    writable: true,
    configurable: true,
  });

  const copyBytes = (source: ArrayBuffer | ArrayBufferView | undefined): ArrayBuffer => {
    if (source === undefined) return new ArrayBuffer(0);
    const whole = isView(source)
      ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
      : new Uint8Array(source);
    return apply(bufferOf, new Uint8Array(whole), []);
  };
  define(
    "TextEncoder",
    class TextEncoder {
      readonly encoding = "utf-8";
      encode(text: unknown = ""): Uint8Array {
        return new Uint8Array(host.encode(stringify(toText(text))));
      }
    },
  );
  define(
    "TextDecoder",
    class TextDecoder {
      readonly encoding = "utf-8";
      readonly fatal: boolean;
      readonly ignoreBOM: boolean;
      constructor(
        label: unknown = "utf-8",
        options: { fatal?: unknown; ignoreBOM?: unknown } = {},
      ) {
        const name = toText(label).toLowerCase();
        if (name !== "utf-8" && name !== "utf8") throw new RangeError("only utf-8 is decoded here");
        this.fatal = Boolean(options.fatal);
        this.ignoreBOM = Boolean(options.ignoreBOM);
      }
      decode(source?: ArrayBuffer | ArrayBufferView): string {
        return parse(host.decode(copyBytes(source), this.fatal, this.ignoreBOM)) as string;
      }
    },
  );
  define("atob", (text: unknown) => parse(host.atob(stringify(toText(text)))) as string);
  define("btoa", (text: unknown) => parse(host.btoa(stringify(toText(text)))) as string);
  define("queueMicrotask", (task: () => void) => {
    void Promise.resolve().then(task);
  });

  const show = (value: unknown): string => {
    try {
      if (typeof value === "string") return value;
      if (typeof value === "object" && value !== null) {
        const { message, name, stack } = value as Record<string, unknown>;
        if (typeof message === "string") {
          const trace = typeof stack === "string" && stack !== "" ? `\n${stack}` : "";
          return `${typeof name === "string" ? name : "Error"}: ${message}${trace}`;
        }
        const json: unknown = stringify(value);
        return typeof json === "string" ? json : "an object";
      }
      return toText(value);
    } catch {
      return "something that can't be shown";
    }
  };
  let lines = 0;
  const log = (text: unknown): void => {
    // The host cuts the log too; this spares the way there.
    if (lines++ < 100) host.log(stringify(apply(cut, show(text), [0, 1_000])));
  };
  const say = (...parts: unknown[]): void => {
    let line = "";
    for (let at = 0; at < parts.length; at++) line += (at === 0 ? "" : " ") + show(parts[at]);
    log(line);
  };
  define("console", freeze({ log: say, info: say, debug: say, warn: say, error: say }));

  const calls = create(null) as Record<
    number,
    { readonly resolve: (value: unknown) => void; readonly reject: (reason: unknown) => void }
  >;
  let lastCall = 0;
  const door =
    (name: keyof Doors) =>
    (...args: unknown[]): Promise<unknown> =>
      new Promise((resolve, reject) => {
        while (args.length > 0 && args[args.length - 1] === undefined) args.length--;
        const text = stringify(args);
        const id = ++lastCall;
        calls[id] = { resolve, reject };
        host.call(id, name, text);
      });
  const take = (id: number) => {
    const call = calls[id];
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- a dictionary without prototype
    delete calls[id];
    return call;
  };

  const freezeAll = (value: unknown): unknown => {
    if (typeof value === "object" && value !== null) {
      const names = keys(value);

      for (let at = 0; at < names.length; at++) {
        freezeAll((value as Record<string, unknown>)[names[at] ?? ""]);
      }
      freeze(value);
    }
    return value;
  };

  const proofs = (evidence: Proofs["evidence"]): Proofs => ({
    evidence,
    proof(payload, asked, answer) {
      const exchange = stringify({ __proto__: null, asked, answer });
      return freezeAll(parse(host.proof(copyBytes(payload), exchange))) as ReturnType<
        Proofs["proof"]
      >;
    },
    keep(piece) {
      host.keep(stringify(piece));
    },
  });

  const respondParts = (value: unknown): Outcome => {
    if (typeof value !== "object" || value === null || isArray(value)) {
      return { kind: "odd", what: show(value) };
    }
    const { status, contentType, body } = value as Record<string, unknown>;
    if (typeof body !== "string") return { kind: "odd", what: "an answer without a text as body" };
    if (status !== undefined && typeof status !== "number") {
      return { kind: "odd", what: "an answer whose status is no number" };
    }
    if (contentType !== undefined && typeof contentType !== "string") {
      return { kind: "odd", what: "an answer whose contentType is no text" };
    }
    return { kind: "value", value: { __proto__: null, status, contentType, body } };
  };

  const outcomeOf = (entry: string, value: unknown): Outcome => {
    if (entry === "respond") return respondParts(value);
    if (typeof value === "string") return { kind: "value", value };
    if (entry === "work" && isView(value) && apply(tagOf, value, []) === "Uint8Array") {
      host.payload(copyBytes(value));
      return { kind: "bytes" };
    }
    return { kind: "odd", what: show(value) };
  };

  const tell = (outcome: Outcome): string => {
    // A toJSON that the function put on the prototype of all objects must not speak for it.
    return stringify({ __proto__: null, ...outcome });
  };

  return {
    async start(module, order) {
      try {
        const { entry, facts, request, evidence } = parse(order) as {
          entry: string;
          facts: object;
          request: unknown;
          evidence: Proofs["evidence"];
        };
        const fn = module[entry];
        if (typeof fn !== "function") return tell({ kind: "missing" });
        const context = freezeAll({
          ...facts,
          http: door("http"),
          account: door("account"),
          transaction: door("transaction"),
          signatures: door("signatures"),
          fetch: door("fetch"),
          log,
          ...(entry === "audit" && proofs(evidence)),
        });
        const args = entry === "respond" ? [freezeAll(request), context] : [context];
        return tell(outcomeOf(entry, await (apply(fn, undefined, args) as unknown)));
      } catch (error) {
        return tell({ kind: "thrown", what: show(error) });
      }
    },
    answer(id, json) {
      take(id)?.resolve(parse(json));
    },
    bytes(id, bytes) {
      take(id)?.resolve(new Uint8Array(bytes));
    },
    fail(id, reason, message) {
      const error = new Error(parse(message) as string);
      defineProperty(error, "name", { value: "DoorError", configurable: true, writable: true });
      defineProperty(error, "reason", { value: reason, enumerable: true });
      take(id)?.reject(error);
    },
  };
}
