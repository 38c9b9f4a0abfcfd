import { createHash, createHmac, createPrivateKey, randomBytes, sign } from "node:crypto";
import { link, mkdir, open, readFile, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Keypair } from "@solana/web3.js";
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
  /** 32 bytes, {@link saltOf}'s or random. */
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

/**
 * What an operator signs, once, for the key that its salts and its panels' secrets come from. Never change it: another text is another key.
 *
 * No transaction begins like this: its first byte would ask for 83 signatures.
 */
export const SALT_TEXT =
  "Securing Tasks, version 1: this signature is the key of my secret votes and of the panels that I draw. " +
  "Whoever has it can read my votes before they are revealed. I give it to my own programs alone.";

/**
 * The key of an operator's salts: SHA-256 of its ed25519 signature of {@link SALT_TEXT}. Signed again, it is the same again, so the operator's
 * key alone restores every salt. It is as secret as a salt.
 *
 * @param signMessage A wallet's, or {@link keypairSigner}'s. A wallet that signs one text in several ways (some that share a key among
 * machines) makes another key each time: with it, only what a {@link SaltStore} keeps can be revealed.
 */
export async function deriveSaltKey(
  signMessage: (message: Uint8Array) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  const signature = await signMessage(Uint8Array.from(Buffer.from(SALT_TEXT, "utf8")));
  if (!(signature instanceof Uint8Array) || signature.length !== 64) {
    throw new TypeError(
      "The wallet gave no ed25519 signature of 64 bytes. Use one that signs messages for Solana.",
    );
  }
  return Uint8Array.from(createHash("sha256").update(signature).digest());
}

/** Signs messages with a keypair, as {@link deriveSaltKey} asks. */
export function keypairSigner({
  secretKey,
}: Pick<Keypair, "secretKey">): (message: Uint8Array) => Promise<Uint8Array> {
  const key = createPrivateKey({
    key: Buffer.concat([PKCS8, secretKey.subarray(0, 32)]),
    format: "der",
    type: "pkcs8",
  });
  return (message) => Promise.resolve(Uint8Array.from(sign(null, message, key)));
}

/** What comes before the 32 bytes of an ed25519 secret key in its DER encoding (RFC 8410). */
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");

/**
 * The salt of a vote: HMAC-SHA-256 of audit, voter and opinion. One for each opinion: a vote that is revealed says nothing of another.
 *
 * Attack: an operator of two nodes reveals one's vote, or hands it to a keeper; with the same salt for both, the other's that is still
 * secret, as after an appeal, could be found by trying.
 */
export function saltOf(
  key: Uint8Array,
  audit: PublicKey,
  voter: PublicKey,
  opinion: Opinion,
): Uint8Array {
  const code = OPINIONS.indexOf(must.word(OPINIONS, "saltOf", "opinion", opinion));
  return hmac("saltOf", key, audit.toBuffer(), voter.toBuffer(), Buffer.of(code));
}

/** The secret of the panel that an accusation draws: HMAC-SHA-256 of "draw" and the audit's address. Its SHA-256 goes with the accusation. */
export function drawSecretOf(key: Uint8Array, audit: PublicKey): Uint8Array {
  return hmac("drawSecretOf", key, Buffer.from("draw"), audit.toBuffer());
}

/** What is hashed has one length for each use. */
function hmac(method: string, key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const made = createHmac("sha256", must.hash(method, "key", key));
  for (const part of parts) made.update(part);
  return Uint8Array.from(made.digest());
}

/** The secret that a commitment was made of; null where it is none of these. */
export function secretOf(
  commitment: Uint8Array | null,
  secrets: readonly VoteSecret[],
  program = PROGRAM_ID,
): VoteSecret | null {
  if (commitment === null) return null;
  return (
    secrets.find((one) => Buffer.from(voteCommitment(one, program)).equals(commitment)) ?? null
  );
}

/**
 * Salts that follow from an operator's key, beside a store. What the store keeps wins: salts from before there was such a key still open their
 * votes. What it lost is derived again.
 */
export class DerivedSaltStore implements SaltStore {
  /** @param key {@link deriveSaltKey}'s. */
  constructor(
    private readonly key: Uint8Array,
    private readonly kept: SaltStore = new MemorySaltStore(),
  ) {
    must.hash("DerivedSaltStore", "key", key);
  }

  /** The salt that it is given gives way to the derived one. */
  keep({ audit, voter, opinion }: VoteSecret): Promise<VoteSecret> {
    return this.kept.keep(this.derived(audit, voter, opinion));
  }

  /** For every opinion what is kept, and what is derived: another process may have committed with that. */
  async find(audit: PublicKey, voter: PublicKey): Promise<readonly VoteSecret[]> {
    const kept = await this.kept.find(audit, voter);
    const derived = OPINIONS.map((opinion) => this.derived(audit, voter, opinion)).filter(
      ({ salt }) => !kept.some((one) => Buffer.from(one.salt).equals(salt)),
    );
    return [...kept, ...derived];
  }

  forget(audit: PublicKey, voter: PublicKey): Promise<void> {
    return this.kept.forget(audit, voter);
  }

  private derived(audit: PublicKey, voter: PublicKey, opinion: Opinion): VoteSecret {
    return { audit, voter, opinion, salt: saltOf(this.key, audit, voter, opinion) };
  }
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
