import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { Keypair, PublicKey } from "@solana/web3.js";
import { UsageError } from "./failures";
import { expand } from "./solana-config";

/** Reads a keypair file of the Solana CLI. Errors name the file and never show what is in it. */
export function readKeypair(path: string, whose: string): Keypair {
  const full = expand(path);
  if (/^(usb|prompt|ask):/i.test(path)) {
    throw new UsageError(
      `The ${whose} is ${path}, and only keypair files can sign here. Give the path of one.`,
    );
  }
  let text: string;
  try {
    text = readFileSync(full, "utf8");
  } catch {
    throw new UsageError(
      `The ${whose} ${full} can't be read. Give the path of a keypair file, or make one: securing-tasks key create ${full}`,
    );
  }
  try {
    const bytes: unknown = JSON.parse(text);
    return Keypair.fromSecretKey(Uint8Array.from(bytes as number[]));
  } catch {
    throw new UsageError(
      `${full} is no keypair: it must be a JSON list of 64 bytes. Make one: securing-tasks key create NEW_FILE`,
    );
  }
}

/** Makes a key and writes it as the Solana CLI does, readable by its owner alone. Never over a file that is there. */
export function createKeypair(path: string): Keypair {
  const full = expand(path);
  const key = Keypair.generate();
  try {
    mkdirSync(dirname(full), { recursive: true, mode: 0o700 });
    writeFileSync(full, JSON.stringify([...key.secretKey]), { mode: 0o600, flag: "wx" });
  } catch (error) {
    const { code, message } = error as { code?: unknown; message?: unknown };
    throw new UsageError(
      code === "EEXIST"
        ? `${full} is there already, and a key that is written over is lost for ever. Choose another name.`
        : `${full} can't be written: ${String(message)}. Choose another place.`,
    );
  }
  return key;
}

/** An address in base58, or that of a keypair file. */
export function readAddress(text: string, what: string): PublicKey {
  const found = addressOf(text);
  if (found) return found;
  if (existsSync(expand(text))) return readKeypair(text, what).publicKey;
  throw new UsageError(
    `"${text}" is no ${what}: it is neither an address in base58 nor a keypair file.`,
  );
}

/** Null for what is no address. */
export function addressOf(text: string): PublicKey | null {
  try {
    return new PublicKey(text);
  } catch {
    return null;
  }
}
