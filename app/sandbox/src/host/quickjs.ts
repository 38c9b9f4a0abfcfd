import { readFile } from "node:fs/promises";
import type { CompiledQuickJs } from "../core/engine";

/** Compiles QuickJS, from the file of the package that this one depends on. */
export async function compileQuickJs(): Promise<CompiledQuickJs> {
  const path = require.resolve("@jitl/quickjs-wasmfile-release-sync/wasm");
  return WebAssembly.compile(await readFile(path));
}
