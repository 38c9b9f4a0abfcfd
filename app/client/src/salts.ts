import { ed25519 } from "@noble/curves/ed25519";
import { equalBytes } from "@noble/curves/utils";
import { hmac } from "@noble/hashes/hmac";
import { sha256 } from "@noble/hashes/sha2";
import { concatBytes, randomBytes, utf8ToBytes } from "@noble/hashes/utils";
import type { Keypair, PublicKey } from "@solana/web3.js";
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

const TAG = utf8ToBytes("securing-tasks:vote:v1");

/** What a voter commits to: SHA-256 of tag, program, audit, voter, verdict and salt. */
export function voteCommitment(secret: VoteSecret, program = PROGRAM_ID): Uint8Array {
  const { audit, voter } = secret;
  const salt = must.hash("voteCommitment", "salt", secret.salt);
  const opinion = must.word(OPINIONS, "voteCommitment", "opinion", secret.opinion);
  const code = Uint8Array.of(OPINIONS.indexOf(opinion));
  return sha256(concatBytes(TAG, program.toBytes(), audit.toBytes(), voter.toBytes(), code, salt));
}

/** A new secret for a vote. */
export function voteSecret(audit: PublicKey, voter: PublicKey, opinion: Opinion): VoteSecret {
  return { audit, voter, opinion, salt: randomBytes(32) };
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
  const signature = await signMessage(utf8ToBytes(SALT_TEXT));
  if (!(signature instanceof Uint8Array) || signature.length !== 64) {
    throw new TypeError(
      "The wallet gave no ed25519 signature of 64 bytes. Use one that signs messages for Solana.",
    );
  }
  return sha256(signature);
}

/** Signs messages with a keypair, as {@link deriveSaltKey} asks. */
export function keypairSigner({
  secretKey,
}: Pick<Keypair, "secretKey">): (message: Uint8Array) => Promise<Uint8Array> {
  const seed = secretKey.slice(0, 32);
  return (message) => Promise.resolve(ed25519.sign(message, seed));
}

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
  return keyed("saltOf", key, audit.toBytes(), voter.toBytes(), Uint8Array.of(code));
}

/** The secret of the panel that an accusation draws: HMAC-SHA-256 of "draw" and the audit's address. Its SHA-256 goes with the accusation. */
export function drawSecretOf(key: Uint8Array, audit: PublicKey): Uint8Array {
  return keyed("drawSecretOf", key, utf8ToBytes("draw"), audit.toBytes());
}

/** What is hashed has one length for each use. */
function keyed(method: string, key: Uint8Array, ...parts: Uint8Array[]): Uint8Array {
  return hmac(sha256, must.hash(method, "key", key), concatBytes(...parts));
}

/** The secret that a commitment was made of; null where it is none of these. */
export function secretOf(
  commitment: Uint8Array | null,
  secrets: readonly VoteSecret[],
  program = PROGRAM_ID,
): VoteSecret | null {
  if (commitment === null) return null;
  return secrets.find((one) => equalBytes(voteCommitment(one, program), commitment)) ?? null;
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
      ({ salt }) => !kept.some((one) => equalBytes(one.salt, salt)),
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

/** Of a secret, among those of one store. */
export function nameOf(audit: PublicKey, voter: PublicKey, opinion: Opinion): string {
  return `${audit.toBase58()}-${voter.toBase58()}-${opinion}`;
}
