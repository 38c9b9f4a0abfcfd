import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { FunctionRef } from "@securing-tasks/client";
import type { LoadedFunction } from "@securing-tasks/sandbox";
import {
  bundleTemplate,
  parameterOf,
  parametersOf,
  templateFiles,
  templateInfo,
} from "@securing-tasks/templates";
import type { TemplateName } from "@securing-tasks/templates";
import { UsageError } from "../failures";
import type { FunctionSource, TemplateChoice } from "./schema";
import { guess } from "./schema";

/** A function that a task will be bound to. */
export interface BoundFunction {
  readonly ref: FunctionRef;
  /** Its code; null where nobody could be asked for it. */
  readonly loaded: LoadedFunction | null;
  /** What its creator should know, in plain words. */
  readonly warnings: readonly string[];
}

/** What nodes take, at most. */
const MOST_BYTES = 1024 * 1024;
const FETCH_MS = 10_000;
const URI_BYTES = 128;

/**
 * Hashes a function's file, fetches its URI and compares them with each other and with the hash that was given. Throws a
 * {@link UsageError} where they differ or nothing says what the hash is. A URI that gives nothing yet is a warning.
 */
export async function bindFunction(
  kind: "audit" | "task",
  source: FunctionSource,
): Promise<BoundFunction> {
  const what = `the ${kind} function`;
  const warnings: string[] = [];
  const file = source.file === undefined ? null : await readLocal(what, source.file);
  if (file && source.hash !== undefined && hex(file) !== source.hash) {
    throw new UsageError(
      `${source.file ?? ""} has the SHA-256 ${hex(file)}, not ${source.hash} as was given. Give the right file, or leave the hash out.`,
    );
  }
  const expected = file ? hex(file) : source.hash;
  const uri = source.uri ?? pathToFileURL(source.file ?? "").href;
  const bytes = Buffer.byteLength(uri);
  if (bytes > URI_BYTES) {
    throw new UsageError(
      `The URI of ${what} has ${bytes} bytes, and a task stores at most ${URI_BYTES}: ${uri}. Give a shorter one with --${kind}-uri.`,
    );
  }
  if (source.uri === undefined) {
    warnings.push(
      `${cap(what)} is at ${uri}: nodes on other machines can't fetch it there. Publish the file and give its address with --${kind}-uri, or have the nodes' gateways serve it by its hash.`,
    );
  }
  const fetched = source.uri === undefined ? null : await fetchUri(source.uri);
  if (fetched?.bytes) {
    const found = hex(fetched.bytes);
    if (expected !== undefined && found !== expected) {
      throw new UsageError(
        `${uri} has the SHA-256 ${found}, not ${expected}: nodes would refuse it. Publish the right file there, or leave out what does not fit.`,
      );
    }
  } else if (fetched) {
    if (expected === undefined) {
      throw new UsageError(
        `${cap(what)} can't be fetched from ${uri}: ${fetched.problem}. Give its file or its SHA-256 with --${kind}-function or --${kind}-hash.`,
      );
    }
    warnings.push(
      `${cap(what)} can't be fetched from ${uri}: ${fetched.problem}. Publish it there before nodes join.`,
    );
  }
  const content = file ?? fetched?.bytes ?? null;
  const hash = content ? sha256(content) : Buffer.from(expected ?? "", "hex");
  return {
    ref: { hash, uri },
    loaded: content && { hash, code: decode(what, content) },
    warnings,
  };
}

/**
 * Writes a template's files with the creator's parameters into a folder. Throws a {@link UsageError} for the first parameter that is
 * unknown, missing or wrong, and for a file of another content that is there already.
 */
export async function bundle(
  { name, parameters }: TemplateChoice,
  folder: string,
): Promise<{ readonly audit: string; readonly work: string }> {
  try {
    parametersOf(name, parameters);
  } catch (error) {
    throw parameterRefusal(name, Object.keys(parameters), error);
  }
  for (const [kind, text] of Object.entries(await templateFiles(name, parameters))) {
    const path = join(folder, `${kind}.js`);
    const there = await readFile(path, "utf8").catch(() => null);
    // Perhaps somebody's own work on it, that the task is meant to be bound to.
    if (there === null || there === text) continue;
    throw new UsageError(
      `${path} is there already, and is not what the template ${name} makes with these parameters. Use it with --audit-function and --task-function and without a template, give another folder with --out, or remove it.`,
    );
  }
  const { audit, work } = await bundleTemplate(name, parameters, folder);
  return { audit: audit.path, work: work.path };
}

/** A template's parameter from "name=value". */
export function parseParameter(
  template: TemplateName,
  text: string,
): readonly [name: string, value: unknown] {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw new UsageError(`--param ${text}: there is no \`=\`. Write it as NAME=VALUE.`);
  }
  try {
    return [name.trim(), parameterOf(template, name.trim(), value)];
  } catch (error) {
    throw parameterRefusal(template, [name.trim()], error);
  }
}

/** A template's refusal, with what was meant where a name is unknown. */
function parameterRefusal(
  template: TemplateName,
  names: readonly string[],
  error: unknown,
): UsageError {
  const known = Object.keys(templateInfo(template).parameters);
  const unknown = names.find((name) => !known.includes(name)) ?? "";
  const message = error instanceof Error ? error.message : String(error);
  return new UsageError(`${message}${guess(unknown, known)}`);
}

async function readLocal(what: string, path: string): Promise<Buffer> {
  try {
    const { size } = await stat(path);
    if (size <= MOST_BYTES) return await readFile(path);
  } catch (error) {
    const { code } = error as { code?: unknown };
    throw new UsageError(
      `The file of ${what}, ${path}, can't be read: ${code === "ENOENT" ? "there is none" : String(code ?? error)}. Give the path of the bundled JavaScript file.`,
    );
  }
  throw new UsageError(
    `The file of ${what}, ${path}, has over ${MOST_BYTES} bytes, the most that nodes take. Bundle less into it.`,
  );
}

/** Null for a scheme that only gateways know. */
async function fetchUri(
  uri: string,
): Promise<{ readonly bytes: Buffer | null; readonly problem: string } | null> {
  if (!URL.canParse(uri)) throw new UsageError(`${uri} is no URI. Give one, like https://….`);
  const url = new URL(uri);
  try {
    if (url.protocol === "file:") {
      return { bytes: await readFile(fileURLToPath(url)), problem: "" };
    }
    if (url.protocol !== "http:" && url.protocol !== "https:") return null;
    // Nodes don't follow redirects.
    const answer = await fetch(url, {
      redirect: "manual",
      signal: AbortSignal.timeout(FETCH_MS),
    });
    if (answer.status !== 200) return { bytes: null, problem: `status ${answer.status}` };
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of answer.body ?? []) {
      chunks.push(chunk as Uint8Array);
      size += (chunk as Uint8Array).length;
      if (size > MOST_BYTES) return { bytes: null, problem: `it has over ${MOST_BYTES} bytes` };
    }
    return { bytes: Buffer.concat(chunks), problem: "" };
  } catch (error) {
    const { cause, message } = error as Error;
    return { bytes: null, problem: cause instanceof Error ? cause.message : message };
  }
}

function decode(what: string, bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new UsageError(`${cap(what)} is no UTF-8 text. Give a bundled JavaScript file.`);
  }
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}

function hex(bytes: Uint8Array): string {
  return sha256(bytes).toString("hex");
}

function cap(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
