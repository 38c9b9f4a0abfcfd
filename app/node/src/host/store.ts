import { mkdirSync } from "node:fs";
import { join } from "node:path";
import Database from "libsql";
import type { Opinion, SaltStore, SealedReveal, VoteSecret } from "@securing-tasks/client";
import { OPINIONS } from "@securing-tasks/client";
import { PublicKey } from "@solana/web3.js";
import type { Outbox } from "../core/sender";
import type {
  Check,
  Judgement,
  KeptEvidence,
  KeptRecording,
  Letter,
  OwnAccusation,
  State,
  Submitted,
  Told,
  Work,
} from "../core/state";

/** For so many slots a signature is known for this state's own: longer than anybody looks back. */
const SENT_SLOTS = 450_000;

/** Each entry brings the tables from the version of its index to the next. Never change one that was released. */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE identity (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
   CREATE TABLE cursor (slot INTEGER NOT NULL) STRICT;
   INSERT INTO cursor VALUES (0);
   CREATE TABLE works (
     round INTEGER PRIMARY KEY, hash TEXT NOT NULL, uri TEXT NOT NULL, payload BLOB NOT NULL
   ) STRICT;
   CREATE INDEX works_by_hash ON works (hash);
   CREATE TABLE opinions (audit TEXT PRIMARY KEY, opinion TEXT, reason TEXT NOT NULL) STRICT;
   CREATE TABLE checks (
     submission TEXT PRIMARY KEY, opinion TEXT, reason TEXT NOT NULL
   ) STRICT;
   CREATE TABLE accusations (audit TEXT PRIMARY KEY, submission TEXT NOT NULL) STRICT;
   CREATE TABLE sampled (round INTEGER PRIMARY KEY, owners TEXT NOT NULL) STRICT;
   CREATE TABLE salts (
     audit TEXT NOT NULL, voter TEXT NOT NULL, opinion TEXT NOT NULL, salt BLOB NOT NULL,
     PRIMARY KEY (audit, voter, opinion)
   ) STRICT;
   CREATE TABLE outbox (
     key TEXT PRIMARY KEY, signature TEXT NOT NULL, blockhash TEXT NOT NULL,
     last_valid_block_height INTEGER NOT NULL, min_slot INTEGER NOT NULL, raw BLOB NOT NULL
   ) STRICT;`,
  `ALTER TABLE checks ADD COLUMN slot INTEGER NOT NULL DEFAULT 0;`,
  `ALTER TABLE checks ADD COLUMN evidence INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE opinions ADD COLUMN evidence INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE works ADD COLUMN seed TEXT;
   ALTER TABLE works ADD COLUMN submission TEXT;
   ALTER TABLE works ADD COLUMN slot INTEGER;
   CREATE TABLE evidence (
     hash TEXT PRIMARY KEY, submission TEXT NOT NULL, case_end INTEGER NOT NULL, content TEXT NOT NULL
   ) STRICT;
   CREATE INDEX evidence_of ON evidence (submission);`,
  `ALTER TABLE accusations ADD COLUMN accusation TEXT NOT NULL DEFAULT 'malice';
   ALTER TABLE accusations ADD COLUMN outcome TEXT NOT NULL DEFAULT 'open';
   ALTER TABLE accusations ADD COLUMN end_slot INTEGER NOT NULL DEFAULT 0;`,
  `ALTER TABLE evidence ADD COLUMN slot INTEGER NOT NULL DEFAULT 0;
   CREATE TABLE told (
     hash TEXT NOT NULL, submission TEXT NOT NULL, sender TEXT NOT NULL, weight TEXT NOT NULL,
     case_end INTEGER NOT NULL, content TEXT NOT NULL, PRIMARY KEY (hash, sender)
   ) STRICT;
   CREATE INDEX told_of ON told (submission);
   CREATE TABLE handed (submission TEXT PRIMARY KEY, workers INTEGER NOT NULL) STRICT;`,
  // Where payloads are served may change before one is submitted.
  `ALTER TABLE works DROP COLUMN uri;`,
  // By a trigger, so that a letter is never kept without it.
  `CREATE TABLE sent (signature TEXT PRIMARY KEY, slot INTEGER NOT NULL) STRICT;
   CREATE INDEX sent_by_slot ON sent (slot);
   INSERT INTO sent SELECT signature, min_slot FROM outbox;
   CREATE TRIGGER remember AFTER INSERT ON outbox BEGIN
     INSERT INTO sent SELECT NEW.signature, NEW.min_slot
       WHERE NOT EXISTS (SELECT 1 FROM sent WHERE signature = NEW.signature);
     DELETE FROM sent WHERE slot < NEW.min_slot - ${SENT_SLOTS};
   END;`,
  `CREATE TABLE kept_reveals (
     audit TEXT NOT NULL, voter TEXT NOT NULL, sealed TEXT NOT NULL, end_slot INTEGER NOT NULL,
     PRIMARY KEY (audit, voter)
   ) STRICT;
   CREATE TABLE paid_reveals (slot INTEGER NOT NULL) STRICT;
   CREATE TABLE entrusted (
     audit TEXT NOT NULL, keeper TEXT NOT NULL, PRIMARY KEY (audit, keeper)
   ) STRICT;`,
  `CREATE TABLE recordings (
     hash TEXT PRIMARY KEY, submission TEXT NOT NULL, opinion TEXT NOT NULL, case_end INTEGER NOT NULL,
     content TEXT NOT NULL, public INTEGER NOT NULL DEFAULT 0
   ) STRICT;
   CREATE INDEX recordings_of ON recordings (submission, opinion);`,
  // Letters at a higher price had the name of the first with a number. By triggers, so that no letter is without its keys.
  `ALTER TABLE outbox ADD COLUMN keys TEXT NOT NULL DEFAULT '[]';
   UPDATE outbox SET keys = json_array(
     CASE WHEN key GLOB '* ([2-6])' THEN substr(key, 1, length(key) - 4) ELSE key END);
   CREATE TABLE carried (
     key TEXT NOT NULL, letter TEXT NOT NULL, PRIMARY KEY (key, letter)
   ) STRICT;
   INSERT INTO carried SELECT value, outbox.key FROM outbox, json_each(outbox.keys);
   CREATE TRIGGER carry AFTER INSERT ON outbox BEGIN
     INSERT INTO carried SELECT value, NEW.key FROM json_each(NEW.keys);
   END;
   CREATE TRIGGER put_down AFTER DELETE ON outbox BEGIN
     DELETE FROM carried WHERE letter = OLD.key;
   END;`,
];

/** Pieces of evidence that are kept of one submission: one is enough. */
const MOST_OF_ONE = 4;
/** Pieces that are kept in all, of 64 KiB at most. */
const MOST_EVIDENCE = 500;
/** Audits whose opinions are looked at again. */
const MOST_JUDGED = 100;
/** Recorded runs that are kept, of 4 MiB at most. */
const MOST_RECORDINGS = 32;
/** Pieces that are kept unjudged, of one who brought them, of one submission, and in all. */
const MOST_OF_SENDER = 2;
const MOST_TOLD_OF_ONE = 24;
const MOST_TOLD = 500;

/** Entry of the identity: the address of the node, once it was seen. */
const JOINED = "node";

/** Who a state belongs to, by what people call it. */
export type Identity = Readonly<Record<string, string>>;

/** The state can't be read or written. The message names the file and the way out. */
export class StateError extends Error {
  override readonly name = "StateError";

  /** @param damaged Whether no waiting mends it. */
  constructor(
    message: string,
    readonly damaged: boolean,
    cause?: unknown,
  ) {
    super(message, { cause });
  }
}

const DAMAGED = /^SQLITE_(CORRUPT|NOTADB)/;

function stateError(file: string, error: unknown): unknown {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  if (typeof code !== "string" || !code.startsWith("SQLITE_")) return error;
  const why = String(message);
  if (DAMAGED.test(code)) return damaged(file, why, error);
  const text = `The state ${file} can't be read or written: ${why} (${code}). Free space on its disk, and see that this user may write there.`;
  return new StateError(text, false, error);
}

