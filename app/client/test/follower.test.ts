import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Difference, Healed, TransactionOutcome } from "@securing-tasks/client";
import {
  PROGRAM_ID,
  SecuringTasksClient,
  TaskFollower,
  readAccounts,
  tokenAccountOf,
  wrapSol,
} from "@securing-tasks/client";
import { EmbeddedChain } from "@securing-tasks/client/embedded";
import { Game } from "@securing-tasks/demo/game";
import { createSyncNativeInstruction } from "@solana/spl-token";
import { Keypair, Transaction } from "@solana/web3.js";
import { expect } from "chai";
import { dice } from "../../../tests/utils/dice";
import { SEATS, playLife, rulesWith } from "../../../tests/utils/games";
import { refusal } from "../../../tests/utils/refusal";

const BYTECODE = join(__dirname, "../../../target/deploy/securing_tasks.so");
async function embedded(): Promise<EmbeddedChain> {
  return EmbeddedChain.start([{ id: PROGRAM_ID, bytecode: await readFile(BYTECODE) }]);
}

/** Shows every outcome on a chain before whoever sent it has it. */
function tap(chain: EmbeddedChain, look: (outcome: TransactionOutcome) => Promise<void>): void {
  const send = chain.send.bind(chain);
  chain.send = async (...args): Promise<TransactionOutcome> => {
    const outcome = await send(...args);
    await look(outcome);
    return outcome;
  };
}

/** The outcome as the runtime tells it where the log is full before this line. */
function cutBefore(outcome: TransactionOutcome, line: number): TransactionOutcome {
  return { ...outcome, logs: [...outcome.logs.slice(0, line), "Log truncated"] };
}

/** The same for the first event of a kind. */
function without(
  client: SecuringTasksClient,
  kind: string,
  outcome: TransactionOutcome,
): TransactionOutcome {
  const at = outcome.logs.findIndex((_, index) =>
    client
      .events({ ...outcome, logs: outcome.logs.slice(0, index + 1) })
      .events.some(({ name }) => name === kind),
  );
  return at < 0 ? outcome : cutBefore(outcome, at);
}

const saying = (differences: readonly Difference[]): string[] =>
  differences.map(({ of, field, events, chain }) => `${of} ${field}: ${events} -> ${chain}`);

/** One who follows a task and hears less than all of it. */
class Listener {
  readonly healed: Healed[] = [];
  lost = 0;

  constructor(
    readonly follower: TaskFollower,
    /** Null where it hears nothing of a transaction. */
    private readonly hears: (outcome: TransactionOutcome) => TransactionOutcome | null,
  ) {}

  async take(outcome: TransactionOutcome): Promise<void> {
    const heard = this.hears(outcome);
    if (heard !== outcome) this.lost += 1;
    const followed = heard && (await this.follower.take(heard));
    if (followed?.healed) this.healed.push(followed.healed);
  }
}

