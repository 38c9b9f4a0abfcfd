import { dirname, resolve } from "node:path";
import type { Place } from "@securing-tasks/node/yaml";
import { PlacedYaml, readYaml, sentence } from "@securing-tasks/node/yaml";
import { TEMPLATES } from "@securing-tasks/templates";
import type { TemplateName } from "@securing-tasks/templates";
import { closest, distance } from "fastest-levenshtein";
import type { Document } from "yaml";
import { isScalar, visit } from "yaml";
import { z } from "zod";
import { UsageError } from "../failures";
import type { PresetName } from "./presets";
import { PRESETS } from "./presets";
import type { RuleName, Written, WrittenRules } from "./rules";
import { RULE_NAMES } from "./rules";

/** A function as a creator names it. */
export interface FunctionSource {
  /** Path of a file here. */
  readonly file?: string;
  /** Where nodes get it. */
  readonly uri?: string;
  /** SHA-256 in hex, to be checked against file and URI. */
  readonly hash?: string;
}

/** A template with what its creator sets. */
export interface TemplateChoice {
  readonly name: TemplateName;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** What a task is made from, before anything is looked up. */
export interface TaskFile {
  readonly preset?: PresetName;
  readonly id?: Written;
  readonly mint?: Written;
  /** What to put into the pool at once. */
  readonly fund?: Written;
  readonly rules: WrittenRules;
  readonly allowLargeStake?: boolean;
  readonly auditFunction?: FunctionSource;
  readonly taskFunction?: FunctionSource;
  readonly template?: TemplateChoice;
  /** Folder that gets a template's files. */
  readonly out?: string;
  /** Path of a file with the facts of a submission to check the audit function with. */
  readonly sample?: string;
}

const text = z.string("must be text").min(1, "must not be empty");
const source = z
  .strictObject({
    file: text.exactOptional(),
    uri: text.exactOptional(),
    hash: text
      .regex(/^[0-9a-fA-F]{64}$/, "must be a SHA-256: 64 hex digits")
      .transform((hash) => hash.toLowerCase())
      .exactOptional(),
  })
  .refine(
    ({ file, uri }) => file !== undefined || uri !== undefined,
    "must have `file`, `uri` or both",
  );
const rule = text.exactOptional();

const schema = z.strictObject({
  preset: z.enum(PRESETS).exactOptional(),
  id: text.exactOptional(),
  mint: text.exactOptional(),
  fund: text.exactOptional(),
  rules: z
    .strictObject(
      Object.fromEntries(RULE_NAMES.map((name) => [name, rule])) as Record<RuleName, typeof rule>,
    )
    .exactOptional(),
  allowLargeStake: z.boolean("must be true or false").exactOptional(),
  auditFunction: source.exactOptional(),
  taskFunction: source.exactOptional(),
  template: z
    .strictObject({
      name: z.enum(TEMPLATES),
      parameters: z.record(z.string(), z.unknown()).exactOptional(),
    })
    .exactOptional(),
  out: text.exactOptional(),
  sample: text.exactOptional(),
});

/**
 * Reads a task's file. Paths in it are relative to it. Throws a {@link UsageError} with a line for every fault, each with file, line and
 * column, and the way out.
 */
export function readTaskFile(file: string): TaskFile {
  const content = readYaml(file, (message) => new UsageError(message));
  return parseTaskFile(content, file);
}

/** The same for a file's content. */
export function parseTaskFile(content: string, file: string): TaskFile {
  const yaml = new PlacedYaml(content, file);
  if (yaml.faults.length > 0) throw new UsageError(yaml.faults.join("\n"));
  keepAsWritten(yaml.document);
  const place: Place = (path, atKey) => yaml.place(path, atKey);
  let plain: unknown;
  try {
    plain = yaml.document.toJS() ?? {};
  } catch (error) {
    throw new UsageError(
      `${place([])}: ${sentence(error instanceof Error ? error.message : String(error))}`,
    );
  }
  const parsed = schema.safeParse(plain, { reportInput: true });
  if (!parsed.success) {
    const faults = parsed.error.issues.flatMap((issue) => explainIssue(issue, place));
    throw new UsageError(faults.join("\n"));
  }
  const found = parsed.data;
  const written = (path: readonly string[], value: string): Written => ({
    text: value,
    where: `${place(path)}: \`${path.join(".")}\``,
  });
  const here = (path: string): string => resolve(dirname(resolve(file)), path);
  const local = (one: FunctionSource): FunctionSource =>
    one.file === undefined ? one : { ...one, file: here(one.file) };
  const rules = Object.fromEntries(
    Object.entries(found.rules ?? {}).map(([name, value]) => [
      name,
      written(["rules", name], value),
    ]),
  ) as WrittenRules;
  return {
    rules,
    ...(found.preset !== undefined && { preset: found.preset }),
    ...(found.id !== undefined && { id: written(["id"], found.id) }),
    ...(found.mint !== undefined && { mint: written(["mint"], found.mint) }),
    ...(found.fund !== undefined && { fund: written(["fund"], found.fund) }),
    ...(found.allowLargeStake !== undefined && { allowLargeStake: found.allowLargeStake }),
    ...(found.auditFunction && { auditFunction: local(found.auditFunction) }),
    ...(found.taskFunction && { taskFunction: local(found.taskFunction) }),
    ...(found.template && {
      template: { name: found.template.name, parameters: found.template.parameters ?? {} },
    }),
    ...(found.out !== undefined && { out: here(found.out) }),
    ...(found.sample !== undefined && { sample: here(found.sample) }),
  };
}

/** Numbers as they were written: amounts must not go through floating point. A template's parameters are JSON and stay. */
function keepAsWritten(document: Document): void {
  visit(document, {
    Pair: (_, { key }) => (isScalar(key) && key.value === "parameters" ? visit.SKIP : undefined),
    Scalar: (key, node) => {
      if (key !== "key" && typeof node.value === "number" && node.source !== undefined) {
        node.value = node.source;
      }
    },
  });
}

function explainIssue(issue: z.core.$ZodIssue, place: Place): string[] {
  const name = issue.path.join(".");
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => {
      const whole = [...issue.path, key];
      return `${place(whole, true)}: \`${whole.join(".")}\` is no setting. ${meant(key, issue.path)}`;
    });
  }
  const where = `${place(issue.path)}: ${name === "" ? "the file" : `\`${name}\``}`;
  if (issue.code === "invalid_value") {
    const words = issue.values.map(String);
    const given = typeof issue.input === "string" ? issue.input : "";
    return [`${where} must be ${words.join(" or ")}.${guess(given, words)}`];
  }
  if (issue.code === "invalid_type" && issue.expected === "object") {
    return [`${where} must be a mapping, with a line \`name: value\` for each setting.`];
  }
  return [`${where} ${sentence(issue.message)}`];
}

function settings(path: readonly PropertyKey[]): readonly string[] {
  switch (path[0]) {
    case undefined:
      return Object.keys(schema.shape);
    case "rules":
      return RULE_NAMES;
    case "template":
      return ["name", "parameters"];
    default:
      return ["file", "uri", "hash"];
  }
}

function meant(key: string, path: readonly PropertyKey[]): string {
  const known = settings(path);
  const near = guess(key, known);
  if (near !== "") return near.trim();
  const inRules = path.length === 0 && (RULE_NAMES as readonly string[]).includes(key);
  return inRules
    ? "It is a rule: write it under `rules`."
    : `Remove it; there are ${known.join(", ")}.`;
}

/** " Did you mean …?", or nothing where no word is near. */
export function guess(given: string, words: readonly string[]): string {
  if (given === "") return "";
  const near = closest(given, words);
  return distance(given.toLowerCase(), near.toLowerCase()) <= Math.max(2, near.length / 3)
    ? ` Did you mean \`${near}\`?`
    : "";
}
