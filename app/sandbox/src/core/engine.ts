/*
 * QuickJS in a memory of its own, which is put back between runs to what it was after the function's file was loaded. What a run costs
 * is so its own work and a copy of some megabytes, not the start of an engine and the reading of a file.
 */
import type {
  QuickJSContext,
  QuickJSEmscriptenModule,
  QuickJSHandle,
  QuickJSSyncVariant,
} from "quickjs-emscripten-core";
import RELEASE_SYNC from "@jitl/quickjs-wasmfile-release-sync";
import { newQuickJSWASMModuleFromVariant } from "quickjs-emscripten-core";
import { guest } from "./guest";
import type { Guest, Host } from "./guest";

/** Most of a function's own stack. Where V8's overflows first, the engine breaks instead of the function, and the run fails. */
const STACK_BYTES = 256 * 1024;
const PAGE_BYTES = 65_536;
/** What QuickJS is compiled to begin with: 16 MiB, most of it an empty stack. */
const INITIAL_PAGES = 256;
const INITIAL_BYTES = INITIAL_PAGES * PAGE_BYTES;
const MOST_PAGES = 32_768;
/** Room that is there without asking for more memory, so that a small run touches little and is put back fast. */
const WORKING_BYTES = 512 * 1024;
/** Of a piece of memory. */
const LEAST_BYTES = 16;
/** The engine's static data are well below. */
const STATIC_BYTES = 128 * 1024;
/** Of the engine's stack, which begins just below its heap and grows down: twice what a function may use. */
const STACK_ZONE_BYTES = 2 * STACK_BYTES;
/** Must be found untouched below that zone, or the engine is not used again. */
const UNTOUCHED = Buffer.alloc(64 * 1024);
/** An engine whose memory has grown beyond is not used again: to put it back would take longer than to start another. */
const MOST_KEPT_BYTES = INITIAL_BYTES + 16 * 1024 * 1024;

/** The `WebAssembly.Module` of `@jitl/quickjs-wasmfile-release-sync/wasm`. */
export type CompiledQuickJs = object;

/** What is on the host's side of the wall during one run. */
export interface Inside {
  readonly host: Readonly<
    Record<keyof Host, (...args: QuickJSHandle[]) => QuickJSHandle | undefined>
  >;
  /** Whether the engine is to stop. */
  interrupted(): boolean;
  /** The file imports something. */
  imported(name: string): void;
}

const HOST = Object.keys({
  call: 0,
  log: 0,
  payload: 0,
  proof: 0,
  keep: 0,
  hash: 0,
  encode: 0,
  decode: 0,
  atob: 0,
  btoa: 0,
} satisfies Record<keyof Host, 0>) as (keyof Host)[];

/** A file that was loaded, and what loading it did on this side of the wall. */
export interface Loaded {
  readonly module: QuickJSHandle;
  readonly computeMs: number;
  readonly log: readonly string[];
}

/**
 * Memory that grows by what is asked for, up to a limit, and knows when it was refused. QuickJS's own limit counts nothing here: compiled to
 * WebAssembly it takes every allocation for empty. So the limit is the memory's: whatever the function has, and whatever comes to it
 * through the wall, is in there or nowhere.
 */
class Memory {
  readonly memory: WebAssembly.Memory;
  /** Bytes. */
  most = INITIAL_BYTES;
  full = false;
  private wanted = 0;

  constructor(mostPages: number) {
    this.memory = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: mostPages });
    const grow = this.memory.grow.bind(this.memory);
    // Emscripten asks for a fifth more than it needs.
    this.memory.grow = () =>
      grow(Math.ceil((this.wanted - this.memory.buffer.byteLength) / PAGE_BYTES));
  }

  /** `k` is emscripten_resize_heap in the one version of QuickJS that this package depends on. */
  guard(imports: Record<string, unknown>): void {
    const resize = imports["k"] as (bytes: number) => boolean | number;
    imports["k"] = (bytes: number): boolean | number => {
      this.wanted = bytes >>> 0;
      if (this.wanted <= this.most) return resize(bytes);
      this.full = true;
      return 0;
    };
  }
}

type Image = readonly { readonly at: number; readonly bytes: Uint8Array }[];

export class Engine {
  /** Of the run that goes on. */
  inside: Inside | null = null;
  /** Null until a file was loaded that drew no lots and read no clock meanwhile. */
  loaded: Loaded | null = null;
  private image: Image = [];

  private constructor(
    readonly memoryBytes: number,
    private readonly bounds: Memory,
    /** Begin and end of what a run can change: static data, stack and heap, and the heap's end. Between them lies what nobody has. */
    private readonly regions: readonly [begin: number, end: number][],
    readonly context: QuickJSContext,
    readonly guest: QuickJSHandle,
  ) {}

