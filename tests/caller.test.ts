import type { Chain, TaskEvent, TaskRef, TransactionOutcome } from "@securing-tasks/client";
import {
  PROGRAM_ID,
  SecuringTasksClient,
  TaskFollower,
  assertBalanced,
  nodeAddress,
  readLedger,
  taskAddress,
  tokenAccountOf,
} from "@securing-tasks/client";
import type { Sendable } from "@securing-tasks/demo/game";
import type { TransactionInstruction } from "@solana/web3.js";
import { Keypair, Transaction } from "@solana/web3.js";
import { expect } from "chai";
import type { Step } from "./utils/caller";
import { CALLER_CHAINS, CALLER_ID, VAULT, call, callerDoes, data, log } from "./utils/caller";
import { RULES, playLife } from "./utils/games";
import { TestMint } from "./utils/mint";

const OWN = PROGRAM_ID.toBase58();
const DATA = "Program data: ";

/** All that a program can write to pass for ours, with this event. */
function forgery(event: Buffer): Step[] {
  return [
    data(event),
    log(`Program ${OWN} invoke [1]`),
    data(event),
    log(`\nProgram ${OWN} invoke [2]\n${DATA}${event.toString("base64")}`),
    data(event),
    log(`Program ${OWN} success`),
    data(event),
    log("Log truncated"),
  ];
}

/** What is logged as events are. */
function eventsIn({ logs }: TransactionOutcome): Buffer[] {
  return logs
    .filter((line) => line.startsWith(DATA))
    .map((line) => Buffer.from(line.slice(DATA.length), "base64"));
}

/** Has the chain send every instruction of the program by way of the caller. */
function viaCaller(
  chain: Chain,
  wrap: (ours: TransactionInstruction) => TransactionInstruction,
  look: (outcome: TransactionOutcome) => void,
): void {
  const send = chain.send.bind(chain);
  chain.send = async (transaction, signers): Promise<TransactionOutcome> => {
    const all = transaction.instructions.map((one) =>
      one.programId.equals(PROGRAM_ID) ? wrap(one) : one,
    );
    const outcome = await send(new Transaction().add(...all), signers);
    look(outcome);
    return outcome;
  };
}

describe("a whole life by way of another program", () => {
  const [, start] = CALLER_CHAINS.find(([where]) => where === "embedded") ?? [];
  const WAYS: Readonly<
    Record<string, (ours: TransactionInstruction, last: Step[]) => TransactionInstruction>
  > = {
    "that calls ours": (ours) => callerDoes(call(ours)),
    "that calls itself to call ours": (ours) => callerDoes(call(callerDoes(call(ours)))),
    "that writes what ours last wrote again": (ours, last) => callerDoes(...last, call(ours)),
  };
  for (const [way, wrap] of Object.entries(WAYS)) {
    it(`${way} is told like any other`, async () => {
      if (!start) throw new Error("There is no embedded chain.");
      const chain = await start();
      let last: Step[] = [];
      let [called, incomplete] = [0, 0];
      const client = new SecuringTasksClient(chain.provider(Keypair.generate()));
      viaCaller(
        chain,
        (ours) => {
          // Once in a transaction, for want of room.
          const forged = last;
          last = [];
          return wrap(ours, forged);
        },
        (outcome) => {
          called += outcome.programs?.filter((one) => one.equals(CALLER_ID)).length ?? 0;
          const { events, complete } = client.events(outcome);
          if (!complete) incomplete += 1;
          // What is ours among what was written.
          const own = outcome.programs?.filter((one) => one.equals(PROGRAM_ID)).length;
          if (complete) expect(events).to.have.length(own ?? -1);
          const event = eventsIn(outcome).at(-1);
          last = event ? [log(`Program ${OWN} invoke [2]`), data(event)] : [];
        },
      );
      // After every transaction it compares what the events add up to with all accounts.
      const game = await playLife(chain, "committed");
      expect(called).to.be.greaterThan(game.events.length - 1);
      expect(incomplete).to.equal(0);
      const kinds = new Set(game.events.map(({ name }) => name));
      const all = client.program.idl.events.map(({ name }) => name);
      // Votes are cast where none are committed.
      expect(all.filter((name) => !kinds.has(name))).to.deep.equal(["voteCast"]);
    });
  }
});

