import type { Doors, Proofs } from "./api";

/**
 * What the host lends to the guest. Texts cross as JSON. None of it can do more than the function may do anyway. What crosses is cut to
 * pieces or refused on the guest's side: the host makes copies of it, in memory of its own that no limit of the function counts.
 */
export interface Host {
  call(id: number, door: string, args: string): void;
  log(text: string): void;
  /** Takes over the bytes of a payload. */
  payload(bytes: ArrayBuffer): void;
  /** Evidence or null, as JSON; so is what was asked and answered. */
  proof(payload: ArrayBuffer, exchange: string): string;
  keep(evidence: string): void;
  /** Takes up bytes; with the last of them gives the SHA-256 of all in hex. */
  hash(bytes: ArrayBuffer, last: boolean): string;
  encode(text: string): ArrayBuffer;
  decode(bytes: ArrayBuffer, fatal: boolean, keepBom: boolean): string;
  atob(text: string): string;
  btoa(text: string): string;
}

/** What the host asks of the guest. */
export interface Guest {
  /** Of `Math.random`, before everything else: 32 hex digits or more. */
  seed(seed: string): void;
  /** Whether a random number was drawn since. */
  drawn(): boolean;
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
  | { readonly kind: "long" }
  | { readonly kind: "odd"; readonly what: string }
  | { readonly kind: "thrown"; readonly what: string };

/**
 * Runs inside of QuickJS, before the function: its source is taken by `toString`, so it may use nothing from outside.
 * It keeps what it needs of the built-ins before the function can change them; still, nothing here guards the wall. Whoever breaks this
 * object breaks its own run.
 */
export function guest(host: Host): Guest {
  "use strict";
  /* eslint-disable @typescript-eslint/unbound-method -- each is called by `apply`, or needs no `this` */
  const { parse, stringify } = JSON;
  const { create, freeze, keys, defineProperty, getOwnPropertyDescriptor, getPrototypeOf } = Object;
  const { apply } = Reflect;
  const { Promise, Error, RangeError, Uint8Array, ArrayBuffer, String } = globalThis;
  const { isArray } = Array;
  const typedArray = getPrototypeOf(Uint8Array.prototype) as object;
  const tagOf = getOwnPropertyDescriptor(typedArray, Symbol.toStringTag)?.get as () => unknown;
  const bufferOf = getOwnPropertyDescriptor(typedArray, "buffer")?.get as () => ArrayBuffer;
  const setBytes = Uint8Array.prototype.set;
  const toText = String;
  const cut = String.prototype.slice;
  const codeAt = String.prototype.charCodeAt;
  const find = String.prototype.indexOf;
  const swap: (this: string, what: RegExp, by: string) => string = String.prototype.replace;
  /* eslint-enable @typescript-eslint/unbound-method */
  const isView = ArrayBuffer.isView.bind(ArrayBuffer);
  /** Most of a text, in characters, or of bytes that cross at once on their way through a helper. A multiple of 3 and of 4. */
  const PIECE = 49_152;
  /** Most of what one call may ask, in characters. */
  const MOST_ASKED = 1 << 20;
  /** No payload as long as that is part of a piece of evidence. */
  const MOST_PROVEN = 65_536;
  /** Longest text in a failure or of a verdict, in characters: more of it is not shown. */
  const MOST_SHOWN = 2_000;

  const define = (name: string, value: unknown): void => {
    defineProperty(globalThis, name, { value, writable: true, configurable: true });
  };

  // What comes of garbage collection, and memory that threads share, could differ from run to run.
  for (const name of ["WeakRef", "FinalizationRegistry", "SharedArrayBuffer"]) {
    Reflect.deleteProperty(globalThis, name);
  }

  // xoshiro128** (Blackman, Vigna 2018), its state the first 16 bytes of the seed.
  let [a, b, c, d] = [1, 0, 0, 0];
  let drawn = false;
  const { imul } = Math;
  const turn = (x: number, k: number): number => (x << k) | (x >>> (32 - k));
  const next = (): number => {
    drawn = true;
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

  const viewOf = (source: ArrayBuffer | ArrayBufferView | undefined): Uint8Array => {
    if (source === undefined) return new Uint8Array(0);
    return isView(source)
      ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
      : new Uint8Array(source);
  };
  const copyBytes = (source: ArrayBuffer | ArrayBufferView | undefined): ArrayBuffer =>
    apply(bufferOf, new Uint8Array(viewOf(source)), []);
  const part = (text: string, from: number, to: number): string => apply(cut, text, [from, to]);
  /** The text in pieces, each passed by `turn`. */
  const inPieces = (text: string, turn: (piece: string) => string): string => {
    let out = "";
    for (let at = 0; at === 0 || at < text.length; at += PIECE) {
      out += turn(part(text, at, at + PIECE));
    }
    return out;
  };
  const encode = (text: string): Uint8Array => {
    if (text.length <= PIECE) return new Uint8Array(host.encode(stringify(text)));
    const pieces: Uint8Array[] = [];
    let size = 0;
    let count = 0;
    for (let at = 0; at < text.length;) {
      let end = at + PIECE < text.length ? at + PIECE : text.length;
      // Both halves of one character go together.
      if (end < text.length && (apply(codeAt, text, [end - 1]) & 0xfc00) === 0xd800) end--;
      const piece = new Uint8Array(host.encode(stringify(part(text, at, end))));
      defineProperty(pieces, count++, { value: piece });
      size += piece.length;
      at = end;
    }
    const all = new Uint8Array(size);
    for (let at = 0, to = 0; at < count; at++) {
      const piece = pieces[at] as Uint8Array;
      apply(setBytes, all, [piece, to]);
      to += piece.length;
    }
    return all;
  };
  define(
    "TextEncoder",
    class TextEncoder {
      readonly encoding = "utf-8";
      encode(text: unknown = ""): Uint8Array {
        return encode(toText(text));
      }
    },
  );
  const decode = (bytes: Uint8Array, fatal: boolean, keepBom: boolean): string => {
    let out = "";
    for (let at = 0; at === 0 || at < bytes.length;) {
      let end = at + PIECE < bytes.length ? at + PIECE : bytes.length;
      // Not within a character: those go on for three bytes at most, and what goes on for longer is none.
      for (let back = 0; end < bytes.length && back < 4; back++) {
        if (((bytes[end - back] as number) & 0xc0) === 0x80) continue;
        end -= back;
        break;
      }
      const piece = new Uint8Array(bytes.buffer, bytes.byteOffset + at, end - at);
      out += parse(host.decode(copyBytes(piece), fatal, keepBom || at > 0)) as string;
      if (end === bytes.length) break;
      at = end;
    }
    return out;
  };
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
        return decode(viewOf(source), this.fatal, this.ignoreBOM);
      }
    },
  );
  define("sha256", (content: unknown): string => {
    const bytes = typeof content === "string" ? encode(content) : viewOf(content as ArrayBuffer);
    for (let at = 0; ; at += PIECE) {
      const left = bytes.length - at;
      if (left <= PIECE)
        return host.hash(
          copyBytes(new Uint8Array(bytes.buffer, bytes.byteOffset + at, left)),
          true,
        );
      host.hash(copyBytes(new Uint8Array(bytes.buffer, bytes.byteOffset + at, PIECE)), false);
    }
  });
  const fromBase64 = (text: string): string => parse(host.atob(stringify(text))) as string;
  define("atob", (source: unknown) => {
    const text = toText(source);
    if (text.length <= PIECE) return fromBase64(text);
    const plain: string = apply(swap, text, [/[\t\n\f\r ]+/g, ""]);
    const pad: number = apply(find, plain, ["="]);
    // What is filled up in the middle of the text is none, though each piece were one.
    return inPieces(pad >= 0 && pad < plain.length - 2 ? "=" : plain, fromBase64);
  });
  define("btoa", (source: unknown) =>
    inPieces(toText(source), (piece) => parse(host.btoa(stringify(piece))) as string),
  );
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
        if (text.length > MOST_ASKED) throw new RangeError("the call asks too much at once");
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
      const bytes = viewOf(payload);
      const exchange = stringify({ __proto__: null, asked, answer });
      if (bytes.length > MOST_PROVEN || exchange.length > MOST_ASKED) return null;
      return freezeAll(parse(host.proof(copyBytes(bytes), exchange))) as ReturnType<
        Proofs["proof"]
      >;
    },
    keep(piece) {
      const text = stringify(piece);
      if (text.length <= MOST_ASKED) host.keep(text);
    },
  });

  const odd = (what: unknown): Outcome => ({
    kind: "odd",
    what: part(show(what), 0, MOST_SHOWN),
  });

  const respondParts = (value: unknown, most: number): Outcome => {
    if (typeof value !== "object" || value === null || isArray(value)) {
      return odd(value);
    }
    const { status, contentType, body } = value as Record<string, unknown>;
    if (typeof body !== "string") return { kind: "odd", what: "an answer without a text as body" };
    if (status !== undefined && typeof status !== "number") {
      return { kind: "odd", what: "an answer whose status is no number" };
    }
    if (contentType !== undefined && typeof contentType !== "string") {
      return { kind: "odd", what: "an answer whose contentType is no text" };
    }
    if (body.length > most) return { kind: "long" };
    if (contentType !== undefined && contentType.length > MOST_SHOWN) return odd(contentType);
    return { kind: "value", value: { __proto__: null, status, contentType, body } };
  };

  const outcomeOf = (entry: string, value: unknown, most: number): Outcome => {
    if (entry === "respond") return respondParts(value, most);
    if (typeof value === "string") {
      if (entry === "audit" && value.length > MOST_SHOWN) return odd(value);
      return value.length > most ? { kind: "long" } : { kind: "value", value };
    }
    if (entry === "work" && isView(value) && apply(tagOf, value, []) === "Uint8Array") {
      if (value.byteLength > most) return { kind: "long" };
      host.payload(copyBytes(value));
      return { kind: "bytes" };
    }
    return odd(value);
  };

  const tell = (outcome: Outcome): string => {
    // A toJSON that the function put on the prototype of all objects must not speak for it.
    return stringify({ __proto__: null, ...outcome });
  };

  return {
    seed(seed) {
      const word = (at: number): number => parseInt(part(seed, 8 * at, 8 * at + 8), 16) | 0;
      [a, b, c, d] = [word(0), word(1), word(2), word(3)];
      if ((a | b | c | d) === 0) a = 1;
    },
    drawn: () => drawn,
    async start(module, order) {
      try {
        const { entry, facts, request, evidence, most } = parse(order) as {
          entry: string;
          facts: object;
          request: unknown;
          evidence: Proofs["evidence"];
          most: number;
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
        return tell(outcomeOf(entry, await (apply(fn, undefined, args) as unknown), most));
      } catch (error) {
        return tell({ kind: "thrown", what: part(show(error), 0, MOST_SHOWN) });
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
