import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { MintInfo, Task } from "@securing-tasks/client";
import {
  SecuringTasksClient,
  auditEnd,
  fetchMint,
  roundAt,
  roundStart,
  taskAddress,
  tokenAccountOf,
  vaultAddress,
} from "@securing-tasks/client";
import { Keypair, PublicKey } from "@solana/web3.js";
import { expect } from "chai";
import type { Person } from "./utils/command_line";
import { CommandLine, Following } from "./utils/command_line";
import { TestMint } from "./utils/mint";
import { localnet } from "./utils/validator";

/** One token of the test's mint, in base units. */
const TOKEN = 1_000_000n;
/** Whole tokens. */
const STAKES = { honest: 20n, liar: 30n, first: 10n, second: 10n, third: 10n };
type Name = keyof typeof STAKES;
const NAMES = Object.keys(STAKES) as Name[];

/** A line of `watch --json`. */
interface Watched {
  readonly event: string;
  readonly account?: string;
}

describe("the command line alone", () => {
  let cli: CommandLine;
  let mint: MintInfo;
  let client: SecuringTasksClient;
  let creator: Person;
  let crew: Record<Name, Person>;
  let operators: typeof crew;
  let watching: Following | undefined;

  const each = <T>(act: (name: Name) => Promise<T>): Promise<T[]> => Promise.all(NAMES.map(act));

  async function holding(who: Person): Promise<bigint> {
    const address = tokenAccountOf(mint, who.key.publicKey);
    const { value } = await localnet().connection.getTokenAccountBalance(address);
    return BigInt(value.amount);
  }

  before(async () => {
    cli = await CommandLine.open();
    const chain = localnet();
    const bank = Keypair.generate();
    await chain.fund(bank.publicKey, 100_000_000_000n);
    const made = await TestMint.make(chain, bank, 6);
    mint = await fetchMint(chain.connection, made.address);
    client = new SecuringTasksClient(chain.provider(bank));
    const rich = async (name: string): Promise<Person> => {
      const who = await cli.person(name, 10n);
      await made.give(who.key.publicKey, 100n * TOKEN);
      return who;
    };
    creator = await rich("creator");
    crew = Object.fromEntries(
      await each(async (name) => [name, await rich(name)] as const),
    ) as typeof crew;
    operators = Object.fromEntries(
      await each(async (name) => [name, await cli.person(`${name}-hot`, 10n)] as const),
    ) as typeof crew;
    await writeFile(join(cli.folder, "audit.js"), 'export function audit() { return "valid"; }\n');
    await writeFile(join(cli.folder, "task.yaml"), taskFile(made.address));
  });

  after(async () => {
    watching?.stop();
    await cli.close();
  });

  it("takes a task through its whole life, and another process tells all of it", async function () {
    // Its windows alone take two minutes, and each step is a process.
    this.timeout(1_500_000);
    // The creator makes it from a file, and somebody watches.
    const made = await cli.json<{
      readonly task: string;
      readonly id: string;
      readonly auditFunction: { readonly hash: string };
    }>(["task", "create", "--file", join(cli.folder, "task.yaml")], creator);
    const task = new PublicKey(made.task);
    const fetched = (): Promise<Task> => client.fetch("task", task);
    expect(made.task).to.equal(taskAddress(creator.key.publicKey, BigInt(made.id)).toBase58());
    const { rules, auditFunction } = await fetched();
    expect(rules).to.include({ roundSlots: 900n, bountyPerRound: TOKEN, voteDeposit: 100_000n });
    expect(made.auditFunction.hash).to.equal(Buffer.from(auditFunction.hash).toString("hex"));
    const nobody = await cli.person("nobody");
    const followed = new Following(
      cli.start(["watch", made.task, "--past", "1", "--json"], nobody),
    );
    watching = followed;
    const told = (): Watched[] => followed.lines.map((line) => JSON.parse(line) as Watched);
    await followed.until(() => told().length > 0);
    expect(told().map(({ event }) => event)).to.deep.equal(["taskCreated"]);

    // It is funded, and everybody sees it.
    const funded = await cli.json<{ readonly pool: string }>(
      ["task", "fund", made.task, "--amount", "5"],
      creator,
    );
    expect(funded.pool).to.equal("5000000");
    const shown = await cli.json<{ readonly pool: string; readonly decimals: number }>(
      ["task", "show", made.task],
      nobody,
    );
    expect(shown).to.include({ pool: "5000000", decimals: 6 });
    const listed = await cli.json<readonly { readonly address: string }[]>(
      ["task", "list", "--mine"],
      creator,
    );
    expect(listed.map(({ address }) => address)).to.deep.equal([made.task]);

    // Nodes join; their hot keys are others than their owners'.
    await each(async (name) => {
      const joined = await cli.json<{ readonly stake: string; readonly operator: string }>(
        [
          ...["node", "join", made.task],
          ...["--role", name === "honest" || name === "liar" ? "worker" : "witness"],
          ...["--stake", STAKES[name].toString(), "--operator", operators[name].file],
        ],
        crew[name],
      );
      expect(joined).to.include({
        stake: (STAKES[name] * TOKEN).toString(),
        operator: operators[name].key.publicKey.toBase58(),
      });
    });
    const status = await cli.json<{ readonly owner: string; readonly withdrawable: string }>(
      ["node", "status", made.task],
      operators.liar,
    );
    expect(status).to.include({ owner: crew.liar.key.publicKey.toBase58(), withdrawable: "0" });

    // Two work, one is accused, two vote, and the audit is decided.
    const round = roundAt(await fetched(), await localnet().slot()) + 1n;
    await localnet().waitForSlot(roundStart(await fetched(), round));
    await Promise.all(
      (["honest", "liar"] as const).map((name) =>
        client
          .submitWork({
            task,
            owner: crew[name].key.publicKey,
            operator: operators[name].key.publicKey,
            round,
            payloadHash: createHash("sha256").update(name).digest(),
            payloadUri: `ipfs://${name}`,
          })
          .signers([operators[name].key])
          .rpc(),
      ),
    );
    const { audit, endSlot } = await cli.json<{ readonly audit: string; readonly endSlot: string }>(
      [
        ...["audit", "open", made.task, "--round", round.toString()],
        ...["--accused", crew.liar.key.publicKey.toBase58(), "--accusation", "malice"],
      ],
      operators.first,
    );
    const early = cli.failure(["audit", "resolve", audit], nobody);
    const votes = (["second", "third"] as const).map((name) =>
      cli.json<{ readonly state: string }>(
        ["audit", "vote", audit, "--opinion", "malice"],
        operators[name],
      ),
    );
    for (const { state } of await Promise.all(votes)) expect(state).to.equal("revealed");
    expect(await early).to.include({ exit: 1, name: "votingOpen" });
    await localnet().waitForSlot(BigInt(endSlot));
    const verdict = await cli.json<{
      readonly outcome: string;
      readonly resolved: Readonly<Record<string, string>>;
    }>(["audit", "resolve", audit], creator);
    expect(verdict.outcome).to.equal("convictedMalice");
    // Half of 30; of it 30% and a third of 60% for the initiator, the other thirds for the voters.
    expect(verdict.resolved).to.include({
      slash: "15000000",
      initiatorAward: "7500000",
      votersPot: "6000000",
    });

    // Everybody claims, once.
    await localnet().waitForSlot(auditEnd(await fetched(), round));
    const claims = await Promise.all(
      (["second", "third", "honest"] as const).map((name) =>
        cli.json<{ readonly shares: string; readonly bounties: string }>(
          ["audit", "claim", made.task],
          operators[name],
        ),
      ),
    );
    expect(claims.map(({ shares, bounties }) => [shares, bounties])).to.deep.equal([
      ["3000000", "0"],
      ["3000000", "0"],
      ["0", "500000"],
    ]);
    const again = await cli.json<{ readonly votes: number }>(
      ["audit", "claim", made.task],
      operators.second,
    );
    expect(again.votes).to.equal(0);

    // All leave with what is theirs.
    const refused = await cli.failure(["node", "leave", made.task, "--amount", "6"], crew.first);
    expect(refused).to.include({ exit: 1, name: "stakeBelowMinimum" });
    expect(refused.code).to.be.a("number");
    await each(async (name) => {
      const left = await cli.json<{ readonly leaveSlot: string }>(
        ["node", "leave", made.task, "--all"],
        crew[name],
      );
      await localnet().waitForSlot(BigInt(left.leaveSlot));
      const paid = await cli.json<{ readonly left: string }>(
        ["node", "withdraw", made.task],
        crew[name],
      );
      expect(paid.left).to.equal("0");
    });
    const gains = await each(
      async (name) => [name, (await holding(crew[name])) - 100n * TOKEN] as const,
    );
    expect(Object.fromEntries(gains)).to.deep.equal({
      honest: 500_000n,
      liar: -15_000_000n,
      first: 7_500_000n,
      second: 3_000_000n,
      third: 3_000_000n,
    });

    // The creator ends it, and nothing is left.
    const alive = await cli.failure(["task", "close", made.task], creator);
    expect(alive).to.include({ exit: 1, name: "notRetired" });
    const retired = await cli.json<{ readonly paid: string }>(
      ["task", "retire", made.task],
      creator,
    );
    // Without the round's reserve, and with a tenth of the slash.
    expect(retired.paid).to.equal("5500000");
    const full = await cli.failure(["task", "close", made.task], creator);
    expect(full).to.include({ exit: 1, name: "notEmpty" });
    expect(full.message).to.include(`round ${round.toString()} is over, with 2 submissions`);
    const closed = await cli.json<{ readonly closed: boolean }>(
      ["task", "close", made.task, "--sweep"],
      creator,
    );
    expect(closed.closed).to.equal(true);
    for (const address of [task, vaultAddress(task)]) {
      expect(await localnet().account(address)).to.equal(null);
    }
    expect(await client.ofTask("node", task)).to.deep.equal([]);
    expect(await client.ofTask("submission", task)).to.deep.equal([]);
    // A tenth of the slash more, and half a bounty less: the liar's half came back.
    expect((await holding(creator)) - 100n * TOKEN).to.equal(TOKEN);

    // The watching process told each thing once, in order.
    await followed.until(() =>
      told().some(({ event, account }) => event === "accountClosed" && account === made.task),
    );
    const counts = new Map<string, number>();
    for (const { event } of told()) counts.set(event, (counts.get(event) ?? 0) + 1);
    expect(
      told()
        .slice(0, 2)
        .map(({ event }) => event),
    ).to.deep.equal(["taskCreated", "taskFunded"]);
    expect(Object.fromEntries(counts)).to.deep.equal({
      taskCreated: 1,
      taskFunded: 1,
      nodeJoined: 5,
      workSubmitted: 2,
      auditOpened: 1,
      voteCast: 2,
      auditResolved: 1,
      voteClaimed: 2,
      bountyClaimed: 1,
      leaveRequested: 5,
      withdrawn: 5,
      taskRetired: 1,
      accountClosed: 12,
    });
  });
});

function taskFile(mint: PublicKey): string {
  return [
    `mint: ${mint.toBase58()}`,
    "auditFunction:",
    "  file: audit.js",
    "rules:",
    "  roundWindow: 900 slots",
    "  submissionWindow: 100 slots",
    "  auditWindow: 300 slots",
    "  commitWindow: 0",
    "  revealWindow: 500 slots",
    "  leaveDelay: 900 slots",
    "  workerStake: 20",
    "  witnessStake: 5",
    "  bounty: 1",
    "  bond: 0.5",
    "  voteDeposit: 100000 base",
    "  quorumVotes: 2",
    "  quorumStake: 30%",
    "  downtimeSlash: 10%",
    "  maliceSlash: 50%",
    "  initiatorBonus: 30%",
    "  poolShare: 10%",
    "  voteWeight: node",
    "  reward: all",
    "",
  ].join("\n");
}
