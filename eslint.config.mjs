import js from "@eslint/js";
import prettier from "eslint-config-prettier";
import globals from "globals";
import { builtinModules } from "node:module";
import tseslint from "typescript-eslint";

const NO_HOST = "The core knows no Node.js and no host: have it given by an interface.";

export default tseslint.config(
  // The generated types follow the generator, not us; a test keeps them fresh.
  {
    ignores: [
      "**/dist/**",
      "**/node_modules/**",
      ".toolchain/**",
      "target/**",
      "app/client/src/idl/**",
    ],
  },
  js.configs.recommended,
  { languageOptions: { globals: globals.node } },
  {
    files: ["**/*.ts"],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: {
        project: ["app/*/tsconfig.json", "tests/tsconfig.json"],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      // Slots, codes and lamports belong in messages as they are.
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowBoolean: true },
      ],
    },
  },
  {
    // What decides runs in a browser too: what it needs of the machine it is given by its host.
    files: ["app/*/src/core/**/*.ts", "app/client/src/**/*.ts"],
    ignores: ["app/client/src/{embedded,files,localnet}.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          paths: [...builtinModules, "@securing-tasks/sandbox"].map((name) => ({
            name,
            message: NO_HOST,
          })),
          patterns: [
            { group: ["node:*", "**/host/*"], message: NO_HOST },
            {
              group: [
                ...["pino", "prom-client", "libsql", "ws", "fastify", "undici", "yaml"],
                ...["embedded", "files", "localnet"].map(
                  (name) => `@securing-tasks/client/${name}`,
                ),
              ],
              message: NO_HOST,
            },
          ],
        },
      ],
      "no-restricted-globals": [
        "error",
        ...[
          "process",
          "global",
          "require",
          "module",
          "__dirname",
          "__filename",
          "setImmediate",
        ].map((name) => ({ name, message: NO_HOST })),
      ],
    },
  },
  {
    // chai's `expect(x).to.be.true` is an expression on purpose.
    files: ["**/*.test.ts"],
    rules: { "@typescript-eslint/no-unused-expressions": "off" },
  },
  prettier,
);
