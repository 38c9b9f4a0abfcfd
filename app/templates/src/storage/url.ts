/*
 * The sandbox has no URL, and the schema library resolves `$ref` with it. Parameters only allow references within the schema, so all
 * that it is asked for is a base and what follows the #.
 */
class SchemaUrl {
  href: string;

  constructor(reference: string, base = "") {
    this.href = reference.startsWith("#") ? base.replace(/#.*$/, "") + reference : reference;
  }

  get hash(): string {
    const at = this.href.indexOf("#");
    return at < 0 || at === this.href.length - 1 ? "" : this.href.slice(at);
  }

  set hash(hash: string) {
    const bare = this.href.replace(/#.*$/, "");
    this.href = hash === "" ? bare : `${bare}#${hash.replace(/^#/, "")}`;
  }
}

(globalThis as { URL?: unknown }).URL ??= SchemaUrl;
