import { createHash } from "node:crypto";
import type { Submission, Task } from "@securing-tasks/client";
import { createTokenAccount, roundAt, roundStart, submissionAddress } from "@securing-tasks/client";
import { Game } from "@securing-tasks/demo/game";
import type {
  AuditFacts,
  Doors,
  LoadedFunction,
  Verdict,
  WorkFacts,
} from "@securing-tasks/sandbox";
import { auditFacts, liveDoors, runWork, workFacts } from "@securing-tasks/sandbox";
import { parametersOf } from "@securing-tasks/templates";
import {
  ACCOUNT_SIZE,
  TOKEN_PROGRAM_ID,
  createCloseAccountInstruction,
  createInitializeAccount3Instruction,
  createTransferInstruction,
  getAssociatedTokenAddressSync,
} from "@solana/spl-token";
import type { TransactionInstruction } from "@solana/web3.js";
import { Keypair, PublicKey, SystemProgram, Transaction } from "@solana/web3.js";
import { expect } from "chai";
import { Shelf, expectVerdict, loadTemplate, runBuilder } from "../app/templates/test/utils";
import { balances, movement } from "../app/templates/src/bridge-vault/flow";
import { RULES, workers } from "./utils/games";
import { TestMint } from "./utils/mint";
import { localnet } from "./utils/validator";

const SOL = 1_000_000_000n;
/** Windows long enough for what happens in them, on a busy machine too. */
const LONG_ROUNDS = {
  ...RULES,
  roundSlots: 400n,
  submissionSlots: 300n,
  auditSlots: 60n,
  leaveDelaySlots: 420n,
};

/** A worker of a task, whose work is done and submitted as a node does it. */
class Worker {
  readonly doors: Doors;

  private constructor(
    readonly game: Game,
    readonly task: Task,
    readonly shelf: Shelf,
  ) {
    const { connection } = localnet();
    this.doors = liveDoors({ connection, allowPrivateNetwork: true });
  }

  static async start(shelf: Shelf): Promise<Worker> {
    const seats = workers(5_000n, "Ada");
    const chain = localnet();
    const game = await Game.start({
      chain,
      currency: "sol",
      rules: LONG_ROUNDS,
      seats,
      pool: 5_000n,
    });
    return new Worker(game, await game.client.fetch("task", game.task.address), shelf);
  }

  async currentRound(): Promise<bigint> {
    return roundAt(this.task, await localnet().slot());
  }

  /** Waits for a round. */
  async begin(round: bigint): Promise<void> {
    // A server that is busy knows a block a little after it has confirmed it.
    await localnet().waitForSlot(roundStart(this.task, round) + 4n);
  }

  /** What the task's function is told in a round. */
  facts(round: bigint, secrets: Readonly<Record<string, string>> = {}): Promise<WorkFacts> {
    const { owner, operator } = this.game.player("Ada");
    return workFacts(localnet().connection, this.task, round, {
      owner: owner.publicKey,
      operator: operator.publicKey,
      publicUrl: this.shelf.url,
      secrets,
    });
  }

  /** Does the work of a round. Returns the payload. */
  async work(fn: LoadedFunction, facts: WorkFacts): Promise<string> {
    const ran = await runWork(fn, facts, this.doors);
    if (!ran.ok) throw new Error(ran.failure.message);
    return Buffer.from(ran.value).toString();
  }

  /** Submits a payload. Returns what an audit of it is told. */
  async submit(
    round: bigint,
    payload: string,
  ): Promise<{ readonly submission: Submission; readonly facts: AuditFacts }> {
    const { game, task, shelf } = this;
    const { owner, operator } = game.player("Ada");
    const { sha256, uri } = shelf.put(payload);
    const builder = game.client.submitWork({
      task: task.address,
      owner: owner.publicKey,
      operator: operator.publicKey,
      round,
      payloadHash: Buffer.from(sha256, "hex"),
      payloadUri: uri,
    });
    await game.send(builder, operator);
    const address = submissionAddress(task.address, round, owner.publicKey);
    const submission = await game.client.fetch("submission", address);
    return { submission, facts: await auditFacts(localnet().connection, task, submission) };
  }

