export * from "./chain";
export * from "./tokens";
