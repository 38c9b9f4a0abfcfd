import { createHash } from "node:crypto";
import type { ChainTransaction, Doors, Verdict } from "@securing-tasks/sandbox";
import { runAudit, runWork } from "@securing-tasks/sandbox";
import { Keypair } from "@solana/web3.js";
import { expect } from "chai";
import { expectVerdict, factsOf, loadTemplate, runBuilder, someWorkFacts } from "./utils";

const [vault, treasury, alice, bob, thief] = Array.from({ length: 5 }, () =>
  Keypair.generate().publicKey.toBase58(),
) as [string, string, string, string, string];

/** Who gained how much, or lost it. */
type Changes = readonly (readonly [string, number])[];

/** What a transaction is besides what it moves. */
interface More {
  readonly failed?: boolean;
  /** Lamports that its first account pays. */
  readonly fee?: number;
}

/** The vault's transactions, and the contents that can be fetched. */
class Ledger {
  /** Whether a server lists the transactions of one slot the other way round. */
  otherOrder = false;
  /** Oldest slot that the server keeps. */
  keptFrom = 0;
  /** Signatures that the server has lost. */
  readonly lost = new Set<string>();
  private readonly made: { slot: number; changes: Changes; more: More; signature: string }[] = [];
  private readonly contents = new Map<string, Uint8Array>();

  /** @param funded Slot in which the vault had its first money, which nobody paid in for a payout. */
  constructor(funded = 500) {
    this.add(funded, [[vault, 10_000_000]]);
  }

  /** Returns its signature. */
  add(slot: number, changes: Changes, more: More = {}): string {
    // Signatures are no order in time.
    const signature = createHash("sha256").update(String(this.made.length)).digest("hex");
    this.made.push({ slot, changes, more, signature });
    return signature;
  }

  payIn(slot: number, amount: number, from = alice): string {
    return this.add(slot, [
      [from, -amount],
      [vault, amount],
    ]);
  }

  payOut(slot: number, amount: number, to = treasury): string {
    return this.add(slot, [
      [vault, -amount],
      [to, amount],
    ]);
  }

  dust(slot: number, count: number): void {
    for (let at = 0; at < count; at++) this.payIn(slot, 1, bob);
  }

  /** Transactions that name the vault, fail, and move nothing. */
  failures(slot: number, count: number): void {
    for (let at = 0; at < count; at++) {
      this.add(
        slot,
        [
          [bob, 0],
          [vault, 0],
        ],
        { failed: true, fee: 5_000 },
      );
    }
  }

  put(content: string | Uint8Array): { readonly sha256: string; readonly uri: string } {
    const bytes = Buffer.from(content);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    this.contents.set(sha256, bytes);
    return { sha256, uri: "" };
  }

  /** As they were executed, each with what it found. */
  private transactions(): ChainTransaction[] {
    const held = new Map<string, number>([[vault, 0]]);
    return [...this.made]
      .sort((a, b) => a.slot - b.slot)
      .map(({ slot, changes, more: { failed = false, fee = 0 }, signature }) => {
        const before = changes.map(([who]) => held.get(who) ?? 1_000_000_000);
        const after = changes.map(
          ([, change], at) => (before[at] ?? 0) + change - (at === 0 ? fee : 0),
        );
        changes.forEach(([who], at) => held.set(who, after[at] ?? 0));
        return {
          signature,
          slot,
          blockTime: null,
          failed,
          accounts: changes.map(([who]) => who),
          signers: [],
          lamportsBefore: before.map(String),
          lamportsAfter: after.map(String),
          tokens: [],
          logs: [],
        };
      });
  }

  get doors(): Doors {
    const none = (): never => {
      throw new Error("nobody asks for this");
    };
    const turn = this.otherOrder ? -1 : 1;
    const kept = this.transactions().filter(
      ({ slot, signature }) => slot >= this.keptFrom && !this.lost.has(signature),
    );
    const known = new Map(kept.map((one) => [one.signature, one]));
    const list = kept
      .map((transaction, at) => ({ ...transaction, at }))
      .sort((a, b) => b.slot - a.slot || (b.at - a.at) * turn)
      .map(({ signature }) => signature);
    /** The task's own transactions: the one that made it, and one of each later round. */
    const ofTask = (address: string): ChainTransaction[] =>
      [START + 650, START + 250, START - 5]
        .filter((slot) => slot >= this.keptFrom)
        .map((slot) => ({
          signature: `${slot}/${address}`,
          slot,
          blockTime: null,
          failed: false,
          accounts: [address],
          signers: [],
          lamportsBefore: [slot < START ? "0" : "9"],
          lamportsAfter: ["9"],
          tokens: [],
          logs: [],
        }));
    return {
      http: none,
      account: () => Promise.resolve(null),
      fetch: (hash) => Promise.resolve(this.contents.get(hash) ?? none()),
      signatures: (address, { before, limit = 1_000 } = {}) => {
        const all = address === vault ? list : ofTask(address).map(({ signature }) => signature);
        const first = before === undefined ? 0 : all.indexOf(before) + 1;
        return Promise.resolve(all.slice(first, first + limit));
      },
      transaction: (signature) => {
        const [, task] = signature.split("/");
        const found =
          task === undefined
            ? known.get(signature)
            : ofTask(task).find((one) => one.signature === signature);
        return Promise.resolve(found ?? null);
      },
    };
  }
}

