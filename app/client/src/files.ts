import { link, mkdir, open, readFile, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { bytesToHex, hexToBytes, randomBytes } from "@noble/hashes/utils";
import { PublicKey } from "@solana/web3.js";
import type { SaltStore, VoteSecret } from "./salts";
import { nameOf } from "./salts";
import type { Opinion } from "./types";
import { OPINIONS } from "./types";

/**
 * Keeps secrets in a folder, one JSON file each, readable by their owner alone. A file is written beside its place, flushed, and put
 * there in one step, never over another: neither a crash nor a second process can lose a salt.
 */
export class FileSaltStore implements SaltStore {
  constructor(private readonly folder: string) {}

  async keep(secret: VoteSecret): Promise<VoteSecret> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const path = this.path(secret.audit, secret.voter, secret.opinion);
    const draft = `${path}.${bytesToHex(randomBytes(6))}.tmp`;
    try {
      const file = await open(draft, "wx", 0o600);
      try {
        await file.writeFile(toJson(secret));
        await file.sync();
      } finally {
        await file.close();
      }
      await link(draft, path);
      await this.flushFolder();
      return secret;
    } catch (error) {
      if (codeOf(error) === "EEXIST") return await this.read(path);
      throw error;
    } finally {
      await rm(draft, { force: true });
    }
  }

  async find(audit: PublicKey, voter: PublicKey): Promise<readonly VoteSecret[]> {
    const names = await readdir(this.folder).catch((error: unknown): string[] => {
      if (codeOf(error) === "ENOENT") return [];
      throw error;
    });
    const wanted = OPINIONS.map((opinion) => `${nameOf(audit, voter, opinion)}.json`);
    return Promise.all(
      wanted
        .filter((name) => names.includes(name))
        .map((name) => this.read(join(this.folder, name))),
    );
  }

  async forget(audit: PublicKey, voter: PublicKey): Promise<void> {
    for (const opinion of OPINIONS) await rm(this.path(audit, voter, opinion), { force: true });
  }

  private path(audit: PublicKey, voter: PublicKey, opinion: Opinion): string {
    return join(this.folder, `${nameOf(audit, voter, opinion)}.json`);
  }

  private async read(path: string): Promise<VoteSecret> {
    return fromJson(await readFile(path, "utf8"), path);
  }

  /** Without this, a new name may be lost in a power cut. */
  private async flushFolder(): Promise<void> {
    const folder = await open(this.folder, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}

function toJson({ audit, voter, opinion, salt }: VoteSecret): string {
  return `${JSON.stringify(
    {
      audit: audit.toBase58(),
      voter: voter.toBase58(),
      opinion,
      salt: bytesToHex(salt),
    },
    null,
    2,
  )}\n`;
}

function fromJson(text: string, path: string): VoteSecret {
  try {
    const read = JSON.parse(text) as Record<"audit" | "voter" | "opinion" | "salt", string>;
    const opinion = OPINIONS.find((one) => one === read.opinion);
    const salt = hexToBytes(read.salt);
    if (!opinion || salt.length !== 32) throw new Error("It lacks a verdict or 32 bytes of salt.");
    return { audit: new PublicKey(read.audit), voter: new PublicKey(read.voter), opinion, salt };
  } catch (error) {
    throw new Error(
      `${path} is not a vote's secret. Restore it from a copy before the reveal window ends.`,
      { cause: error },
    );
  }
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null)?.code;
}
