import { expect } from "chai";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { connect, createServer } from "node:net";
import {
  PROGRAM_ID,
  SecuringTasksClient,
  WRAPPED_SOL,
  nodeAddress,
  taskAddress,
  wrapSol,
} from "@securing-tasks/client";
import { EmbeddedChain } from "@securing-tasks/client/embedded";
import { Connection, Keypair, SystemProgram, Transaction } from "@solana/web3.js";
import WebSocket from "ws";
import { RULES } from "../../../tests/utils/games";
import { SocketCounter } from "../../../tests/utils/socket_counter";
import { StandIn } from "./utils/stand_in";

const bytecode = readFileSync("target/deploy/securing_tasks.so");

describe("a counter of bytes", () => {
  it("passes all on, and counts every byte of both ways", async () => {
    const server = createServer((socket) => {
      socket.on("data", (part) => socket.write(`heard ${part.length}`));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const counter = await SocketCounter.start((server.address() as AddressInfo).port);
    const client = connect(Number(new URL(counter.url).port), "127.0.0.1");
    client.write("x".repeat(1_000));
    const [answer] = (await once(client, "data")) as [Buffer];
    expect(answer.toString()).to.equal("heard 1000");
    const { sent, received, connections } = counter.traffic();
    expect([sent, received, connections]).to.deep.equal([1_000, "heard 1000".length, 1]);
    client.destroy();
    await counter.close();
    server.close();
  });
});

describe("a stand-in for an RPC server", () => {
  let chain: EmbeddedChain;
  let standIn: StandIn;
  let counter: SocketCounter;
  let connection: Connection;
  let payer: Keypair;

  beforeEach(async () => {
    chain = EmbeddedChain.start([{ id: PROGRAM_ID, bytecode }]);
    payer = Keypair.generate();
    await chain.fund(payer.publicKey, 2_000_000_000n);
    standIn = await StandIn.start(chain);
    counter = await SocketCounter.start(standIn.port, standIn.port + 1);
    connection = new Connection(counter.url, "confirmed");
  });

  afterEach(async () => {
    await counter.close();
    await standIn.close();
  });

  const pay = async (to: Keypair): Promise<string> => {
    const { blockhash } = await connection.getLatestBlockhash();
    const transaction = new Transaction({
      feePayer: payer.publicKey,
      blockhash,
      lastValidBlockHeight: 0,
    }).add(
      SystemProgram.transfer({
        fromPubkey: payer.publicKey,
        toPubkey: to.publicKey,
        lamports: 1_000_000,
      }),
    );
    transaction.sign(payer);
    return connection.sendRawTransaction(transaction.serialize());
  };

  /** What is told of some subscriptions, and their numbers first. */
  const subscribe = async (
    ...asked: readonly (readonly [method: string, ...params: readonly unknown[]])[]
  ): Promise<{
    readonly told: unknown[];
    readonly until: (count: number) => Promise<void>;
    readonly end: () => void;
  }> => {
    const socket = new WebSocket(`ws://127.0.0.1:${Number(new URL(counter.url).port) + 1}`);
    await once(socket, "open");
    const told: unknown[] = [];
    socket.on("message", (part: Buffer) => told.push(JSON.parse(part.toString())));
    const until = async (count: number): Promise<void> => {
      while (told.length < count) await once(socket, "message");
    };
    for (const [index, [method, ...params]] of asked.entries()) {
      socket.send(JSON.stringify({ jsonrpc: "2.0", id: index, method, params }));
      await until(index + 1);
    }
    return {
      told,
      until,
      end: () => {
        socket.terminate();
      },
    };
  };

  it("executes what it is sent two slots later, and tells what that changed at its slot's end", async () => {
    const to = Keypair.generate();
    const { told, until, end } = await subscribe(
      ["accountSubscribe", to.publicKey.toBase58(), { encoding: "base64" }],
      ["slotSubscribe"],
    );
    const signature = await pay(to);
    await standIn.tick();
    const early = await connection.getSignatureStatus(signature);
    expect(early.value).to.equal(null);
    await standIn.tick();
    const { value } = await connection.getSignatureStatus(signature);
    expect(value?.err).to.equal(null);
    expect(await connection.getBalance(to.publicKey)).to.equal(1_000_000);
    await standIn.tick();
    await until(6);
    const methods = told.slice(2).map((one) => (one as { method: string }).method);
    const slot = "slotNotification";
    expect(methods).to.deep.equal([slot, slot, "accountNotification", slot]);
    expect(told[4]).to.have.nested.property("params.result.value.lamports", 1_000_000);
    expect(told[4]).to.have.nested.property("params.result.context.slot", value?.slot);
    const { requests, notifications } = counter.traffic();
    expect(requests).to.deep.equal({
      ...{ accountSubscribe: 1, slotSubscribe: 1, getLatestBlockhash: 1, sendTransaction: 1 },
      ...{ getSignatureStatuses: 2, getBalance: 1 },
    });
    expect(notifications).to.deep.equal({ slotNotification: 3, accountNotification: 1 });
    end();
  });

  it("tells of accounts of the program that fit, once a slot, and lists the same", async () => {
    const client = new SecuringTasksClient(chain.provider(payer));
    const creator = payer.publicKey;
    const task = taskAddress(creator, 1n);
    const auditFunction = { hash: new Uint8Array(32).fill(1), uri: "ipfs://function" };
    await client
      .createTask({ creator, id: 1n, mint: WRAPPED_SOL, rules: RULES, auditFunction })
      .rpc();
    const { startSlot } = await client.fetch("task", task);
    standIn.notice(task);
    const filters = [{ memcmp: { offset: 8, bytes: task.toBase58() } }];
    const options = { encoding: "base64", filters };
    const { told, until, end } = await subscribe(
      ["programSubscribe", PROGRAM_ID.toBase58(), options],
      ["programSubscribe", PROGRAM_ID.toBase58(), { ...options, filters: [{ dataSize: 1 }] }],
    );
    const join = await client
      .joinTask({
        ...{ task: { address: task, mint: WRAPPED_SOL }, owner: creator, role: "worker" },
        ...{ amount: 2_000n, startSlot },
      })
      .instruction();
    standIn.execute(creator, [...wrapSol(creator, 2_000n), join]);
    const node = nodeAddress(task, creator);
    // Of a second change in the same slot nothing more is told.
    const add = await client
      .addStake({ task: { address: task, mint: WRAPPED_SOL }, owner: creator, amount: 1n })
      .instruction();
    standIn.execute(creator, [...wrapSol(creator, 1n), add]);
    await standIn.tick();
    await until(3);
    expect(told).to.have.length(3);
    const account = (await connection.getProgramAccounts(PROGRAM_ID, { filters }))[0];
    expect(account?.pubkey).to.deep.equal(node);
    expect(told[2]).to.have.nested.property("params.result.value.pubkey", node.toBase58());
    expect(told[2]).to.have.nested.property(
      "params.result.value.account.data[0]",
      account?.account.data.toString("base64"),
    );
    const [signed] = await connection.getSignaturesForAddress(node);
    expect(signed?.slot).to.equal(standIn.slot - 1);
    end();
  });
});
