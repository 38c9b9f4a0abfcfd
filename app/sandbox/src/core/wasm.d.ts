/** What is used here of the one global of Node.js that its types leave to those of browsers. */
declare namespace WebAssembly {
  type Module = object;
  function compile(bytes: Uint8Array): Promise<Module>;
  interface Memory {
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  const Memory: new (pages: { initial: number; maximum: number }) => Memory;
  type Imports = Record<string, Record<string, unknown>>;
  type Exports = object;
  interface Instance {
    readonly exports: Exports;
  }
  function instantiate(module: Module, imports: Imports): Promise<Instance>;
}
