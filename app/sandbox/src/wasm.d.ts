/** What is used here of the one global of Node.js that its types leave to those of browsers. */
declare namespace WebAssembly {
  type Module = object;
  function compile(bytes: Uint8Array): Promise<Module>;
  type Memory = object;
  const Memory: new (pages: { initial: number; maximum: number }) => Memory;
}