function damaged(file: string, why: string, cause?: unknown): StateError {
  return new StateError(
    `The state ${file} is damaged: ${why}. Stop the daemon, move ${file} and ${file}-wal to another folder, put a copy from before in their place if there is one, and start again. ` +
      "Without a copy the daemon reads from the chain what that knows, and derives the salts of its votes from the operator's key. Those that another key or a version without derived salts made are in the state alone: while such windows are open, `sqlite3 DAMAGED .recover` may get them back.",
    true,
    cause,
  );
}

/** Answers that are kept in memory of one kind. */
const MOST_KNOWN = 10_000;

/**
 * What was read of the file, by a name, until it is written to: nobody else writes there, and each plan asks for the same of every piece
 * of work.
 */
class Known<T> {
  private readonly answers = new Map<string, T>();

  get(name: string, read: () => T): T {
    const known = this.answers.get(name);
    if (known !== undefined) return known;
    const found = read();
    if (this.answers.size >= MOST_KNOWN) this.answers.clear();
    this.answers.set(name, found);
    return found;
  }

  forget(name: string): void {
    this.answers.delete(name);
  }

  clear(): void {
    this.answers.clear();
  }
}

/**
 * What a daemon must not forget, in one SQLite file. Every write is on disk when the method returns, but for what the node would find out
 * again ({@link keepCheck} and {@link keepSample}): a power cut may take that, the end of the process does not. The folder is locked as
 * long as it is open: two daemons on one folder would each think that they alone send.
 */
