import { AnchorProvider, Wallet } from "@coral-xyz/anchor";
import { SecuringTasksClient, nodeAddress } from "@securing-tasks/client";
import type { SqliteSaltStore as Salts } from "@securing-tasks/node";
import { SqliteSaltStore, Store } from "@securing-tasks/node";
import { expect } from "chai";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RpcServer, chainAnswers } from "../../../tests/utils/rpc_server";
import { ChainSource } from "../src/core/chain_source";
import { Kept } from "../src/core/kept";
import { SharedConnection } from "../src/host/connection";
import { connect } from "../src/host/rpc";
import { Viewer } from "../src/core/view";
import type { Crowd } from "./utils/crowd";
import { gather } from "./utils/crowd";

describe("what a node sees of its task", () => {
  let folder: string;
  let store: Store;
  let salts: Salts;
  let crowd: Crowd;
  /** Accounts that the server leaves out of its lists: all, or the last. */
  let hidden: "none" | "all" | "last";

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "securing-tasks-view-"));
    store = new Store(folder);
    salts = new SqliteSaltStore(store);
    crowd = await gather(2);
    hidden = "none";
    const { connection } = crowd.client.program.provider;
    const list = connection.getProgramAccounts.bind(connection) as unknown as (
      ...given: unknown[]
    ) => Promise<{ context: unknown; value: unknown[] }>;
    connection.getProgramAccounts = (async (...given: unknown[]) => {
      const { context, value } = await list(...given);
      if (hidden === "all") return { context, value: [] };
      return { context, value: hidden === "last" ? value.slice(0, -1) : value };
    }) as never;
  });

  afterEach(() => {
    store.close();
    rmSync(folder, { recursive: true });
  });

  const viewer = (client = crowd.client, askAnother?: () => void): Viewer => {
    const { task, owner, operator } = crowd;
    const keys = { task, node: nodeAddress(task, owner), owner, operator: operator.publicKey };
    const concerns = {
      sample: () => null,
      owed: () => store.owed(owner),
      judged: () => [],
      proven: () => [],
      payers: () => [operator.publicKey],
    };
    const pace = { base: 0n, cold: 75n, chores: 25n, appeal: 10n, gone: 300n };
    return new Viewer(
      new ChainSource(client, task, askAnother),
      new Kept(keys, concerns, pace),
      9_000n,
    );
  };

  async function commit(): Promise<string> {
    const { client, task, audits, owner, operator } = crowd;
    const [audit] = audits;
    if (!audit) throw new Error("There is no audit.");
    const about = { task, audit: audit.address, voter: owner, operator: operator.publicKey };
    const { builder } = await client.commitVote({ ...about, opinion: "valid", salts });
    await builder.signers([operator]).rpc();
    return audit.address.toBase58();
  }

  it("has all that the lists have, and what they leave out is told", async () => {
    const { view, short } = await viewer().read();
    expect([view?.rounds.length, view?.submissions.length, view?.audits.length]).to.deep.equal([
      1, 2, 2,
    ]);
    expect(short).to.deep.equal([]);
    hidden = "last";
    expect((await viewer().read()).short).to.deep.equal(["1 of 2 open audits of round 0"]);
  });

  it("still has what was there before, where lists come back empty", async () => {
    const one = viewer();
    const before = await one.read();
    hidden = "all";
    const after = await one.read();
    const names = ({ view }: typeof before): string[] =>
      [...(view?.submissions ?? []), ...(view?.audits ?? [])]
        .map(({ address }) => address.toBase58())
        .sort();
    expect(names(after)).to.deep.equal(names(before));
    expect(names(after)).to.have.length(4);
  });

  it("has the audits in which a reveal is owed, and the votes, whatever lists say after a restart", async () => {
    const audit = await commit();
    hidden = "all";
    const { view } = await viewer().read();
    expect(view?.audits.map(({ address }) => address.toBase58())).to.deep.equal([audit]);
    expect(view?.votes.get(audit)?.state).to.equal("committed");
  });

  it("has the vote that an appeal lets it cast in an audit that took none any more", async () => {
    const appeals = { appealSlots: 50n, appealBond: 60n, leaveDelaySlots: 2_000n };
    crowd = await gather(1, 300n, appeals);
    const { chain, client, task, owner, operator, audits } = crowd;
    const [audit] = audits;
    if (!audit) throw new Error("There is no audit.");
    const one = viewer();
    await chain.waitForSlot(audit.endSlot);
    const { view } = await one.read();
    expect([view?.audits.length, view?.votes.size]).to.deep.equal([1, 0]);
    const given = { task, audit: audit.address, appellant: owner, operator: operator.publicKey };
    await client.appealAudit(given).signers([operator]).rpc();
    const name = await commit();
    expect((await one.read()).view?.votes.get(name)).to.include({
      state: "committed",
      onAppeal: true,
    });
  });

  it("has what one server leaves out from another, where there are two", async () => {
    const { chain, operator } = crowd;
    const answer = chainAnswers(chain);
    const servers = await Promise.all([
      RpcServer.start({
        answer,
        spoil: ({ method }, response, said) => {
          if (method !== "getProgramAccounts") return false;
          const { result } = said as { result: object };
          const nothing = Array.isArray(result) ? [] : { ...result, value: [] };
          response.end(JSON.stringify({ ...said, result: nothing }));
          return true;
        },
      }),
      RpcServer.start({ answer }),
    ]);
    const ending = new AbortController();
    try {
      const rpcUrls = servers.map(({ url }) => url);
      const connection = connect({ rpcUrls, timeoutMs: 2_000, signal: ending.signal });
      const provider = new AnchorProvider(connection, new Wallet(operator), {});
      const client = new SecuringTasksClient(provider);
      const { view, short } = await viewer(client, () => {
        if (connection instanceof SharedConnection) connection.askAnother();
      }).read();
      expect([short, view?.audits.length, view?.submissions.length]).to.deep.equal([[], 2, 2]);
    } finally {
      ending.abort();
      await Promise.all(servers.map((server) => server.close()));
    }
  });

  it("asks rarely for audits that are gone", async () => {
    const { chain, owner, task } = crowd;
    const gone = nodeAddress(task, task);
    store.keepSalt({ audit: gone, voter: owner, opinion: "valid", salt: new Uint8Array(32) });
    const { connection } = crowd.client.program.provider;
    const ask = connection.getMultipleAccountsInfoAndContext.bind(connection);
    let asked = 0;
    connection.getMultipleAccountsInfoAndContext = (keys, given) => {
      if (keys.some((key) => key.equals(gone))) asked += 1;
      return ask(keys, given);
    };
    const one = viewer();
    for (let look = 0; look < 25; look += 1) await one.read();
    expect(asked).to.equal(1);
    await chain.waitForSlot((await chain.slot()) + 300n);
    for (let look = 0; look < 25; look += 1) await one.read();
    expect(asked).to.equal(2);
  });

  it("asks for little where nothing happens, and for as much however many others submit", async () => {
    const { chain, client } = crowd;
    const { connection } = client.program.provider;
    const ask = connection.getMultipleAccountsInfoAndContext.bind(connection);
    let accounts = 0;
    let lists = 0;
    connection.getMultipleAccountsInfoAndContext = (keys, given) => {
      accounts += keys.length;
      return ask(keys, given);
    };
    const list = connection.getProgramAccounts.bind(connection) as unknown as (
      ...given: unknown[]
    ) => Promise<unknown>;
    connection.getProgramAccounts = ((...given: unknown[]) => {
      lists += 1;
      return list(...given);
    }) as never;
    const one = viewer();
    await one.read();
    [accounts, lists] = [0, 0];
    await chain.waitForSlot((await chain.slot()) + 5n);
    await one.read();
    // Task, node, operator, and the round.
    expect([accounts, lists]).to.deep.equal([4, 0]);
  });

  it("is changed by what is told of audits, each as of its slot", async () => {
    const { chain, client, task, audits } = crowd;
    const one = viewer();
    await one.read();
    const [audit] = audits;
    if (!audit) throw new Error("There is no audit.");
    const info = await client.program.provider.connection.getAccountInfo(audit.address);
    const source = new ChainSource(client, task);
    const slot = await chain.slot();
    expect(one.tell(source.read(audit.address, slot - 1n, info))).to.equal(false);
    expect(one.tell(source.read(audit.address, slot + 1n, info))).to.equal(true);
    // What is of a slot far ahead is not believed, and all is read anew.
    expect(one.tell(source.read(audit.address, slot + 100_000n, null))).to.equal(true);
    const { view } = await one.read();
    expect(view?.audits).to.have.length(2);
  });
});
