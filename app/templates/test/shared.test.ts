import { PROGRAM_ID, submissionAddress } from "@securing-tasks/client";
import { EmbeddedChain } from "@securing-tasks/client/embedded";
import { Game } from "@securing-tasks/demo/game";
import { Keypair, PublicKey } from "@solana/web3.js";
import { expect } from "chai";
import { readFile } from "node:fs/promises";
import { RULES, workers } from "../../../tests/utils/games";
import { fromAddress, fromHex, toAddress } from "../src/shared/bytes";
import { isWebAddress } from "../src/shared/doors";
import * as submissions from "../src/shared/submissions";

const BYTECODE = "target/deploy/securing_tasks.so";
const PROGRAM = PROGRAM_ID.toBase58();

describe("what the templates share", () => {
  it("reads and writes addresses as the chain's library does", () => {
    const keys = [
      PublicKey.default,
      new PublicKey(new Uint8Array(32).fill(255)),
      new PublicKey(new Uint8Array(32).fill(1, 31)),
      ...Array.from({ length: 200 }, () => Keypair.generate().publicKey),
    ];
    for (const key of keys) {
      expect(toAddress(key.toBytes())).to.equal(key.toBase58());
      expect(fromAddress(key.toBase58())).to.deep.equal(key.toBytes());
    }
  });

  it("takes nothing else for an address", () => {
    const key = Keypair.generate().publicKey.toBase58();
    for (const text of ["", "1", `1${key}`, `${key}z`, key.replace(/.$/, "0"), "z".repeat(44)]) {
      expect(fromAddress(text), text).to.equal(null);
    }
  });

  it("takes hex of the right length alone", () => {
    expect(fromHex("00ff", 2)).to.deep.equal(Uint8Array.of(0, 255));
    for (const odd of ["00f", "00FF", "0x00", "00ff00", 255, null]) {
      expect(fromHex(odd, 2)).to.equal(null);
    }
  });

  it("asks for nothing but plain web addresses", () => {
    for (const url of [
      "http://a.b",
      "https://a.b:8080/c/d",
      "http://[::1]:80/",
      "http://127.0.0.1",
    ]) {
      expect(isWebAddress(url), url).to.equal(true);
    }
    for (const url of [
      "ftp://a.b",
      "a.b",
      "http://",
      "http://user@a.b/",
      "http://a b",
      "http://a.b/\n",
      7,
    ]) {
      expect(isWebAddress(url), String(url)).to.equal(false);
    }
  });

  it("finds the address of a submission", () => {
    for (let round = 0; round < 20; round++) {
      const [task, owner] = [Keypair.generate().publicKey, Keypair.generate().publicKey];
      expect(
        submissions.submissionAddress(PROGRAM, task.toBase58(), round * 997, owner.toBase58()),
      ).to.equal(submissionAddress(task, BigInt(round * 997), owner).toBase58());
    }
  });

  describe("reading what the program logged", () => {
    let logs: readonly string[];
    let expected: submissions.Submitted;

    before(async () => {
      const chain = EmbeddedChain.start([{ id: PROGRAM_ID, bytecode: await readFile(BYTECODE) }]);
      const game = await Game.start({
        chain,
        currency: "sol",
        rules: RULES,
        seats: workers(5_000n, "Ada"),
        pool: 1_000n,
      });
      const { owner, operator } = game.player("Ada");
      const round = await game.round();
      const payloadHash = new Uint8Array(32).fill(9);
      const builder = game.client.submitWork({
        task: game.task.address,
        owner: owner.publicKey,
        operator: operator.publicKey,
        round,
        payloadHash,
        payloadUri: "http://a.b/c",
      });
      ({ logs } = await chain.send(await builder.transaction(), [game.bank, operator]));
      expected = {
        task: game.task.address.toBase58(),
        submission: submissionAddress(game.task.address, round, owner.publicKey).toBase58(),
        owner: owner.publicKey.toBase58(),
        round: Number(round),
        payloadHash: Buffer.from(payloadHash).toString("hex"),
      };
    });

    it("finds a submission in the bytes of a real one", () => {
      expect(submissions.submittedIn(logs, PROGRAM)).to.deep.equal([expected]);
    });

    it("does not believe another program that writes the same", () => {
      const data = logs.find((line) => line.startsWith("Program data: ")) ?? "";
      const other = Keypair.generate().publicKey.toBase58();
      for (const forged of [
        [data],
        [`Program ${other} invoke [1]`, data, `Program ${other} success`],
        [
          `Program ${PROGRAM} invoke [1]`,
          `Program ${other} invoke [2]`,
          data,
          `Program ${other} success`,
          `Program ${PROGRAM} success`,
        ],
        [`Program ${other} invoke [1]`, `Program log: Program ${PROGRAM} invoke [2]`, data],
        [
          `Program ${PROGRAM} invoke [1]`,
          `Program ${PROGRAM} success`,
          `Program ${other} invoke [1]`,
          data,
        ],
      ]) {
        expect(submissions.submittedIn(forged, PROGRAM)).to.deep.equal([]);
      }
      const called = [`Program ${other} invoke [1]`, `Program ${PROGRAM} invoke [2]`, data];
      expect(submissions.submittedIn(called, PROGRAM)).to.deep.equal([expected]);
    });
  });
});
