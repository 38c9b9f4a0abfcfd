import type { Audit, Opinion } from "@securing-tasks/client";
import { PROGRAM_ID, voteAddress } from "@securing-tasks/client";
import type { Delivery, Errand, SendStep, SenderOptions } from "@securing-tasks/node";
import { Sender, Sponsor, SponsorError, SqliteSaltStore, Store } from "@securing-tasks/node";
import type { Connection } from "@solana/web3.js";
import { ComputeBudgetProgram, Transaction } from "@solana/web3.js";
import { expect } from "chai";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Crowd } from "./utils/crowd";
import { gather } from "./utils/crowd";
import { Paymaster } from "./utils/paymaster";

const VOTES = 6;
const MOST_BYTES = 1_232;

describe("votes of one witness that are due at once", () => {
  let folder: string;
  let store: Store;
  let salts: SqliteSaltStore;
  let crowd: Crowd;
  let sent: Map<string, Transaction>;
  let steps: SendStep[];
  let ending: AbortController;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "securing-tasks-packing-"));
    store = new Store(folder);
    salts = new SqliteSaltStore(store);
    sent = new Map();
    steps = [];
    ending = new AbortController();
  });

  afterEach(() => {
    ending.abort();
    store.close();
    rmSync(folder, { recursive: true });
  });

  const sender = (options: Partial<SenderOptions> = {}): Sender => {
    const { connection } = crowd.chain;
    const noting: Partial<Connection> = {
      sendRawTransaction: (raw, sending) => {
        const bytes = Buffer.from(raw);
        expect(bytes.length).to.be.at.most(MOST_BYTES);
        sent.set(bytes.toString("base64"), Transaction.from(bytes));
        return connection.sendRawTransaction(raw, sending);
      },
    };
    return new Sender({
      connection: Object.assign(Object.create(connection) as Connection, noting),
      outbox: store,
      payer: crowd.operator,
      pollMs: 2,
      resendMs: 10,
      onStep: (step) => steps.push(step),
      ...options,
    });
  };

  const opinionOf = (index: number): Opinion => (index % 2 === 0 ? "malice" : "valid");

  /** As the daemon does it. */
  function errandOf(kind: "cast" | "commit" | "reveal", { address }: Audit, index: number): Errand {
    const { client, task, owner, operator } = crowd;
    const ballot = {
      ...{ task, audit: address, voter: owner, operator: operator.publicKey },
      opinion: opinionOf(index),
    };
    return {
      key: `${kind}:${address.toBase58()}`,
      shares: kind === "reveal" ? "reveals" : "votes",
      urgent: true,
      owed: kind === "reveal",
      instructions: async (payer) => {
        switch (kind) {
          case "cast":
            return [await client.castVote({ ...ballot, payer }).instruction()];
          case "commit": {
            const { builder } = await client.commitVote({ ...ballot, payer, salts });
            return [await builder.instruction()];
          }
          case "reveal":
            return [await (await client.revealVote({ ...ballot, salts })).instruction()];
        }
      },
    };
  }

  const all = (kind: "cast" | "commit" | "reveal", one: Sender): Promise<Delivery[]> =>
    Promise.all(crowd.audits.map((audit, index) => one.send(errandOf(kind, audit, index))));
  const alone = (one: Sender, index: number): Promise<Delivery> => {
    const audit = crowd.audits[index];
    if (!audit) throw new Error("There is no such audit.");
    return one.send(errandOf("commit", audit, index));
  };
  const statuses = (deliveries: readonly Delivery[]): string[] =>
    deliveries.map(({ status }) => status);
  /** Of each transaction, how many votes it has. */
  const shapes = (): number[] =>
    [...sent.values()].map(
      ({ instructions }) =>
        instructions.filter(({ programId }) => programId.equals(PROGRAM_ID)).length,
    );
  const states = (): Promise<(string | null)[]> =>
    Promise.all(
      crowd.audits.map(async ({ address }, index) => {
        const vote = await crowd.client.find("vote", voteAddress(address, crowd.owner));
        if (vote?.state === "revealed") expect(vote.opinion).to.equal(opinionOf(index));
        return vote?.state ?? null;
      }),
    );
  const six = <T>(value: T): T[] => Array.from({ length: VOTES }, () => value);

  it("share a transaction as commits and as reveals, within its bytes, and each counts", async () => {
    crowd = await gather(VOTES);
    const one = sender();
    expect(statuses(await all("commit", one))).to.deep.equal(six("landed"));
    expect(await states()).to.deep.equal(six("committed"));
    expect(shapes()).to.deep.equal([VOTES]);
    sent.clear();
    await crowd.chain.waitForSlot(crowd.audits.at(-1)?.revealSlot ?? 0n);
    expect(statuses(await all("reveal", one))).to.deep.equal(six("landed"));
    expect(await states()).to.deep.equal(six("revealed"));
    expect(shapes()).to.deep.equal([VOTES]);
    expect(store.letters()).to.deep.equal([]);
  });

  it("share a transaction as open votes", async () => {
    crowd = await gather(VOTES, 300n, { commitSlots: 0n });
    expect(statuses(await all("cast", sender()))).to.deep.equal(six("landed"));
    expect(await states()).to.deep.equal(six("revealed"));
    expect(shapes()).to.deep.equal([VOTES]);
  });

  it("are split where the chain refuses one, which says why, and none of the others is lost", async () => {
    crowd = await gather(VOTES);
    // Another instance was faster.
    expect((await alone(sender(), 1)).status).to.equal("landed");
    sent.clear();
    const deliveries = await all("commit", sender());
    const [, refused] = deliveries;
    expect(refused?.status === "refused" && refused.explanation.reason).to.equal("alreadyThere");
    expect(shapes()).to.deep.equal(Array<number>(VOTES - 1).fill(1));
    expect(statuses(deliveries)).to.deep.equal(
      six("landed").map((status, index) => (index === 1 ? "refused" : status)),
    );
    expect(await states()).to.deep.equal(six("committed"));
    expect(store.letters()).to.deep.equal([]);
  });

  describe("and that a sponsor pays for", () => {
    let paymaster: Paymaster;
    let sponsor: Sponsor;

    beforeEach(async () => {
      crowd = await gather(VOTES);
      paymaster = await Paymaster.start({
        connection: crowd.chain.connection,
        allowedPrograms: [PROGRAM_ID, ComputeBudgetProgram.programId],
      });
      sponsor = new Sponsor({
        url: paymaster.url,
        user: crowd.operator.publicKey,
        perSecond: 1_000,
        timeoutMs: 2_000,
        fallback: "none",
        signal: ending.signal,
      });
    });
    afterEach(() => paymaster.close());

    it("are paid for as far as its SOL goes, and the rest once it has more", async () => {
      const rent = await crowd.chain.connection.getMinimumBalanceForRentExemption(
        crowd.client.program.account.vote.size,
      );
      // It is itself an account that must have its rent.
      const own = await crowd.chain.connection.getMinimumBalanceForRentExemption(0);
      await crowd.chain.fund(paymaster.address, BigInt(own + 3 * rent + 6 * 10_000));
      const one = sender({ sponsor });
      const ends = await Promise.allSettled(
        crowd.audits.map((audit, index) => one.send(errandOf("commit", audit, index))),
      );
      const paid = ends.filter((end) => end.status === "fulfilled");
      expect(statuses(paid.map(({ value }) => value))).to.deep.equal(
        Array<string>(3).fill("landed"),
      );
      for (const end of ends) {
        if (end.status === "fulfilled") continue;
        const why: unknown = end.reason;
        // Who asks together with another may be refused by the sponsor itself.
        expect(why instanceof SponsorError && why.reason).to.be.oneOf(["lackOfSol", "refused"]);
      }
      expect((await states()).filter((state) => state === "committed")).to.have.length(3);
      const [together] = steps.filter(({ step }) => step === "unsponsored");
      expect(together?.key).to.match(/ & 5 more$/);
      expect(together?.message).to.match(/has too little SOL: .*[^.]\.$/);
      expect(store.letters()).to.deep.equal([]);
      await crowd.chain.fund(paymaster.address, 1_000_000_000n);
      const again = await Promise.all(
        crowd.audits.flatMap((audit, index) =>
          ends[index]?.status === "fulfilled" ? [] : [one.send(errandOf("commit", audit, index))],
        ),
      );
      expect(statuses(again)).to.deep.equal(Array<string>(3).fill("landed"));
      expect(await states()).to.deep.equal(six("committed"));
      expect(shapes()).to.deep.equal([1, 1, 1, 3]);
      for (const { feePayer } of sent.values()) {
        expect(feePayer?.equals(paymaster.address)).to.equal(true);
      }
    });
  });
});
