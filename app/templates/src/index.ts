import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TemplateName } from "./parameters";
import { parametersOf, templateInfo } from "./parameters";

export { TEMPLATES, parameterOf, parametersOf, templateInfo } from "./parameters";
export type {
  BridgeVaultParameters,
  ParameterInfo,
  RestParameters,
  StorageParameters,
  TemplateInfo,
  TemplateName,
  TemplateParameters,
  VrfParameters,
} from "./parameters";

/** A template's two files, bundled. */
export interface Template {
  readonly name: TemplateName;
  /** Paths of the bundled ES modules. */
  readonly audit: string;
  readonly work: string;
}

/** A file that a task can be bound to. */
export interface BundledFile {
  readonly path: string;
  /** SHA-256 of its bytes. */
  readonly hash: Uint8Array;
}

const BUNDLES = join(__dirname, "bundles");

/** Begins the line of a bundle that holds its parameters as JSON. */
const HEAD = "const PARAMETERS = ";

/**
 * Where a template's bundles are, made by `npm run build`. They have the default parameters; those of a template that needs some to be
 * set, like the vault of bridge-vault, can't be used before {@link bundleTemplate} has set them. Throws for an unknown name.
 */
export function template(name: TemplateName): Template {
  templateInfo(name);
  const folder = join(BUNDLES, name);
  return { name, audit: join(folder, "audit.js"), work: join(folder, "work.js") };
}

/**
 * What a template's two files hold with a creator's own parameters; the same parameters give the same bytes. Throws a sentence for the
 * first parameter that is unknown, missing or wrong.
 */
export async function templateFiles(
  name: TemplateName,
  parameters: object,
): Promise<{ readonly audit: string; readonly work: string }> {
  const all = parametersOf(name, parameters);
  const bundles = template(name);
  const read = async (kind: "audit" | "work"): Promise<string> =>
    (await readFile(bundles[kind], "utf8"))
      .split("\n")
      .map((line) => (line.startsWith(HEAD) ? `${HEAD}${JSON.stringify(all)};` : line))
      .join("\n");
  return { audit: await read("audit"), work: await read("work") };
}

/** Writes {@link templateFiles} into a folder, as `audit.js` and `work.js`. */
export async function bundleTemplate(
  name: TemplateName,
  parameters: object,
  outFolder: string,
): Promise<{ readonly audit: BundledFile; readonly work: BundledFile }> {
  const files = await templateFiles(name, parameters);
  await mkdir(outFolder, { recursive: true });
  const write = async (kind: "audit" | "work"): Promise<BundledFile> => {
    const text = files[kind];
    const path = join(outFolder, `${kind}.js`);
    await writeFile(path, text);
    return { path, hash: createHash("sha256").update(text).digest() };
  };
  return { audit: await write("audit"), work: await write("work") };
}
