// Pages about the program's interface, made from its IDL.

const GENERATED = "Generated from the program by `npm run idl`. Do not edit.";
/** Structs that only hold a value of a plain type: shown as that type. */
const POD = new Map(
  Object.entries({
    PodBool: "bool",
    PodU16: "u16",
    PodU32: "u32",
    PodU64: "u64",
  }),
);

/** A length and room for that many. */
const LIST = "PodVec";

const code = (text) => `\`${text}\``;
/** Texts go into cells of tables. */
const cell = (text) => text.replaceAll("|", "\\|").replaceAll("\n", " ");
/** Lines of one paragraph together; an empty line ends it. */
const prose = (docs = []) =>
  docs
    .join("\n")
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.replaceAll("\n", " ").trim())
    .filter((paragraph) => paragraph !== "")
    .join("\n\n");

function table(head, rows) {
  const line = (cells) => `| ${cells.map(cell).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function typeName(type, pages) {
  if (typeof type === "string") return code(type);
  if (type.option) return `${typeName(type.option, pages)}, or nothing`;
  if (type.array) return `${type.array[1]} × ${typeName(type.array[0], pages)}`;
  if (type.vec) return `list of ${typeName(type.vec, pages)}`;
  if (type.defined) {
    const { name, generics } = type.defined;
    if (POD.has(name)) return code(POD.get(name));
    if (name === LIST)
      return `u16 length, ${generics[1].value} × ${typeName(generics[0].type, pages)}`;
    return pages(name) ?? code(name);
  }
  throw new Error(`a type that the reference does not know: ${JSON.stringify(type)}`);
}

const fieldRows = (fields, pages) =>
  fields.map(({ name, type, docs }) => [code(name), typeName(type, pages), prose(docs)]);
const anchor = (name) => `#${name.toLowerCase()}`;
const bytes = (discriminator) =>
  discriminator.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");

function instructions({ instructions }, pages) {
  return instructions.map(({ name, docs, discriminator, accounts, args }) => {
    const about = accounts.map((one) => {
      const is = ["writable", "signer", "optional"].filter((word) => one[word]);
      return [
        code(one.name),
        is.join(", "),
        [prose(one.docs), one.address && code(one.address)].filter(Boolean).join(" "),
      ];
    });
    return [
      `## ${name}`,
      prose(docs),
      `Discriminator: ${code(bytes(discriminator))}`,
      table(["account", "is", "notes"], about),
      args.length > 0 && table(["argument", "type", "notes"], fieldRows(args, pages)),
    ];
  });
}

/** Accounts, or events: names, discriminators, and fields in their order. */
function records(idl, kind, pages) {
  return idl[kind].map(({ name, discriminator }) => {
    const { docs, type } = idl.types.find((one) => one.name === name);
    return [
      `## ${name}`,
      prose(docs),
      `Discriminator: ${code(bytes(discriminator))}`,
      table(["field", "type", "notes"], fieldRows(type.fields, pages)),
    ];
  });
}

function otherTypes(idl, pages, except) {
  return idl.types
    .filter(({ name, docs }) => docs && name !== LIST && !POD.has(name) && !except.has(name))
    .map(({ name, docs, type }) => {
      const rows =
        type.kind === "struct" && type.fields?.every((field) => field.name)
          ? table(["field", "type", "notes"], fieldRows(type.fields, pages))
          : null;
      return [`## ${name}`, prose(docs), rows];
    });
}

const errors = ({ errors }) => [
  [
    table(
      ["code", "name", "meaning"],
      errors.map(({ code: number, name, msg }) => [String(number), code(name), msg]),
    ),
  ],
];

/**
 * The pages, by file name.
 *
 * @returns {ReadonlyMap<string, string>}
 */
export function reference(idl) {
  const accounts = new Set(idl.accounts.map(({ name }) => name));
  const events = new Set(idl.events.map(({ name }) => name));
  const named = new Set([...accounts, ...events]);
  const link = (name) => {
    const type = idl.types.find((one) => one.name === name);
    if (!type) return null;
    const page = accounts.has(name) ? "accounts" : events.has(name) ? "events" : "types";
    return `[${name}](${page}.md${anchor(name)})`;
  };
  const page = (title, about, sections) =>
    [`# ${title}`, GENERATED, about, ...sections.flat()].filter(Boolean).join("\n\n") + "\n";
  return new Map([
    [
      "instructions.md",
      page(
        "Instructions",
        "Amounts are base units of the task's mint, times are slots, shares are basis points.",
        instructions(idl, link),
      ),
    ],
    [
      "accounts.md",
      page(
        "Accounts",
        "Fields lie one after the other in this order, without gaps, behind the eight bytes of the discriminator; numbers are little-endian.",
        records(idl, "accounts", link),
      ),
    ],
    [
      "events.md",
      page(
        "Events",
        "In the log of the transaction, as `Program data`.",
        records(idl, "events", link),
      ),
    ],
    ["errors.md", page("Errors", "", errors(idl))],
    [
      "types.md",
      page(
        "Types",
        "What accounts, events and arguments are made of.",
        otherTypes(idl, link, named),
      ),
    ],
  ]);
}
