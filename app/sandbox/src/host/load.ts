import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { FunctionRef } from "@securing-tasks/client";
import { loaded } from "../core/loaded";
import type { LoadedFunction } from "../core/loaded";
import { sha256Hex } from "../core/primitives";
import { gatewayUrl, shown, webUrl } from "../core/web";
import { download } from "./download";

export interface LoadOptions {
  /** Bases of content-addressed stores, asked for `BASE/<hash>` when the URI gives nothing. */
  readonly gateways?: readonly string[];
  /** Folder that keeps what was fetched and checked, one file for each hash. */
  readonly cache?: string;
  /** Told that the cache can't be written: the function is there all the same. */
  readonly onTrouble?: (message: string) => void;
  /** Most bytes of a file. Default: 1 MiB. */
  readonly maxBytes?: number;
  /** Most time for one answer, in milliseconds. Default: 10,000. */
  readonly timeoutMs?: number;
  /** Lets an http(s) URI be on a private or loopback address. Gateways always may. Default: false. */
  readonly allowPrivateNetwork?: boolean;
}

/**
 * Fetches a function (file:, http:, https: or from a gateway) and refuses it unless its SHA-256 is the task's. Throws an Error that tells
 * for each place what was found there.
 */
export async function loadFunction(
  ref: FunctionRef,
  options: LoadOptions = {},
): Promise<LoadedFunction> {
  const hash = Buffer.from(ref.hash).toString("hex");
  const problems: string[] = [];
  const attempt = async (place: string, read: () => Promise<Uint8Array>) => {
    try {
      const bytes = await read();
      const found = sha256Hex(bytes);
      if (found === hash) return bytes;
      problems.push(`${place} has the SHA-256 ${found}`);
    } catch (error) {
      problems.push(`${place}: ${error instanceof Error ? error.message : String(error)}`);
    }
    return null;
  };
  const { cache } = options;
  if (cache !== undefined) {
    // Checked again: a disk may fail, and a folder can be written by others.
    const kept = await readFile(join(cache, `${hash}.js`)).catch(() => null);
    if (kept !== null && sha256Hex(kept) === hash) return loaded(ref, kept);
  }
  const places: readonly [string, () => Promise<Uint8Array>][] = [
    [shown(ref.uri), () => readUri(ref.uri, options)],
    ...(options.gateways ?? []).map((base): [string, () => Promise<Uint8Array>] => [
      `gateway ${base}`,
      () => readWeb(gatewayUrl(base, hash), options, true),
    ]),
  ];
  for (const [place, read] of places) {
    const bytes = await attempt(place, read);
    if (bytes === null) continue;
    if (cache !== undefined) {
      await keep(cache, hash, bytes).catch((error: unknown) => {
        options.onTrouble?.(error instanceof Error ? error.message : String(error));
      });
    }
    return loaded(ref, bytes);
  }
  throw new Error(
    `The function with the SHA-256 ${hash} was not found: ${problems.join("; ")}. ` +
      "Ask the task's creator where the file is, and serve it as BASE/<SHA-256> from a gateway of this node's configuration.",
  );
}

const limits = ({ maxBytes = 1024 * 1024, timeoutMs = 10_000 }: LoadOptions) => ({
  maxBytes,
  timeoutMs,
});

async function readUri(uri: string, options: LoadOptions): Promise<Uint8Array> {
  if (URL.canParse(uri) && new URL(uri).protocol === "file:") {
    return readLocal(fileURLToPath(uri), options);
  }
  return readWeb(webUrl(uri), options, options.allowPrivateNetwork ?? false);
}

/**
 * The creator of a task writes its URI, so it may name any file of this machine. Nothing of a file that isn't the function comes out but
 * its hash in this node's own log; what is no plain file, or too large, is not even opened.
 */
async function readLocal(path: string, options: LoadOptions): Promise<Uint8Array> {
  const { maxBytes } = limits(options);
  const { size } = await stat(path).then((found) => {
    if (!found.isFile()) throw new Error("it is no plain file");
    return found;
  });
  if (size > maxBytes) throw new Error(`it has more than ${maxBytes} bytes`);
  return readFile(path);
}

async function readWeb(
  url: URL,
  options: LoadOptions,
  allowPrivateNetwork: boolean,
): Promise<Uint8Array> {
  const { status, bytes } = await download(url, { ...limits(options), allowPrivateNetwork });
  if (status !== 200) throw new Error(`status ${status}`);
  return bytes;
}

/** Written under another name first: a crash leaves no half file under the right one. */
async function keep(folder: string, hash: string, bytes: Uint8Array): Promise<void> {
  const target = join(folder, `${hash}.js`);
  const draft = `${target}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    await mkdir(folder, { recursive: true });
    const file = await open(draft, "wx");
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`The cache ${folder} can't be written: ${why}`, { cause: error });
  }
}
