/** The templates by name. */
export const TEMPLATES = ["rest", "bridge-vault", "storage", "vrf"] as const;
export type TemplateName = (typeof TEMPLATES)[number];

/** A template's two files, bundled. */
export interface Template {
  readonly name: TemplateName;
  /** Paths of the bundled ES modules. */
  readonly audit: string;
  readonly work: string;
}

/** Where a template's bundles are. They are made by `npm run templates`. */
export function template(name: TemplateName): Template {
  throw new Error(`not built yet: ${name}`);
}