for (const [where, start] of CALLER_CHAINS) {
  describe(`events of a called program ${where}`, () => {
    const bank = Keypair.generate();
    let chain: Chain;
    let client: SecuringTasksClient;
    let task: TaskRef;
    let follower: TaskFollower;
    let forged: Buffer[] = [];

    /** Sends it and has the index follow. The events, once the index is as the accounts are. */
    async function follow(
      instruction: TransactionInstruction,
      ...signers: readonly Keypair[]
    ): Promise<{ readonly events: readonly TaskEvent[]; readonly outcome: TransactionOutcome }> {
      const outcome = await chain.send(new Transaction().add(instruction), [bank, ...signers]);
      const { events, healed } = await follower.take(outcome);
      expect(healed).to.equal(null);
      const ledger = await readLedger(client, task.address);
      assertBalanced(ledger);
      expect(follower.index.differences(ledger)).to.deep.equal([]);
      return { events, outcome };
    }

    async function made(builder: Sendable): Promise<TransactionInstruction> {
      const { instructions } = await builder.transaction();
      const [ours] = instructions.filter(({ programId }) => programId.equals(PROGRAM_ID));
      if (!ours) throw new Error("It has no instruction of the program.");
      return ours;
    }

    before(async () => {
      chain = await start();
      await chain.fund(bank.publicKey, 10_000_000_000n);
      client = new SecuringTasksClient(chain.provider(bank));
      const mint = await TestMint.make(chain, bank, 6);
      await mint.give(VAULT, 10_000n);
      task = { address: taskAddress(VAULT, 1n), mint };
      follower = new TaskFollower(client, task.address, RULES);
    });

    it("are those of a task whose creator is a multisig", async () => {
      const create = await made(
        client.createTask({
          creator: VAULT,
          payer: bank.publicKey,
          id: 1n,
          mint: task.mint,
          rules: RULES,
          auditFunction: { hash: new Uint8Array(32).fill(7), uri: "ipfs://audit" },
        }),
      );
      const { events, outcome } = await follow(callerDoes(call(create)));
      expect(events.map(({ name, data: { slot } }) => [name, slot])).to.deep.equal([
        ["taskCreated", outcome.slot],
      ]);
      expect(follower.index.task?.creator.equals(VAULT)).to.equal(true);
      expect(follower.index.task?.payer.equals(bank.publicKey)).to.equal(true);
      forged = eventsIn(outcome);
    });

    it("are two where one instruction calls twice", async () => {
      const fund = await made(client.fundTask({ task, funder: VAULT, amount: 300n }));
      const { events, outcome } = await follow(callerDoes(call(fund, 2)));
      expect(
        events.map((event) =>
          event.name === "taskFunded" ? [event.data.amount, event.data.pool] : event.name,
        ),
      ).to.deep.equal([
        [300n, 300n],
        [300n, 600n],
      ]);
      forged = eventsIn(outcome);
    });

    it("are none of those that the caller writes around them, in whatever words", async () => {
      expect(forged).to.have.length(2);
      const around = forged.slice(0, 1).flatMap(forgery);
      const fund = await made(client.fundTask({ task, funder: VAULT, amount: 50n }));
      const { events, outcome } = await follow(
        callerDoes(call(fund), ...around, call(callerDoes(call(fund)))),
      );
      expect(
        events.map((event) =>
          event.name === "taskFunded" ? [event.data.amount, event.data.pool] : event.name,
        ),
      ).to.deep.equal([
        [50n, 650n],
        [50n, 700n],
      ]);
      // All that was forged is in the log, and reads as an event wherever it stands.
      expect(eventsIn(outcome)).to.have.length(events.length + 4);
      const nothing = await follow(callerDoes(...around));
      expect(nothing.events).to.deep.equal([]);
    });

    it("are those of a node whose owner is a multisig, from joining to leaving", async () => {
      const operator = Keypair.generate();
      await chain.fund(operator.publicKey, 1_000_000_000n);
      const startSlot = follower.index.task?.startSlot ?? -1n;
      const stake = { task, owner: VAULT, amount: 3_000n };
      const join = client.joinTask({
        ...stake,
        ...{ payer: bank.publicKey, operator: operator.publicKey, role: "worker", startSlot },
      });
      const both = { task: task.address, owner: VAULT };
      const add = client.addStake({ ...stake, amount: 500n });
      const leave = client.requestLeave({ ...both, amount: 1_500n });
      const stay = client.cancelLeave(both);
      const all = [join, add, leave, stay, client.requestLeave(both)];
      const calls = await Promise.all(all.map(made));
      const { events } = await follow(callerDoes(...calls.map((one) => call(one))));
      expect(events.map(({ name }) => name)).to.deep.equal([
        ...["nodeJoined", "stakeAdded", "leaveRequested", "leaveCancelled", "leaveRequested"],
      ]);
      const { leaveSlot } = await client.fetch("node", nodeAddress(task.address, VAULT));
      await chain.waitForSlot(leaveSlot);
      const withdraw = await made(client.withdraw({ task, owner: VAULT }));
      const left = await follow(callerDoes(call(callerDoes(call(withdraw)))));
      expect(left.events.map((event) => [event.name, "amount" in event.data && event.data.amount]))
        // One line for what it paid.
        .to.deep.equal([["withdrawn", 3_500n]]);
      const { value } = await chain.connection.getTokenAccountBalance(
        tokenAccountOf(task.mint, VAULT),
      );
      expect(value.amount).to.equal("9300");
    });

    it("are missed where the caller fills the log first, and the accounts are read instead", async () => {
      const fund = await made(client.fundTask({ task, funder: VAULT, amount: 9n }));
      const outcome = await chain.send(
        new Transaction().add(callerDoes(log("x".repeat(100), 100), call(fund))),
        [bank],
      );
      expect(outcome.logs).to.include("Log truncated");
      expect(client.events(outcome).complete).to.equal(false);
      const { events, healed } = await follower.take(outcome);
      expect(events).to.deep.equal([]);
      expect(
        healed?.differences.map(({ of, field, events: told, chain: is }) => [of, field, told, is]),
      )
        // The index has it from the accounts.
        .to.deep.equal([["task", "pool", "700", "709"]]);
      expect(follower.index.differences(await readLedger(client, task.address))).to.deep.equal([]);
      // Without ours in it, a full log hides nothing.
      const idle = await chain.send(new Transaction().add(callerDoes(log("x".repeat(100), 101))), [
        bank,
      ]);
      expect(client.events(idle)).to.deep.equal({ events: [], complete: true });
    });
  });
}
