import { createHash, randomBytes } from "node:crypto";
import { link, mkdir, open, readFile, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { PublicKey } from "@solana/web3.js";
import { must } from "./arguments";
import { PROGRAM_ID } from "./pda";
import type { Opinion } from "./types";
import { OPINIONS } from "./types";

/** What opens a committed vote. Whoever knows it before the reveal window knows the vote. */
export interface VoteSecret {
  readonly audit: PublicKey;
  /** Owner of the voting node. */
  readonly voter: PublicKey;
  readonly opinion: Opinion;
  /** 32 random bytes. */
  readonly salt: Uint8Array;
}

/** Where this client keeps the secrets of committed votes, from before the commitment is sent until the vote is revealed. */
export interface SaltStore {
  /**
   * Keeps a secret for good before it returns. Where one is kept for the same audit, voter and opinion, that one stays
   * and is returned: its commitment may be on its way.
   */
  keep(secret: VoteSecret): Promise<VoteSecret>;
  /** All secrets of one voter in one audit; more than one where it tried to commit to several opinions. */
  find(audit: PublicKey, voter: PublicKey): Promise<readonly VoteSecret[]>;
  /** Forgets them, once the vote is revealed. */
  forget(audit: PublicKey, voter: PublicKey): Promise<void>;
}

const TAG = Buffer.from("securing-tasks:vote:v1");

/** What a voter commits to: SHA-256 of tag, program, audit, voter, verdict and salt. */
export function voteCommitment(secret: VoteSecret, program = PROGRAM_ID): Uint8Array {
  const { audit, voter } = secret;
  const salt = must.hash("voteCommitment", "salt", secret.salt);
  const opinion = must.word(OPINIONS, "voteCommitment", "opinion", secret.opinion);
  const hash = createHash("sha256")
    .update(TAG)
    .update(program.toBuffer())
    .update(audit.toBuffer())
    .update(voter.toBuffer())
    .update(Buffer.from([OPINIONS.indexOf(opinion)]))
    .update(salt);
  return Uint8Array.from(hash.digest());
}

/** A new secret for a vote. */
export function voteSecret(audit: PublicKey, voter: PublicKey, opinion: Opinion): VoteSecret {
  return { audit, voter, opinion, salt: Uint8Array.from(randomBytes(32)) };
}

/** Keeps secrets as long as this process runs: a vote that is not revealed by then loses its deposit. */
export class MemorySaltStore implements SaltStore {
  private readonly secrets = new Map<string, VoteSecret>();

  keep(secret: VoteSecret): Promise<VoteSecret> {
    const name = nameOf(secret.audit, secret.voter, secret.opinion);
    const kept = this.secrets.get(name) ?? secret;
    this.secrets.set(name, kept);
    return Promise.resolve(kept);
  }

  find(audit: PublicKey, voter: PublicKey): Promise<readonly VoteSecret[]> {
    const found = OPINIONS.map((opinion) => this.secrets.get(nameOf(audit, voter, opinion)));
    return Promise.resolve(found.filter((secret) => secret !== undefined));
  }

  forget(audit: PublicKey, voter: PublicKey): Promise<void> {
    for (const opinion of OPINIONS) this.secrets.delete(nameOf(audit, voter, opinion));
    return Promise.resolve();
  }
}

/**
 * Keeps secrets in a folder, one JSON file each, readable by their owner alone. A file is written beside its place, flushed, and put
 * there in one step, never over another: neither a crash nor a second process can lose a salt.
 */
export class FileSaltStore implements SaltStore {
  constructor(private readonly folder: string) {}

  async keep(secret: VoteSecret): Promise<VoteSecret> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const path = this.path(secret.audit, secret.voter, secret.opinion);
    const draft = `${path}.${randomBytes(6).toString("hex")}.tmp`;
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

function nameOf(audit: PublicKey, voter: PublicKey, opinion: Opinion): string {
  return `${audit.toBase58()}-${voter.toBase58()}-${opinion}`;
}

function toJson({ audit, voter, opinion, salt }: VoteSecret): string {
  return `${JSON.stringify(
    {
      audit: audit.toBase58(),
      voter: voter.toBase58(),
      opinion,
      salt: Buffer.from(salt).toString("hex"),
    },
    null,
    2,
  )}\n`;
}

function fromJson(text: string, path: string): VoteSecret {
  try {
    const read = JSON.parse(text) as Record<"audit" | "voter" | "opinion" | "salt", string>;
    const opinion = OPINIONS.find((one) => one === read.opinion);
    const salt = Uint8Array.from(Buffer.from(read.salt, "hex"));
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