export class Store implements State, Outbox {
  private readonly samples = new Known<readonly string[] | null>();
  private readonly opinions = new Known<Judgement | null>();
  private readonly checks = new Known<Check | null>();
  private readonly evidenceSlots = new Known<bigint | null>();
  private readonly handovers = new Known<number | null>();
  private readonly ownAccusations = new Known<readonly OwnAccusation[]>();
  private readonly db: Database.Database;
  private readonly lock: Database.Database;
  private readonly file: string;

  /**
   * Opens or makes the state in a folder, and checks all of it. Throws when another process has it open, a newer version wrote it, or it is
   * damaged.
   */
  constructor(folder: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const lockFile = join(folder, "lock.db");
    this.lock = new Database(lockFile);
    try {
      // An empty file would be written to by what follows, each time, and a full disk has no room for that.
      const [kept] = this.lock.pragma("user_version") as { user_version: number }[];
      if (kept?.user_version === 0) this.lock.pragma("user_version = 1");
      // The system gives it back when the process ends, however it ends.
      this.lock.exec("BEGIN EXCLUSIVE");
    } catch (error) {
      this.lock.close();
      if ((error as { code?: unknown }).code !== "SQLITE_BUSY") throw stateError(lockFile, error);
      throw new Error(
        `The state folder ${folder} is in use by another process. Stop that one, or give this one a \`state\` of its own.`,
        { cause: error },
      );
    }
    this.file = join(folder, "state.db");
    try {
      this.db = openDatabase(this.file);
    } catch (error) {
      this.unlock();
      throw stateError(this.file, error);
    }
    try {
      this.inspect(this.file);
      this.migrate(this.file);
    } catch (error) {
      this.close();
      throw stateError(this.file, error);
    }
  }

  private inspect(file: string): void {
    const found = this.row<{ quick_check: string }>("PRAGMA quick_check(1)");
    if (found?.quick_check !== "ok")
      throw damaged(file, (found?.quick_check ?? "no answer").replace(/\s+/g, " "));
  }

  private migrate(file: string): void {
    const version = Number(this.row<{ user_version: number }>("PRAGMA user_version")?.user_version);
    if (version > MIGRATIONS.length) {
      throw new Error(
        `${file} was written by a newer version (${version}; this one knows ${MIGRATIONS.length}). Update this program.`,
      );
    }
    // The same again would be a write, and a full disk would keep a daemon from its reveals.
    if (version === MIGRATIONS.length) return;
    this.db.exec("BEGIN EXCLUSIVE");
    for (const script of MIGRATIONS.slice(version)) this.db.exec(script);
    this.db.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
    this.db.exec("COMMIT");
  }

  close(): void {
    if (!this.lock.open) return;
    this.db.close();
    this.unlock();
  }

  private unlock(): void {
    // Closing alone would wait for the collector of garbage.
    this.lock.exec("ROLLBACK");
    this.lock.close();
  }

  /** Throws when this state belongs to somebody else. */
  requireIdentity(identity: Identity, folder: string): void {
    for (const [name, value] of Object.entries(identity)) {
      const kept = this.row<{ value: string }>("SELECT value FROM identity WHERE name = ?", name);
      if (kept && kept.value !== value) {
        throw new Error(
          `The state folder ${folder} belongs to another ${name}: ${kept.value}, not ${value}. Give each daemon a \`state\` of its own.`,
        );
      }
    }
  }

