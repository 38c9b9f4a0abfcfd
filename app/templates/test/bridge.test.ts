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

/** The vault's transactions, and the contents that can be fetched. */
class Ledger {
  private readonly transactions: ChainTransaction[] = [];
  private readonly contents = new Map<string, Uint8Array>();
  /** Whether a server lists the transactions of one slot the other way round. */
  otherOrder = false;

  /** Returns its signature. */
  add(slot: number, changes: Changes): string {
    // Signatures are no order in time.
    const place = String(this.transactions.length);
    const signature = createHash("sha256").update(place).digest("hex");
    const before = 1_000_000;
    this.transactions.push({
      signature,
      slot,
      blockTime: null,
      failed: false,
      accounts: changes.map(([who]) => who),
      signers: [],
      lamportsBefore: changes.map(() => String(before)),
      lamportsAfter: changes.map(([, change]) => String(before + change)),
      tokens: [],
      logs: [],
    });
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

  put(content: string | Uint8Array): { readonly sha256: string; readonly uri: string } {
    const bytes = Buffer.from(content);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    this.contents.set(sha256, bytes);
    return { sha256, uri: "" };
  }

  get doors(): Doors {
    const none = (): never => {
      throw new Error("nobody asks for this");
    };
    const turn = this.otherOrder ? -1 : 1;
    const list = this.transactions
      .map((transaction, at) => ({ ...transaction, at }))
      .sort((a, b) => b.slot - a.slot || (b.at - a.at) * turn)
      .map(({ signature }) => signature);
    return {
      http: none,
      account: none,
      fetch: (hash) => Promise.resolve(this.contents.get(hash) ?? none()),
      signatures: (_address, { before, limit = 1_000 } = {}) => {
        const first = before === undefined ? 0 : list.indexOf(before) + 1;
        return Promise.resolve(list.slice(first, first + limit));
      },
      transaction: (signature) =>
        Promise.resolve(this.transactions.find((one) => one.signature === signature) ?? null),
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

  it("convicts nobody for the number of deposits that strangers make", async () => {
    const rules = { mostPayouts: 5 };
    for (let at = 0; at < 6; at++) ledger.payIn(IN, 100 + at);
    for (let at = 0; at < 4; at++) ledger.payOut(OUT, 100 + at);
    await expectOfWork("downtime", rules);
    ledger.payOut(OUT, 104);
    await expectOfWork("valid", rules);
    // Nor who pays all of them.
    ledger.payOut(OUT, 105);
    const report = JSON.parse(await expectOfWork("valid", rules)) as { payouts: object[] };
    expect(report.payouts).to.have.length(6);
    // But a payout for nothing is one, however many others there are.
    ledger.payOut(OUT, 1, thief);
    await expectOfWork("malicious", rules);
  });

  it("keeps to its door calls, however many payouts there are", async () => {
    for (let at = 0; at < 100; at++) ledger.payIn(IN, 100 + at);
    for (let at = 0; at < 100; at++) ledger.payOut(OUT, 100 + at);
    ledger.dust(IN, 20);
    const most = { mostPayouts: 60, mostOthers: 60 };
    await expectOfWork("valid", most);
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

  it("gives each side what the other does not use", async () => {
    ledger.dust(OUT, 9);
    ledger.payOut(OUT, 500, thief);
    await expectOfNothing("malicious", { mostOthers: 10 });
    // What nobody has to settle is not looked at.
    ledger.dust(IN, 100);
    await expectOfNothing("malicious", { mostOthers: 10, settleAll: false });

    ledger = new Ledger();
    ledger.dust(IN, 9);
    ledger.payIn(IN, 500);
    await expectOfNothing("downtime", { mostOthers: 10 });
  });

  it("draws the same in whatever order a server lists a slot", async () => {
    ledger.dust(OUT, 19);
    ledger.payOut(OUT, 500, thief);
    const { audit } = await loadTemplate("bridge-vault", { ...RULES, mostOthers: 10 });
    const work = someWorkFacts();
    const { owner, round } = work;
    const put = ledger.put(JSON.stringify({ owner, round, payouts: [] }));
    const verdicts = async (): Promise<(string | null)[]> => {
      const found: (string | null)[] = [];
      for (let at = 0; at < 16; at++) {
        const seed = createHash("sha256").update(String(at)).digest("hex");
        const ran = await runAudit(audit, { ...factsOf(work, put), seed }, ledger.doors);
        found.push(ran.ok ? ran.value : null);
      }
      return found;
    };
    const one = await verdicts();
    expect(one).to.include("valid").and.to.include("malicious");
    ledger.otherOrder = true;
    expect(await verdicts()).to.deep.equal(one);
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
