import { readFileSync } from "node:fs";
import { Keypair } from "@solana/web3.js";

/** Reads a keypair file of the Solana CLI. Errors name the file and never show what is in it. */
export function readKeypair(path: string, whose: string): Keypair {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    throw new Error(
      `The ${whose}'s key ${path} can't be read. Give the path of a keypair file, as \`solana-keygen new\` makes one.`,
    );
  }
  try {
    const bytes: unknown = JSON.parse(text);
    return Keypair.fromSecretKey(Uint8Array.from(bytes as number[]));
  } catch {
    throw new Error(
      `${path} is no keypair: it must be a JSON list of 64 bytes, as \`solana-keygen new\` makes one.`,
    );
  }
}