  /** Keeps who this state belongs to from now on. */
  keepIdentity(identity: Identity): void {
    for (const [name, value] of Object.entries(identity)) {
      this.run("INSERT OR IGNORE INTO identity VALUES (?, ?)", name, value);
    }
  }

  /** Notes that the node was on the chain. */
  keepJoined(node: string): void {
    this.keepIdentity({ [JOINED]: node });
  }

  /** Whether the node was ever seen on the chain. */
  hasJoined(): boolean {
    return this.row("SELECT value FROM identity WHERE name = ?", JOINED) !== null;
  }

  /** Newest slot whose confirmed accounts this node has acted on, as far as it was kept. */
  cursor(): bigint {
    return BigInt(this.row<{ slot: number }>("SELECT slot FROM cursor")?.slot ?? 0);
  }

  moveCursor(slot: bigint): void {
    this.run("UPDATE cursor SET slot = ?", Number(slot));
  }

  keepWork(work: Work, seed: string | null = null): Work {
    this.run(
      "INSERT OR IGNORE INTO works (round, hash, payload, seed) VALUES (?, ?, ?, ?)",
      Number(work.round),
      work.hash,
      Buffer.from(work.payload),
      seed,
    );
    return this.work(work.round) ?? work;
  }

  restoreWork(
    { round, hash, payload }: Work,
    seed: string,
    submission: string,
    slot: bigint,
  ): void {
    this.run(
      "INSERT OR REPLACE INTO works (round, hash, payload, seed, submission, slot) VALUES (?, ?, ?, ?, ?, ?)",
      Number(round),
      hash,
      Buffer.from(payload),
      seed,
      submission,
      Number(slot),
    );
  }

  keepSubmitted(round: bigint, hash: string, submission: string, slot: bigint): void {
    this.run(
      "UPDATE works SET submission = ?, slot = ? WHERE round = ? AND hash = ?",
      submission,
      Number(slot),
      Number(round),
      hash,
    );
  }

  submitted(submission: string | null): Submitted | null {
    const row = this.row<{
      round: number;
      hash: string;
      payload: Blob;
      submission: string;
      slot: number;
      seed: string;
    }>(
      `SELECT round, hash, payload, submission, slot, seed FROM works
       WHERE seed IS NOT NULL AND submission = COALESCE(NULLIF(?, ''), submission)
       ORDER BY round DESC LIMIT 1`,
      // The library takes no null alone.
      submission ?? "",
    );
    return (
      row && {
        round: BigInt(row.round),
        hash: row.hash,
        payload: bytes(row.payload),
        submission: row.submission,
        slot: BigInt(row.slot),
        seed: row.seed,
      }
    );
  }

  work(round: bigint): Work | null {
    const row = this.row<{ hash: string; payload: Blob }>(
      "SELECT hash, payload FROM works WHERE round = ?",
      Number(round),
    );
    return row && { round, hash: row.hash, payload: bytes(row.payload) };
  }

  workHash(round: bigint): string | null {
    const sql = "SELECT hash FROM works WHERE round = ?";
    return this.row<{ hash: string }>(sql, Number(round))?.hash ?? null;
  }

  forgetWorks(before: bigint): void {
    this.run("DELETE FROM works WHERE round < ?", Number(before));
  }

  payload(hash: string): Uint8Array | null {
    const row = this.row<{ payload: Blob }>(
      "SELECT payload FROM works WHERE hash = ? LIMIT 1",
      hash,
    );
    return row && bytes(row.payload);
  }

  keepOpinion(audit: string, found: Judgement): Judgement {
    const { opinion, reason, evidence = false } = found;
    this.opinions.forget(audit);
    this.run(
      "INSERT OR IGNORE INTO opinions (audit, opinion, reason, evidence) VALUES (?, ?, ?, ?)",
      audit,
      opinion,
      reason,
      Number(evidence),
    );
    return this.opinion(audit) ?? found;
  }

  raiseOpinion(audit: string, reason: string): Judgement {
    this.opinions.forget(audit);
    this.run(
      "UPDATE opinions SET opinion = 'malice', reason = ?, evidence = 1 WHERE audit = ?",
      reason,
      audit,
    );
    return this.keepOpinion(audit, { opinion: "malice", reason, evidence: true });
  }