  /**
   * @param memoryBytes What the function may have besides the engine itself.
   */
  static async start(memoryBytes: number, quickjs: CompiledQuickJs): Promise<Engine> {
    const working = Math.min(memoryBytes, WORKING_BYTES);
    const more = Math.ceil((memoryBytes - working) / PAGE_BYTES);
    const bounds = new Memory(Math.min(MOST_PAGES, INITIAL_PAGES + more));
    let emscripten: QuickJSEmscriptenModule | undefined;
    const module = await newQuickJSWASMModuleFromVariant({
      ...RELEASE_SYNC,
      importModuleLoader: async () => {
        const found = await RELEASE_SYNC.importModuleLoader();
        if (typeof found !== "function") throw new Error("QuickJS is not packed as expected");
        return async () => {
          const loaded = await found({
            wasmMemory: bounds.memory,
            instantiateWasm: async (imports: WebAssembly.Imports, done) => {
              bounds.guard(imports["a"] ?? {});
              const instance = await WebAssembly.instantiate(quickjs, imports);
              done(instance);
              return instance.exports;
            },
          });
          emscripten = loaded;
          return loaded;
        };
      },
    } satisfies QuickJSSyncVariant);
    if (emscripten === undefined) throw new Error("QuickJS was not loaded");
    const allocate = emscripten._malloc.bind(emscripten);
    const free = emscripten._free.bind(emscripten);
    const heap = allocate(1);
    free(heap);
    // Texts and bytes on their way in: QuickJS's glue would write what found no room to the beginning of the memory.
    emscripten._malloc = (bytes) => {
      const at = allocate(bytes);
      if (at === 0) throw new RangeError("out of memory");
      return at;
    };

    // It calls back before it is there.
    const made: { engine?: Engine } = {};
    const runtime = module.newRuntime({
      maxStackSizeBytes: STACK_BYTES,
      interruptHandler: () => made.engine?.inside?.interrupted() ?? false,
      moduleLoader: (name) => {
        made.engine?.inside?.imported(name);
        return { error: new Error("imports are refused") };
      },
    });
    const context = runtime.newContext();
    const host = context.newObject();
    for (const name of HOST) {
      const call = (...args: QuickJSHandle[]) => made.engine?.inside?.host[name](...args);
      context.newFunction(name, call).consume((handle) => {
        context.setProp(host, name, handle);
      });
    }
    const make = context.unwrapResult(context.evalCode(`(${guest.toString()})`, "sandbox"));
    const inner = context.unwrapResult(context.callFunction(make, context.undefined, host));
    for (const handle of [host, make]) handle.dispose();

    // Nobody gets the memory in between: what is beyond it is all that a run can add to.
    const [spare, room] = leave(working, allocate, free);
    if (!bounds.full) throw new Error("the engine's memory can't be bounded");
    bounds.full = false;
    bounds.most = INITIAL_BYTES + more * PAGE_BYTES;
    const engine = new Engine(
      memoryBytes,
      bounds,
      [
        [0, STATIC_BYTES],
        [heap - STACK_ZONE_BYTES, spare],
        [room, Infinity],
      ],
      context,
      inner,
    );
    made.engine = engine;
    engine.mark();
    return engine;
  }

  /** Whether the function was refused memory since it was put back. */
  get full(): boolean {
    return this.bounds.full;
  }

  /** All of the engine's memory. */
  get bytes(): Uint8Array {
    return new Uint8Array(this.bounds.memory.buffer);
  }

  /** From here on runs begin as it is now. */
  mark(loaded: Loaded | null = null): void {
    const { bytes } = this;
    this.image = this.regions.map(([begin, end]) => ({
      at: begin,
      bytes: bytes.slice(begin, Math.min(end, bytes.length)),
    }));
    this.loaded = loaded;
  }

  /** Nothing of the last run stays. False where that can't be said: then it must not be used again. */
  putBack(): boolean {
    this.inside = null;
    const { bytes } = this;
    const zone = this.regions[1]?.[0] ?? 0;
    if (bytes.length > MOST_KEPT_BYTES) return false;
    const { length } = UNTOUCHED;
    // Of two buffers: in Node.js a hundred times as fast as a loop.
    if (!UNTOUCHED.equals(Buffer.from(bytes.buffer, zone - length, length))) return false;
    let end = 0;
    for (const part of this.image) {
      bytes.set(part.bytes, part.at);
      end = part.at + part.bytes.length;
    }
    bytes.fill(0, end);
    this.bounds.full = false;
    return true;
  }

  /**
   * Gives the arguments back, and whoever asks the result: what a handle holds stays in the function's memory, and an accused that sends a
   * few large answers would fill it. Handles that come once in a run go with its memory.
   */
  ask(
    method: keyof Guest,
    args: readonly QuickJSHandle[],
  ): ReturnType<QuickJSContext["callFunction"]> {
    const { context } = this;
    const fn = context.getProp(this.guest, method);
    const result = context.callFunction(fn, this.guest, [...args]);
    for (const handle of [fn, ...args]) handle.dispose();
    return result;
  }
}

/**
 * Takes all of the initial memory that is free but for so much at its end, so that the function has what it was promised and no more.
 * Returns where the long piece begins that stays empty, and where the room begins that is left.
 */
function leave(
  bytes: number,
  allocate: (bytes: number) => number,
  free: (at: number) => void,
): readonly [spare: number, room: number] {
  const pieces: { readonly at: number; readonly size: number }[] = [];
  for (let size = INITIAL_BYTES / 2; size >= LEAST_BYTES; size /= 2) {
    for (let at = allocate(size); at !== 0; at = allocate(size)) pieces.push({ at, size });
  }
  const [longest] = pieces;
  let freed = 0;
  let room = 0;
  for (const { at, size } of pieces.sort((a, b) => b.at - a.at)) {
    if (freed >= bytes + LEAST_BYTES) break;
    free(at);
    freed += size;
    room = at;
  }
  const back = freed - bytes;
  if (longest === undefined || room <= longest.at || allocate(back) !== room) {
    throw new Error("the engine's memory is not as expected");
  }
  // The next piece has its head within the last bytes of the one before.
  return [longest.at, room + back - LEAST_BYTES];
}