  /** The facts of an audit, had this been submitted. */
  instead(facts: AuditFacts, payload: string): AuditFacts {
    const { sha256, uri } = this.shelf.put(payload);
    const submission = { ...facts.submission, payloadHash: sha256, payloadUri: uri };
    return { ...facts, submission };
  }
}

describe("templates on a chain", () => {
  let shelf: Shelf;

  before(runBuilder.bind(null));

  beforeEach(async () => {
    shelf = await Shelf.open();
  });

  afterEach(async () => {
    await shelf.close();
  });

  it("bridge-vault: clears payouts that follow the flow, and convicts each that does not", async () => {
    const chain = localnet();
    const worker = await Worker.start(shelf);
    const bank = worker.game.bank;
    const [alice, bob, treasury, thief] = [1, 2, 3, 4].map(() => Keypair.generate()) as [
      Keypair,
      Keypair,
      Keypair,
      Keypair,
    ];
    for (const { publicKey } of [alice, bob]) await chain.fund(publicKey, 100n * SOL);
    // Whoever gets a small amount must have an account already.
    for (const { publicKey } of [treasury, thief]) await chain.fund(publicKey, SOL);

    const pay = (from: Keypair, to: PublicKey, amount: bigint): TransactionInstruction =>
      SystemProgram.transfer({ fromPubkey: from.publicKey, toPubkey: to, lamports: amount });
    const send = async (
      instructions: readonly TransactionInstruction[],
      ...signers: readonly [Keypair, ...Keypair[]]
    ): Promise<string> => {
      const { signature } = await chain.send(new Transaction().add(...instructions), signers);
      return signature;
    };

    // Every vault has money that nobody paid in in these rounds.
    const names = ["honest", "wrongWay", "tooMuch", "hidden", "twice", "sideways", "late"] as const;
    const vaults = Object.fromEntries(
      await Promise.all(
        names.map(async (name) => {
          const key = Keypair.generate();
          await chain.fund(key.publicKey, 10n * SOL);
          return [name, key] as const;
        }),
      ),
    ) as Record<(typeof names)[number], Keypair>;
    const tokens = await Tokens.make(bank, [alice.publicKey, treasury.publicKey]);
    await tokens.mint.give(alice.publicKey, 1_000n);

    const ins = (await worker.currentRound()) + 1n;
    const [outs, report] = [ins + 1n, ins + 2n];
    await worker.begin(ins);
    const deposits = await Promise.all(
      names.map(async (name) => send([pay(alice, vaults[name].publicKey, SOL)], bank, alice)),
    );
    const honestKey = vaults.honest.publicKey;
    await send([pay(bob, honestKey, 2n * SOL)], bob);
    await send([pay(bob, honestKey, 900n)], bob);
    await send([pay(treasury, honestKey, SOL / 10n)], treasury);
    await tokens.pay(alice, tokens.vault.publicKey, 500n);
    expect(await worker.currentRound(), "the machine is too slow for these rounds").to.equal(ins);

    await worker.begin(outs);
    const { honest, wrongWay, tooMuch, hidden, twice, sideways } = vaults;
    // The vault pays the fee of one payout itself, and keeps its own fee of 1 % of the other.
    await send([pay(honest, treasury.publicKey, 2n * SOL)], honest);
    await send([pay(honest, alice.publicKey, (99n * SOL) / 100n)], bank, honest);
    await send([pay(wrongWay, thief.publicKey, SOL)], bank, wrongWay);
    await send([pay(tooMuch, treasury.publicKey, SOL + 1n)], bank, tooMuch);
    const seen = await send([pay(hidden, alice.publicKey, SOL)], bank, hidden);
    const unseen = await send([pay(hidden, treasury.publicKey, SOL / 5n)], bank, hidden);
    await send([pay(twice, alice.publicKey, SOL)], bank, twice);
    await send([pay(twice, treasury.publicKey, SOL)], bank, twice);
    await send(
      [pay(sideways, alice.publicKey, SOL), pay(sideways, thief.publicKey, 1_000_000n)],
      bank,
      sideways,
    );
    const tokenPayout = await tokens.pay(tokens.vault, treasury.publicKey, 500n);
    expect(await worker.currentRound(), "the machine is too slow for these rounds").to.equal(outs);

    await worker.begin(report);
    const rules = {
      destinations: [treasury.publicKey.toBase58()],
      feeBps: 100,
      maxPerRound: String(3n * SOL),
      leastInflow: "1000",
      lagSlots: 0,
    };
    const load = (vault: Keypair, more: object = {}): ReturnType<typeof loadTemplate> =>
      loadTemplate("bridge-vault", { ...rules, vault: vault.publicKey.toBase58(), ...more });

    // An honest report, through the program.
    const functions = await load(honest);
    const work = await worker.facts(report);
    const payload = await worker.work(functions.work, work);
    const { payouts } = JSON.parse(payload) as { payouts: { inflow: string | null }[] };
    expect(payouts).to.have.length(2);
    expect(payouts.map(({ inflow }) => inflow)).not.to.include(null);
    const { facts } = await worker.submit(report, payload);
    const check = (audit: LoadedFunction, said: string, verdict: Verdict): Promise<void> =>
      expectVerdict(audit, worker.instead(facts, said), worker.doors, verdict);
    await expectVerdict(functions.audit, facts, worker.doors, "valid");

    // The same under a tighter rule for each thing that it did.
    for (const tighter of [
      { maxPerRound: String(2n * SOL) },
      { feeBps: 99 },
      { refunds: false },
      { mostFee: "4999" },
    ]) {
      const { audit } = await load(honest, tighter);
      await check(audit, payload, "malicious");
    }
    await check((await load(honest, { leastInflow: "900" })).audit, payload, "downtime");
    await check(
      (await load(honest, { leastInflow: "900", settleAll: false })).audit,
      payload,
      "valid",
    );

    // What a truthful report of a theft gives away.
    for (const vault of [wrongWay, tooMuch, twice, sideways]) {
      const { audit, work: fn } = await load(vault);
      const confession = await worker.work(fn, work);
      expect(confession).to.contain('"inflow":null');
      await check(audit, confession, "malicious");
    }
    // And what lies about it do not hide.
    const { owner, round } = work;
    const say = (list: readonly object[]): string =>
      JSON.stringify({ owner, round, payouts: list });
    const depositOf = (name: (typeof names)[number]): string => deposits[names.indexOf(name)] ?? "";
    const hiding = await load(hidden);
    const half = { signature: seen, inflow: depositOf("hidden") };
    await check(hiding.audit, say([half]), "malicious");
    await check(hiding.audit, say([]), "malicious");
    await check(hiding.audit, say([half, half]), "malicious");
    await check(
      hiding.audit,
      say([half, { signature: unseen, inflow: depositOf("late") }]),
      "malicious",
    );
    await check(hiding.audit, say([half, { signature: unseen, inflow: seen }]), "malicious");
    const tooLate = await load(vaults.late);
    await check(tooLate.audit, say([]), "downtime");
    await check(tooLate.audit, say([{ signature: seen, inflow: depositOf("late") }]), "malicious");
    for (const odd of [
      "",
      "{}",
      say([{ signature: 7, inflow: null }]),
      JSON.stringify({ owner, round: round - 1, payouts: [] }),
    ]) {
      await check(tooLate.audit, odd, "malicious");
    }
    const gone = worker.instead(facts, say([half]));
    shelf.remove(gone.submission.payloadHash);
    await expectVerdict(hiding.audit, gone, worker.doors, "downtime");

    // Tokens.
    const ofTokens = {
      ...rules,
      vault: tokens.vault.publicKey.toBase58(),
      mint: tokens.mint.address.toBase58(),
      tokenAccount: tokens.account(tokens.vault.publicKey).toBase58(),
      leastInflow: "1",
    };
    const inTokens = await loadTemplate("bridge-vault", ofTokens);
    const tokenReport = await worker.work(inTokens.work, work);
    expect(tokenReport).to.contain(tokenPayout).and.not.to.contain("null");
    await check(inTokens.audit, tokenReport, "valid");
    const notThere = await loadTemplate("bridge-vault", {
      ...ofTokens,
      destinations: [thief.publicKey.toBase58()],
    });
    await check(notThere.audit, tokenReport, "malicious");
  });

  it("bridge-vault: sees what is taken from a token account that is closed and opened again for another mint at once", async () => {
    const chain = localnet();
    const bank = Keypair.generate();
    await chain.fund(bank.publicKey, 100n * SOL);
    const [vault, thief, account] = [1, 2, 3].map(() => Keypair.generate()) as [
      Keypair,
      Keypair,
      Keypair,
    ];
    const mint = await TestMint.make(chain, bank, 6);
    const worthless = await TestMint.make(chain, bank, 6);
    await mint.give(thief.publicKey, 500n);
    await worthless.give(vault.publicKey, 500n);
    const space = ACCOUNT_SIZE;
    const lamports = await chain.connection.getMinimumBalanceForRentExemption(space);
    const open = (of: TestMint): TransactionInstruction[] => [
      SystemProgram.createAccount({
        fromPubkey: bank.publicKey,
        newAccountPubkey: account.publicKey,
        lamports,
        space,
        programId: TOKEN_PROGRAM_ID,
      }),
      createInitializeAccount3Instruction(account.publicKey, of.address, vault.publicKey),
    ];
    const walletOf = (of: TestMint, owner: Keypair): PublicKey =>
      getAssociatedTokenAddressSync(of.address, owner.publicKey);
    const move = (from: PublicKey, to: PublicKey, owner: Keypair): TransactionInstruction =>
      createTransferInstruction(from, to, owner.publicKey, 500n);
    const wallet = walletOf(mint, thief);
    await chain.send(new Transaction().add(...open(mint), move(wallet, account.publicKey, thief)), [
      bank,
      account,
      thief,
    ]);
    const { signature } = await chain.send(
      new Transaction().add(
        move(account.publicKey, wallet, vault),
        createCloseAccountInstruction(account.publicKey, bank.publicKey, vault.publicKey),
        ...open(worthless),
        move(walletOf(worthless, vault), account.publicKey, vault),
      ),
      [bank, account, vault],
    );
    const doors = liveDoors({ connection: chain.connection, allowPrivateNetwork: true });
    const transaction = await doors.transaction(signature);
    const rules = parametersOf("bridge-vault", {
      vault: vault.publicKey.toBase58(),
      mint: mint.address.toBase58(),
      tokenAccount: account.publicKey.toBase58(),
      maxPerRound: "1000",
    });
    if (!transaction) throw new Error("The validator has lost it.");
    expect(balances(transaction, rules)).to.deep.equal({ before: 500n, after: 0n });
    const moved = movement(transaction, rules);
    expect(moved?.amount).to.equal(-500n);
    expect([...(moved?.others ?? [])]).to.deep.equal([[thief.publicKey.toBase58(), 500n]]);
  });

  it("vrf: clears what the named key draws, and convicts every other way to a number", async () => {
    const worker = await Worker.start(shelf);
    const { audit, work } = await loadTemplate("vrf", {});
    const secrets = { vrfKey: createHash("sha256").update("a secret").digest("hex") };
    const otherSecrets = { vrfKey: createHash("sha256").update("another secret").digest("hex") };
    const check = (facts: AuditFacts, verdict: Verdict): Promise<void> =>
      expectVerdict(audit, facts, worker.doors, verdict);
    type Payload = Record<"draw" | "before", Record<string, string> | null> & {
      readonly key: string;
    };
    const read = (payload: string): Payload => JSON.parse(payload) as Payload;

    // The first round names a key.
    const first = (await worker.currentRound()) + 1n;
    await worker.begin(first);
    const naming = await worker.work(work, await worker.facts(first, secrets));
    expect([read(naming).draw, read(naming).before]).to.deep.equal([null, null]);
    const named = await worker.submit(first, naming);
    await check(named.facts, "valid");

    // Its account may be gone before the next round: what counts is what the program logged.
    await worker.game.claimBounty(named.submission);
    await worker.game.send(worker.game.client.closeSubmission(named.submission));
    const second = first + 1n;
    await worker.begin(second);
    const facts = await worker.facts(second, secrets);
    const drawing = await worker.work(work, facts);
    const { draw, before, key } = read(drawing);
    expect(key).to.equal(read(naming).key);
    expect(draw?.output).to.match(/^[0-9a-f]{64}$/);
    const drawn = await worker.submit(second, drawing);
    expect(drawn.facts.roundSeed).to.equal(facts.seed);
    await check(drawn.facts, "valid");

    const instead = (changes: object): AuditFacts =>
      worker.instead(drawn.facts, JSON.stringify({ ...read(drawing), ...changes }));
    // A draw withheld, as if no key had been named.
    await check(instead({ draw: null, before: null }), "malicious");
    // Another output, another proof, and a proof for another seed.
    const other = await worker.work(work, { ...facts, seed: "00".repeat(32) });
    await check(instead({ draw: { ...draw, output: "00".repeat(32) } }), "malicious");
    await check(instead({ draw: read(other).draw }), "malicious");
    await check(instead({ draw: { ...draw, proof: read(other).draw?.proof } }), "malicious");
    // A key for the next round that is none, and a payload of another owner or round.
    await check(instead({ key: `c0${"00".repeat(47)}` }), "malicious");
    await check(instead({ owner: worker.task.address.toBase58() }), "malicious");
    await check(instead({ round: Number(first) }), "malicious");
    // Where the submission before is said to be does not matter, as long as its payload can be had.
    await check(instead({ before: { ...before, signature: "1".repeat(88) } }), "valid");
    await check(instead({ before: { ...before, uri: `${shelf.url}/nowhere` } }), "downtime");
    // A draw in the first round, with a key that was never named.
    const early = { ...read(naming), draw, before };
    await check(worker.instead(named.facts, JSON.stringify(early)), "malicious");
    const gone = worker.instead(drawn.facts, "soon gone");
    shelf.remove(gone.submission.payloadHash);
    await check(gone, "downtime");

    // With a secret that is not the named key's, no work is better than a lie.
    await worker.work(work, await worker.facts(second, otherSecrets)).then(
      () => expect.fail("it drew with another key"),
      (error: unknown) => {
        expect(String(error)).to.contain("Another key was named for this round");
      },
    );
    // Who leaves out a round begins anew.
    const later = second + 2n;
    await worker.begin(later);
    const again = await worker.work(work, await worker.facts(later, otherSecrets));
    expect(read(again).draw).to.equal(null);
    await check((await worker.submit(later, again)).facts, "valid");
  });
});

/** A mint with a vault and others who hold it. */
class Tokens {
  readonly vault = Keypair.generate();

  private constructor(
    private readonly bank: Keypair,
    readonly mint: TestMint,
  ) {}

  static async make(bank: Keypair, holders: readonly PublicKey[]): Promise<Tokens> {
    const mint = await TestMint.make(localnet(), bank, 0);
    const tokens = new Tokens(bank, mint);
    const made = [tokens.vault.publicKey, ...holders].map((holder) =>
      createTokenAccount(mint, holder, bank.publicKey),
    );
    await localnet().send(new Transaction().add(...made), [bank]);
    return tokens;
  }

  account(owner: PublicKey): PublicKey {
    return getAssociatedTokenAddressSync(this.mint.address, owner);
  }

  async pay(from: Keypair, to: PublicKey, amount: bigint): Promise<string> {
    const transfer = createTransferInstruction(
      this.account(from.publicKey),
      this.account(to),
      from.publicKey,
      amount,
    );
    const { signature } = await localnet().send(new Transaction().add(transfer), [this.bank, from]);
    return signature;
  }
}