  opinion(audit: string): Judgement | null {
    const sql = "SELECT opinion, reason, evidence FROM opinions WHERE audit = ?";
    return this.opinions.get(audit, () => {
      const row = this.row<Judged>(sql, audit);
      return row && judgement(row);
    });
  }

  judged(): PublicKey[] {
    const sql = "SELECT audit FROM opinions WHERE opinion IS NOT NULL ORDER BY rowid DESC LIMIT ?";
    return this.rows<{ audit: string }>(sql, MOST_JUDGED).map(({ audit }) => new PublicKey(audit));
  }

  keepSample(round: bigint, owners: readonly string[]): void {
    this.samples.forget(round.toString());
    const sql = "INSERT OR IGNORE INTO sampled VALUES (?, ?)";
    this.runUnhurried(sql, Number(round), JSON.stringify(owners));
  }

  sample(round: bigint): readonly string[] | null {
    const sql = "SELECT owners FROM sampled WHERE round = ?";
    return this.samples.get(round.toString(), () => {
      const row = this.row<{ owners: string }>(sql, Number(round));
      return row ? (JSON.parse(row.owners) as string[]) : null;
    });
  }

  keepCheck(submission: string, { opinion, reason, slot, evidence = false }: Check): void {
    this.checks.forget(submission);
    this.runUnhurried(
      `INSERT INTO checks (submission, opinion, reason, slot, evidence) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (submission) DO UPDATE SET
         opinion = excluded.opinion, reason = excluded.reason, slot = excluded.slot,
         evidence = excluded.evidence
       WHERE checks.evidence = 0`,
      submission,
      opinion,
      reason,
      Number(slot),
      Number(evidence),
    );
  }

  check(submission: string): Check | null {
    const sql = "SELECT opinion, reason, slot, evidence FROM checks WHERE submission = ?";
    return this.checks.get(submission, () => {
      const row = this.row<Judged & { slot: number }>(sql, submission);
      return row && { ...judgement(row), slot: BigInt(row.slot) };
    });
  }

  keepEvidence({ hash, submission, caseEnd, content }: KeptEvidence, now: bigint): void {
    // That of others makes room for it.
    this.evidenceSlots.clear();
    this.run("DELETE FROM evidence WHERE case_end < ?", Number(now));
    if (this.evidenceOf(submission).length >= MOST_OF_ONE) return;
    this.run(
      "INSERT OR IGNORE INTO evidence (hash, submission, case_end, content, slot) VALUES (?, ?, ?, ?, ?)",
      hash,
      submission,
      caseEnd,
      content,
      Number(now),
    );
    this.run(
      `DELETE FROM evidence WHERE hash NOT IN
         (SELECT hash FROM evidence ORDER BY case_end DESC LIMIT ?)`,
      MOST_EVIDENCE,
    );
  }

  evidenceSince(submission: string): bigint | null {
    const sql = "SELECT MIN(slot) AS slot FROM evidence WHERE submission = ?";
    return this.evidenceSlots.get(submission, () => {
      const slot = this.row<{ slot: number | null }>(sql, submission)?.slot ?? null;
      return slot === null ? null : BigInt(slot);
    });
  }

  accusable(now: bigint): PublicKey[] {
    const sql = "SELECT DISTINCT submission FROM evidence WHERE case_end >= ?";
    const rows = this.rows<{ submission: string }>(sql, Number(now));
    return rows.map(({ submission }) => new PublicKey(submission));
  }

  keepTold(piece: Told, now: bigint): void {
    const { hash, submission, sender, weight, caseEnd, content } = piece;
    this.run("DELETE FROM told WHERE case_end < ?", Number(now));
    const sql = "SELECT COUNT(*) AS count FROM told WHERE submission = ? AND sender = ?";
    const count = this.row<{ count: number }>(sql, submission, sender)?.count ?? 0;
    if (count >= MOST_OF_SENDER) return;
    this.run(
      "INSERT OR IGNORE INTO told (hash, submission, sender, weight, case_end, content) VALUES (?, ?, ?, ?, ?, ?)",
      hash,
      submission,
      sender,
      // Numbers of 20 digits, so that texts have the same order.
      weight.toString().padStart(20, "0"),
      caseEnd,
      content,
    );
    this.run(
      `DELETE FROM told WHERE submission = ? AND rowid NOT IN
         (SELECT rowid FROM told WHERE submission = ? ORDER BY weight DESC LIMIT ?)`,
      submission,
      submission,
      MOST_TOLD_OF_ONE,
    );
    this.run(
      `DELETE FROM told WHERE rowid NOT IN
         (SELECT rowid FROM told ORDER BY case_end DESC, weight DESC LIMIT ?)`,
      MOST_TOLD,
    );
  }