describe("who follows a task", () => {
  for (const [what, votes, slots, never] of [
    ["all in few slots", "open", 0n, ["voteCommitted", "voteRevealed"]],
    ["open votes", "open", 1n, ["voteCommitted", "voteRevealed"]],
    ["committed votes", "committed", 1n, ["voteCast"]],
  ] as const) {
    it(`is right after every transaction, whatever its log lost: ${what}`, async function () {
      this.timeout(120_000);
      const chain = await embedded();
      const client = new SecuringTasksClient(chain.provider(Keypair.generate()));
      const roll = dice(7);
      const kinds = client.program.idl.events.map(({ name }) => name);
      const ways: [string, (outcome: TransactionOutcome) => TransactionOutcome | null][] = [
        ["loses nothing", (one) => one],
        ["loses all", (one) => cutBefore(one, 0)],
        ["loses some", (one) => (roll(2) < 1 ? one : cutBefore(one, roll(one.logs.length)))],
        ["has no log", (one) => (roll(10) < 7 ? one : { ...one, logs: [], programs: null })],
        ["misses transactions", (one) => (roll(10) < 8 ? one : null)],
        ...kinds.map((kind): (typeof ways)[number] => [kind, (one) => without(client, kind, one)]),
      ];
      const all = new Map<string, Listener>();
      tap(chain, async (outcome) => {
        const [first] = client.events(outcome).events;
        if (first?.name === "taskCreated") {
          for (const [name, hears] of ways) {
            const follower = new TaskFollower(client, first.data.task, rulesWith(votes));
            all.set(name, new Listener(follower, hears));
          }
        }
        const [any] = all.values();
        if (!any) return;
        const { accounts } = await readAccounts(client, any.follower.task);
        for (const [name, listener] of all) {
          await listener.take(outcome);
          if (name === "misses transactions") continue;
          const found = saying(listener.follower.index.differences(accounts));
          expect(found, `who ${name}`).to.deep.equal([]);
        }
        await chain.waitForSlot((await chain.slot()) + slots);
      });
      await playLife(chain, votes);
      for (const [name, { lost, healed, follower }] of all) {
        if (name === "misses transactions") await follower.heal();
        expect(saying(follower.index.differences(null)), name).to.deep.equal([]);
        const quiet = name === "loses nothing" || never.some((kind) => kind === name);
        expect([name, lost > 0, healed.length > 0]).to.deep.equal([name, !quiet, !quiet]);
      }
    });
  }

  describe("of which a stranger sends too much", () => {
    let chain: EmbeddedChain;
    let game: Game;
    let follower: TaskFollower;

    beforeEach(async () => {
      chain = await embedded();
      game = await Game.start({
        chain,
        currency: "sol",
        rules: rulesWith("open"),
        seats: SEATS,
        pool: 1_000n,
      });
      await chain.fund(game.creator.publicKey, 1_000_000_000n);
      follower = new TaskFollower(game.client, game.task.address, game.rules);
      await follower.heal();
      await chain.waitForSlot((await chain.slot()) + 1n);
    });

    /** A gift to the pool, behind so many instructions of the token program that log much and do nothing. */
    async function gift(amount: bigint, fillers: number): Promise<TransactionOutcome> {
      const { client, task, creator, bank } = game;
      const funded = await client
        .fundTask({ task, funder: creator.publicKey, amount })
        .preInstructions(wrapSol(creator.publicKey, amount))
        .transaction();
      const source = tokenAccountOf(task.mint, creator.publicKey);
      const filled = new Transaction().add(
        ...Array.from({ length: fillers }, () => createSyncNativeInstruction(source)),
        ...funded.instructions,
      );
      return chain.send(filled, [bank, creator]);
    }

    it("is told what the log did not, and goes on", async () => {
      const plain = await gift(5n, 0);
      expect(game.client.events(plain).complete).to.equal(true);
      const { events, healed } = await follower.take(plain);
      expect(events.map(({ name }) => name)).to.deep.equal(["taskFunded"]);
      expect(healed).to.equal(null);
      expect(follower.index.task?.pool).to.equal(1_005n);

      const full = await gift(7n, 45);
      expect(full.logs).to.include("Log truncated");
      expect(game.client.events(full)).to.deep.equal({ events: [], complete: false });
      const lost = await follower.take(full);
      expect(lost.events).to.deep.equal([]);
      expect(lost.healed?.why).to.equal(
        `The log of transaction ${full.signature} is not complete.`,
      );
      expect(saying(lost.healed?.differences ?? [])).to.deep.equal(["task pool: 1005 -> 1012"]);

      // In the slot of the reading, where no one can say what was read.
      const same = await gift(11n, 0);
      expect(same.slot).to.equal(full.slot);
      expect((await follower.take(same)).healed).to.equal(null);
      expect(follower.index.task?.pool).to.equal(1_023n);
      await chain.waitForSlot(same.slot + 1n);
      expect((await follower.take(await gift(13n, 0))).healed).to.equal(null);
      expect(follower.index.task?.pool).to.equal(1_036n);
    });

    it("takes nothing twice that was read already, and reads once for all that is past", async () => {
      const gifts: TransactionOutcome[] = [];
      for (const fillers of [45, 0, 45, 0]) {
        gifts.push(await gift(1n, fillers));
        await chain.waitForSlot((await chain.slot()) + 1n);
      }
      const { connection } = chain;
      const read = connection.getAccountInfoAndContext.bind(connection);
      let readings = 0;
      connection.getAccountInfoAndContext = (...args): ReturnType<typeof read> => {
        readings += 1;
        return read(...args);
      };
      const healed: string[][] = [];
      for (const one of gifts) {
        const followed = await follower.take(one);
        if (followed.healed) healed.push(saying(followed.healed.differences));
        expect(follower.index.task?.pool).to.equal(1_004n);
      }
      expect(healed).to.deep.equal([["task pool: 1000 -> 1004"], []]);
      expect(readings).to.equal(1);
    });

    it("heals where a later event contradicts, and says so", async () => {
      await gift(1n, 0);
      const heard = await gift(2n, 0);
      const { events, healed } = await follower.take(heard);
      expect(events).to.have.length(1);
      expect(healed?.why).to.match(/^An event before taskFunded is missing: it says that pool/);
      expect(follower.index.task?.pool).to.equal(1_003n);
    });

    it("loses nothing where the accounts can't be read: the next one that it takes heals", async () => {
      const { client, task, creator, bank } = game;
      const full = await gift(7n, 45);
      const { connection } = chain;
      const read = connection.getProgramAccounts.bind(connection);
      connection.getProgramAccounts = (): Promise<never> => Promise.reject(new Error("Busy."));
      expect((await refusal(follower.take(full))).message).to.equal("Busy.");
      connection.getProgramAccounts = read;
      const pause = client.pauseTask({ task: task.address, creator: creator.publicKey });
      const next = await chain.send(await pause.transaction(), [bank, creator]);
      const { healed } = await follower.take(next);
      expect(healed?.why).to.equal(`The log of transaction ${full.signature} is not complete.`);
      expect(saying(healed?.differences ?? [])).to.deep.equal([
        "task pool: 1000 -> 1007",
        "task status: active -> paused",
      ]);
    });
  });
});