const RULES = {
  vault,
  destinations: [treasury],
  maxPerRound: "100000",
  leastInflow: "100",
  lagSlots: 10,
};
const START = 1_000;
/** The windows of round 7, of 100 slots each. */
const [IN, OUT] = [1_550, 1_650];

describe("the bridge vault's audit", function () {
  this.timeout(120_000);
  let ledger: Ledger;

  before(async () => {
    await runBuilder();
  });

  beforeEach(() => {
    ledger = new Ledger();
  });

  /** What the template's own work reports must be judged like this. Returns what it reported. */
  async function expectOfWork(verdict: Verdict, more: object = {}, round = 7): Promise<string> {
    const { audit, work } = await loadTemplate("bridge-vault", { ...RULES, ...more });
    const facts = someWorkFacts({ round });
    const ran = await runWork(work, facts, ledger.doors);
    if (!ran.ok) throw new Error(ran.failure.message);
    await expectVerdict(audit, factsOf(facts, ledger.put(ran.value)), ledger.doors, verdict);
    return Buffer.from(ran.value).toString();
  }

  /** What an empty report comes to. */
  async function expectOfNothing(verdict: Verdict, more: object = {}): Promise<void> {
    const { audit } = await loadTemplate("bridge-vault", { ...RULES, ...more });
    const facts = someWorkFacts();
    const { owner, round } = facts;
    const put = ledger.put(JSON.stringify({ owner, round, payouts: [] }));
    await expectVerdict(audit, factsOf(facts, put), ledger.doors, verdict);
  }

  /** One look at a report of these payouts: the verdict, or why there is none. */
  async function verdictOf(payouts: readonly object[], more: object = {}): Promise<string> {
    const { audit } = await loadTemplate("bridge-vault", { ...RULES, ...more });
    const facts = someWorkFacts();
    const { owner, round } = facts;
    const put = ledger.put(JSON.stringify({ owner, round, payouts }));
    // Tens of thousands take 1.6 seconds of processor, which a busy machine may not have for a while.
    const patience = { computeMs: 100_000, totalMs: 110_000 };
    const ran = await runAudit(audit, factsOf(facts, put), ledger.doors, patience);
    return ran.ok ? ran.value : ran.failure.message;
  }

  const verdictOfNothing = (more: object = {}): Promise<string> => verdictOf([], more);

  /** What the template's own work gives or complains of. */
  async function workSays(): Promise<string> {
    const { work } = await loadTemplate("bridge-vault", RULES);
    const ran = await runWork(work, someWorkFacts(), ledger.doors);
    return ran.ok ? Buffer.from(ran.value).toString() : ran.failure.message;
  }

  it("convicts nobody for the number of deposits that strangers make", async () => {
    const rules = { mostPayouts: 5 };
    for (let at = 0; at < 6; at++) ledger.payIn(IN, 100 + at);
    for (let at = 2; at < 6; at++) ledger.payOut(OUT, 100 + at);
    await expectOfWork("downtime", rules);
    ledger.payOut(OUT, 101);
    await expectOfWork("valid", rules);
    // Nor who pays all of them.
    ledger.payOut(OUT, 100);
    const report = JSON.parse(await expectOfWork("valid", rules)) as { payouts: object[] };
    expect(report.payouts).to.have.length(6);
    // But a payout for nothing is one, however many others there are.
    ledger.payOut(OUT, 1, thief);
    await expectOfWork("malicious", rules);
  });

  it("reads two rounds of some 200 transactions in full", async () => {
    for (let at = 0; at < 95; at++) ledger.payIn(IN, 100 + at);
    for (let at = 0; at < 95; at++) ledger.payOut(OUT, 100 + at);
    ledger.dust(IN, 10);
    ledger.dust(OUT + 60, 1_500);
    const most = { mostPayouts: 60 };
    await expectOfWork("valid", most);
    ledger.payOut(OUT, 1, thief);
    expect(await verdictOfNothing(most)).to.equal("malicious");
  });

  it("does not ask for a payout that the round's maximum forbids", async () => {
    const rules = { maxPerRound: "1000", feeBps: 1_000 };
    ledger.payIn(IN, 600);
    ledger.payOut(OUT, 600);
    // Less the fee it comes to 401.
    ledger.payIn(IN, 445);
    await expectOfWork("valid", rules);
    ledger.payIn(IN, 444);
    await expectOfWork("downtime", rules);
  });

  it("does not ask for a refund where nobody may be refunded", async () => {
    ledger.add(IN, [
      [alice, -500],
      [bob, -500],
      [vault, 500],
      [thief, 500],
    ]);
    await expectOfWork("valid", { destinations: [] });
    await expectOfWork("downtime");
  });

  it("checks the settlement however much dust is among the payouts", async () => {
    ledger.dust(OUT, 100);
    for (let at = 0; at < 40; at++) ledger.payIn(IN, 500);
    await expectOfNothing("downtime");
  });

  it("looks for hidden payouts however much dust is among the inflows", async () => {
    ledger.dust(IN, 100);
    for (let at = 0; at < 29; at++) ledger.dust(OUT, 1);
    ledger.payOut(OUT, 500, thief);
    await expectOfNothing("malicious");
  });

  it("comes to the same in whatever order a server lists a slot", async () => {
    ledger.dust(OUT, 19);
    ledger.payIn(IN, 500);
    ledger.payIn(IN, 600);
    ledger.payOut(OUT, 500);
    ledger.payOut(OUT, 600);
    ledger.otherOrder = true;
    await expectOfWork("valid");
    ledger.payOut(OUT, 500, thief);
    await expectOfNothing("malicious");
  });

  describe("as the accused would have it", () => {
    for (const [what, add] of [
      [
        "dust",
        (slot: number, count: number) => {
          ledger.dust(slot, count);
        },
      ],
      [
        "failed transactions",
        (slot: number, count: number) => {
          ledger.failures(slot, count);
        },
      ],
    ] as const) {
      it(`finds a theft among thousands of ${what}`, async () => {
        add(OUT, 1_500);
        ledger.payOut(OUT, 9_000, thief);
        add(OUT, 1_500);
        // Later ones don't put it out of sight either.
        add(OUT + 60, 2_500);
        expect(await verdictOfNothing()).to.equal("malicious");
      });

      it(`finds an order that was not paid among thousands of ${what}`, async () => {
        add(IN, 1_200);
        ledger.payIn(IN, 9_000);
        add(IN, 1_700);
        expect(await verdictOfNothing()).to.equal("downtime");
      });
    }

    it("finds it among 98,000, and has no verdict where there is nothing to find or there are more", async () => {
      ledger.failures(OUT, 95_000);
      expect(await verdictOfNothing()).to.contain("more than an audit can read");
      ledger.payOut(OUT, 9_000, thief);
      ledger.failures(OUT, 3_000);
      expect(await verdictOfNothing()).to.equal("malicious");
      ledger.failures(OUT, 3_000);
      expect(await verdictOfNothing()).to.contain("over 100000 transactions");
    });

    it("finds it in the first slot and in the last, and nothing of the slots beside them", async () => {
      const [first, last] = [1_590, 1_689];
      for (const slot of [first, last]) {
        ledger = new Ledger();
        ledger.failures(OUT, 800);
        ledger.payOut(slot, 9_000, thief);
        expect(await verdictOfNothing(), String(slot)).to.equal("malicious");
        ledger = new Ledger();
        ledger.payOut(slot, 9_000, thief);
        expect(await verdictOfNothing(), String(slot)).to.equal("malicious");
      }
      for (const slot of [first - 1, last + 1]) {
        ledger = new Ledger();
        ledger.payOut(slot, 9_000, thief);
        expect(await verdictOfNothing(), String(slot)).to.equal("valid");
      }
    });

    it("never calls valid what it could not read, as where a theft takes just what came in", async () => {
      for (let seed = 0; seed < 4; seed++) {
        ledger = new Ledger();
        ledger.failures(OUT, 500);
        ledger.payIn(OUT, 9_000);
        ledger.payOut(OUT, 9_000, thief);
        ledger.failures(OUT, 500);
        expect(await verdictOfNothing()).to.match(/malicious|more than an audit can read/);
      }
      // Strangers convict nobody by it.
      ledger = new Ledger();
      ledger.failures(IN, 400);
      ledger.dust(OUT, 400);
      expect(await verdictOfNothing()).to.contain("more than an audit can read");
    });

    it("finds a theft that is listed among hundreds of payouts to oneself", async () => {
      const payouts: object[] = [];
      const cycle = (): void => {
        const inflow = ledger.payIn(IN, 100, treasury);
        payouts.push({ inflow, signature: ledger.payOut(OUT, 100) });
      };
      for (let at = 0; at < 300; at++) cycle();
      const inflow = ledger.payIn(IN, 90, alice);
      payouts.push({ inflow, signature: ledger.payOut(OUT, 9_000, thief) });
      for (let at = 0; at < 300; at++) cycle();
      expect(await verdictOf(payouts)).to.equal("malicious");
    });

    it("does not let small orders of one's own stand for others", async () => {
      const payouts = Array.from({ length: 50 }, () => ({
        inflow: ledger.payIn(IN, 100, bob),
        signature: ledger.payOut(OUT, 100),
      }));
      ledger.payIn(IN, 9_000);
      expect(await verdictOf(payouts)).to.equal("downtime");
      expect(await verdictOf(payouts, { maxPerRound: "13999" })).to.equal("downtime");
      expect(await verdictOf(payouts, { maxPerRound: "8999" })).to.equal("valid");
    });

    it("bounds what goes to validators as fees", async () => {
      const attempt = (): string =>
        ledger.add(
          OUT,
          [
            [vault, 0],
            [bob, 0],
          ],
          { failed: true, fee: 100_000 },
        );
      for (let at = 0; at < 50; at++) attempt();
      expect(await verdictOfNothing()).to.equal("valid");
      attempt();
      expect(await verdictOfNothing()).to.equal("malicious");
    });

    it("convicts who names what is no transaction of these rounds", async () => {
      const old = ledger.payOut(1_200, 100);
      const inflow = ledger.payIn(IN, 100);
      for (const signature of ["nonsense", old, inflow]) {
        expect(await verdictOf([{ signature, inflow }])).to.equal("malicious");
      }
      const signature = ledger.payOut(OUT, 100);
      for (const from of ["nonsense", old, signature]) {
        expect(await verdictOf([{ signature, inflow: from }])).to.equal("malicious");
      }
      expect(await verdictOf([{ signature, inflow }])).to.equal("valid");
    });
  });

  describe("with a server that lacks history", () => {
    /** An order and its payout, as reported. */
    const paid = (): { readonly inflow: string; readonly signature: string } => ({
      inflow: ledger.payIn(IN, 500),
      signature: ledger.payOut(OUT, 500),
    });

    it("has no verdict where the list begins too late", async () => {
      const payout = paid();
      for (const slot of [IN + 1, OUT + 1]) {
        ledger.keptFrom = slot;
        expect(await verdictOf([payout]), String(slot)).to.contain("does not keep");
        expect(await workSays(), String(slot)).to.contain("does not keep");
      }
      ledger.keptFrom = IN - 100;
      expect(await verdictOf([payout])).to.contain("does not keep");
    });

    it("knows a vault that is young from one whose past is lost", async () => {
      ledger = new Ledger(IN - 10);
      const payout = paid();
      expect(await verdictOf([payout])).to.equal("valid");
      // Nothing was in the vault here either, but the server has begun to clean up.
      ledger = new Ledger(IN + 10);
      ledger.keptFrom = IN + 5;
      expect(await verdictOfNothing()).to.contain("does not keep");
      ledger.keptFrom = OUT + 50;
      expect(await verdictOfNothing()).to.contain("does not keep");
    });

    it("has no verdict where the list has gaps", async () => {
      const payout = paid();
      ledger.dust(OUT + 1, 3);
      ledger.dust(OUT + 45, 3);
      for (const signature of [payout.signature, payout.inflow]) {
        ledger.lost.add(signature);
        expect(await verdictOf([payout])).to.contain("gaps");
        ledger.lost.clear();
      }
      ledger.lost.add(payout.signature);
      expect(await verdictOfNothing()).to.contain("gaps");
      expect(await workSays()).to.contain("gaps");
    });
  });

  it("judges nothing that happened before the task was made", async () => {
    for (const slot of [START - 150, START - 50, START - 5]) {
      ledger.payIn(slot, 500);
      ledger.payOut(slot, 700, thief);
    }
    for (const round of [0, 1, 2]) {
      expect(await expectOfWork("valid", {}, round)).to.contain('"payouts":[]');
    }
    // Paying for what came in before is fine.
    ledger.payOut(START + 5, 500);
    expect(await expectOfWork("valid", {}, 1)).not.to.contain("null");
    ledger.payOut(START + 95, 500);
    expect(await expectOfWork("valid", {}, 2)).not.to.contain("null");
    // From its start on, all counts.
    ledger.payIn(START, 600);
    await expectOfWork("downtime", {}, 2);
    ledger.payOut(START, 700, thief);
    await expectOfWork("malicious", {}, 1);
  });
});