  toldOf(submission: string): Pick<Told, "hash" | "content">[] {
    const sql = "SELECT DISTINCT hash, content FROM told WHERE submission = ? ORDER BY hash";
    return this.rows<Pick<Told, "hash" | "content">>(sql, submission);
  }

  keepHanded(submission: string, workers: number): void {
    this.handovers.forget(submission);
    this.run("INSERT OR REPLACE INTO handed VALUES (?, ?)", submission, workers);
  }

  handed(submission: string): number | null {
    const sql = "SELECT workers FROM handed WHERE submission = ?";
    return this.handovers.get(
      submission,
      () => this.row<{ workers: number }>(sql, submission)?.workers ?? null,
    );
  }

  evidenceOf(submission: string): string[] {
    const sql = "SELECT hash FROM evidence WHERE submission = ? ORDER BY hash";
    const rows = this.rows<{ hash: string }>(sql, submission);
    return rows.map(({ hash }) => hash);
  }

  evidence(hash: string): string | null {
    return (
      this.row<{ content: string }>("SELECT content FROM evidence WHERE hash = ?", hash)?.content ??
      null
    );
  }

  keepAccusation(submission: string, { audit, accusation, outcome, endSlot }: OwnAccusation): void {
    const isKept = this.accusations(submission).some(
      (one) => one.audit === audit && one.outcome === outcome && one.endSlot === endSlot,
    );
    if (isKept) return;
    this.ownAccusations.forget(submission);
    this.run(
      `INSERT INTO accusations (audit, submission, accusation, outcome, end_slot) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (audit) DO UPDATE SET
         accusation = excluded.accusation, outcome = excluded.outcome, end_slot = excluded.end_slot
       WHERE (accusations.outcome, accusations.end_slot) <> (excluded.outcome, excluded.end_slot)`,
      audit,
      submission,
      accusation,
      outcome,
      Number(endSlot),
    );
  }

  accusations(submission: string): readonly OwnAccusation[] {
    const sql = "SELECT audit, accusation, outcome, end_slot FROM accusations WHERE submission = ?";
    return this.ownAccusations.get(submission, () =>
      this.rows<Omit<OwnAccusation, "endSlot"> & { end_slot: number }>(sql, submission).map(
        ({ end_slot, ...rest }) => ({ ...rest, endSlot: BigInt(end_slot) }),
      ),
    );
  }

  letters(): Letter[] {
    return this.rows<LetterRow>("SELECT * FROM outbox ORDER BY key").map(toLetter);
  }

  letter(key: string): Letter | null {
    const row = this.row<LetterRow>("SELECT * FROM outbox WHERE key = ?", key);
    return row ? toLetter(row) : null;
  }

  /** Those that do this, the newest last. */
  lettersOf(key: string): Letter[] {
    const sql = `SELECT outbox.* FROM carried JOIN outbox ON outbox.key = carried.letter
       WHERE carried.key = ? ORDER BY outbox.rowid`;
    return this.rows<LetterRow>(sql, key).map(toLetter);
  }

