import { readFileSync } from "node:fs";
import type { Document } from "yaml";
import { LineCounter, isNode, parseDocument } from "yaml";

/** Where what a path leads to, or its key, stands. */
export type Place = (path: readonly PropertyKey[], atKey?: boolean) => string;

/** A YAML or JSON document that can tell where each of its parts stands: `file:line:column`. */
export class PlacedYaml {
  readonly document: Document.Parsed;
  /** What is no YAML, each with its place. */
  readonly faults: readonly string[];
  private readonly lines = new LineCounter();

  constructor(
    content: string,
    private readonly file: string,
  ) {
    this.document = parseDocument(content, { lineCounter: this.lines, prettyErrors: false });
    this.faults = this.document.errors.map(
      ({ pos, message }) => `${this.at(pos[0])}: ${sentence(message)}`,
    );
  }

  /**
   * Where what a path leads to stands: its value, or its key with `atKey`. Where it is missing, the key of what should hold it.
   */
  place(path: readonly PropertyKey[], atKey = false): string {
    const { document } = this;
    for (let length = path.length; length > 0; length -= 1) {
      const parent = document.getIn(path.slice(0, length - 1), true);
      const items = (parent as { items?: readonly unknown[] } | undefined)?.items ?? [];
      const wanted = path[length - 1];
      for (const [index, item] of items.entries()) {
        const { key, value } = (item ?? {}) as { key?: unknown; value?: unknown };
        if (isNode(key) && String(key) === String(wanted)) {
          const shown = !atKey && length === path.length && isNode(value) && value.range;
          return this.at((shown || key.range)?.[0] ?? 0);
        }
        // Of a list.
        if (isNode(item) && index === wanted) return this.at(item.range?.[0] ?? 0);
      }
    }
    return this.at(document.contents?.range[0] ?? 0);
  }

  private at(offset: number): string {
    const { line, col } = this.lines.linePos(offset);
    return `${this.file}:${line}:${col}`;
  }
}

/** What a YAML file says. Throws what `fail` makes of a sentence that names file, reason and way out. */
export function readYaml(file: string, fail: (message: string) => Error): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as { code?: unknown };
    const reason = code === "ENOENT" ? "there is no such file" : String(code ?? error);
    throw fail(`${file} can't be read: ${reason}. Give the path of a YAML file.`);
  }
}

/** With one full stop at its end, if it has none. */
export function sentence(message: string): string {
  const trimmed = message.trim();
  return /[.?!]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}