  /** Keeps a letter before it is sent. Throws when there is one of its name. */
  post(letter: Letter): void {
    this.run(
      `INSERT INTO outbox
         (key, signature, blockhash, last_valid_block_height, min_slot, raw, keys)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
      letter.key,
      letter.signature,
      letter.blockhash,
      letter.lastValidBlockHeight,
      letter.minSlot,
      Buffer.from(letter.raw),
      JSON.stringify(letter.keys),
    );
  }

  /** Forgets a letter whose fate is known. */
  settle(key: string): void {
    this.run("DELETE FROM outbox WHERE key = ?", key);
  }

  hasSent(signature: string): boolean {
    return this.row("SELECT slot FROM sent WHERE signature = ?", signature) !== null;
  }

  /** Transactions that this state's own process made from this slot on, within the last few days. */
  sentSince(slot: number): number {
    const found = this.row<{ sent: number }>(
      "SELECT count(*) AS sent FROM sent WHERE slot >= ?",
      slot,
    );
    return found?.sent ?? 0;
  }

  keepSalt({ audit, voter, opinion, salt }: VoteSecret): void {
    this.run(
      "INSERT OR IGNORE INTO salts VALUES (?, ?, ?, ?)",
      audit.toBase58(),
      voter.toBase58(),
      opinion,
      Buffer.from(salt),
    );
  }

  salts(audit: PublicKey, voter: PublicKey): VoteSecret[] {
    const rows = this.rows<{ opinion: Opinion; salt: Blob }>(
      "SELECT opinion, salt FROM salts WHERE audit = ? AND voter = ?",
      audit.toBase58(),
      voter.toBase58(),
    );
    return OPINIONS.flatMap((opinion) => {
      const row = rows.find((one) => one.opinion === opinion);
      return row ? [{ audit, voter, opinion, salt: bytes(row.salt) }] : [];
    });
  }

  /** Audits in which a voter may owe a reveal: there are salts for it. */
  owed(voter: PublicKey): PublicKey[] {
    const rows = this.db
      .prepare("SELECT DISTINCT audit FROM salts WHERE voter = ? ORDER BY rowid DESC")
      .all(voter.toBase58()) as { audit: string }[];
    return rows.map(({ audit }) => new PublicKey(audit));
  }

  forgetSalts(audit: PublicKey, voter: PublicKey): void {
    this.run("DELETE FROM salts WHERE audit = ? AND voter = ?", audit.toBase58(), voter.toBase58());
  }

  keepRecording({ hash, submission, opinion, caseEnd, content }: KeptRecording): void {
    this.run(
      "DELETE FROM recordings WHERE submission = ? AND opinion = ? AND public = 0",
      submission,
      opinion,
    );
    this.run(
      "INSERT OR IGNORE INTO recordings (hash, submission, opinion, case_end, content) VALUES (?, ?, ?, ?, ?)",
      hash,
      submission,
      opinion,
      caseEnd,
      content,
    );
    this.run(
      `DELETE FROM recordings WHERE hash NOT IN
         (SELECT hash FROM recordings ORDER BY public DESC, case_end DESC, rowid DESC LIMIT ?)`,
      MOST_RECORDINGS,
    );
  }

  recordingOf(submission: string, opinion: Opinion): string | null {
    const sql =
      "SELECT hash FROM recordings WHERE submission = ? AND opinion = ? ORDER BY rowid DESC LIMIT 1";
    return this.row<{ hash: string }>(sql, submission, opinion)?.hash ?? null;
  }

  publishRecording(hash: string): void {
    this.run("UPDATE recordings SET public = 1 WHERE hash = ?", hash);
  }

  /** One that went with an accusation. */
  recording(hash: string): string | null {
    const sql = "SELECT content FROM recordings WHERE hash = ? AND public = 1";
    return this.row<{ content: string }>(sql, hash)?.content ?? null;
  }

  keepReveal(sealed: SealedReveal, endSlot: bigint): void {
    this.run(
      "INSERT OR IGNORE INTO kept_reveals (audit, voter, sealed, end_slot) VALUES (?, ?, ?, ?)",
      sealed.audit,
      sealed.voter,
      JSON.stringify(sealed),
      Number(endSlot),
    );
  }

  keptReveals(): SealedReveal[] {
    const rows = this.rows<{ sealed: string }>(
      "SELECT sealed FROM kept_reveals ORDER BY audit, voter",
    );
    return rows.map(({ sealed }) => JSON.parse(sealed) as SealedReveal);
  }

  forgetReveal({ audit, voter }: SealedReveal, paid: boolean, now: bigint): void {
    if (paid) this.run("INSERT INTO paid_reveals VALUES (?)", Number(now));
    this.run("DELETE FROM kept_reveals WHERE audit = ? AND voter = ?", audit, voter);
  }

  /** Forgets what no window is open for any more, and what was paid before a slot. */
  forgetReveals(now: bigint, paidBefore: bigint): void {
    this.run("DELETE FROM kept_reveals WHERE end_slot <= ?", Number(now));
    this.run("DELETE FROM paid_reveals WHERE slot < ?", Number(paidBefore));
  }

  paidReveals(since: bigint): number {
    const sql = "SELECT COUNT(*) AS count FROM paid_reveals WHERE slot >= ?";
    return this.row<{ count: number }>(sql, Number(since))?.count ?? 0;
  }

  keepEntrusted(audit: string, keeper: string): void {
    this.run("INSERT OR IGNORE INTO entrusted VALUES (?, ?)", audit, keeper);
  }

  entrusted(audit: string): string[] {
    const sql = "SELECT keeper FROM entrusted WHERE audit = ? ORDER BY keeper";
    return this.rows<{ keeper: string }>(sql, audit).map(({ keeper }) => keeper);
  }

  forgetEntrusted(audit: string): void {
    this.run("DELETE FROM entrusted WHERE audit = ?", audit);
  }

  private run(sql: string, ...values: readonly unknown[]): void {
    this.ask(() => this.db.prepare(sql).run(...values));
  }

  /** Does not wait for the disk. Whatever is written by {@link run} later is there only with this. */
  private runUnhurried(sql: string, ...values: readonly unknown[]): void {
    this.ask(() => this.db.exec("PRAGMA synchronous = NORMAL"));
    try {
      this.run(sql, ...values);
    } finally {
      this.ask(() => this.db.exec("PRAGMA synchronous = FULL"));
    }
  }

  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the caller's SQL says what a row holds
  private row<T>(sql: string, ...values: readonly unknown[]): T | null {
    return this.ask(() => (this.db.prepare(sql).get(...values) as T | undefined) ?? null);
  }

  private rows<T>(sql: string, ...values: readonly unknown[]): T[] {
    return this.ask(() => this.db.prepare(sql).all(...values) as T[]);
  }

  private ask<T>(act: () => T): T {
    try {
      return act();
    } catch (error) {
      throw stateError(this.file, error);
    }
  }
}

function openDatabase(file: string): Database.Database {
  try {
    return openAs("NORMAL", file);
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (!/^SQLITE_(IOERR|FULL|CANTOPEN)/.test(String(code))) throw error;
    // A full disk has no room for the file through which processes share a log. Nobody else has this one open.
    return openAs("EXCLUSIVE", file);
  }
}

function openAs(locking: "NORMAL" | "EXCLUSIVE", file: string): Database.Database {
  const db = new Database(file);
  try {
    // A statement that was prepared would keep it open, and locked, after it was closed.
    db.exec(`PRAGMA locking_mode = ${locking}`);
    db.exec("PRAGMA journal_mode = WAL");
    db.exec("PRAGMA synchronous = FULL");
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Salts in a daemon's state: kept on disk before `keep` returns. */
export class SqliteSaltStore implements SaltStore {
  constructor(private readonly store: Store) {}

  keep(secret: VoteSecret): Promise<VoteSecret> {
    this.store.keepSalt(secret);
    const kept = this.store
      .salts(secret.audit, secret.voter)
      .find(({ opinion }) => opinion === secret.opinion);
    return Promise.resolve(kept ?? secret);
  }

  find(audit: PublicKey, voter: PublicKey): Promise<readonly VoteSecret[]> {
    return Promise.resolve(this.store.salts(audit, voter));
  }

  forget(audit: PublicKey, voter: PublicKey): Promise<void> {
    this.store.forgetSalts(audit, voter);
    return Promise.resolve();
  }
}

/** As the library gives bytes: one row as a buffer, many rows as its memory. */
type Blob = Buffer | ArrayBuffer;

function bytes(blob: Blob): Uint8Array {
  return Uint8Array.from(blob instanceof ArrayBuffer ? new Uint8Array(blob) : blob);
}

type Judged = Pick<Judgement, "opinion" | "reason"> & { readonly evidence: number };

function judgement({ opinion, reason, evidence }: Judged): Judgement {
  return { opinion, reason, evidence: evidence === 1 };
}

interface LetterRow {
  readonly key: string;
  readonly signature: string;
  readonly blockhash: string;
  readonly last_valid_block_height: number;
  readonly min_slot: number;
  readonly raw: Blob;
  readonly keys: string;
}

function toLetter(row: LetterRow): Letter {
  return {
    key: row.key,
    keys: JSON.parse(row.keys) as string[],
    signature: row.signature,
    blockhash: row.blockhash,
    lastValidBlockHeight: row.last_valid_block_height,
    minSlot: row.min_slot,
    raw: bytes(row.raw),
  };
}
