import { readFile } from "node:fs/promises";
import { Keypair } from "@solana/web3.js";
import { expect } from "chai";
import { deploy } from "../migrations/deploy";
import type { Deployment } from "../migrations/deploy";
import { programDataAddress, readProgramData } from "../migrations/upgradeable-loader";
import { refusal } from "./utils/refusal";
import { BYTECODE, localnet, programKey, upgradeAuthority } from "./utils/validator";

const SOL = 1_000_000_000n;

describe("deployment", () => {
  let bytecode: Buffer;

  before(async () => {
    bytecode = await readFile(BYTECODE);
  });

  /** A deployment of the same bytecode under an id of its own. */
  async function fresh(lamports: bigint): Promise<Deployment> {
    const payer = Keypair.generate();
    if (lamports > 0n) await localnet().fund(payer.publicKey, lamports);
    const authority = Keypair.generate();
    return { chain: localnet(), payer, authority, program: Keypair.generate(), bytecode };
  }

  async function onChain(program: Keypair): Promise<Buffer> {
    const account = await localnet().account(programDataAddress(program.publicKey));
    const data = account && readProgramData(account);
    if (!data) throw new Error("The program has no data.");
    return data.bytes;
  }

  it("finds nothing to do for what is deployed", async () => {
    const result = await deploy({
      chain: localnet(),
      payer: upgradeAuthority,
      authority: upgradeAuthority,
      program: await programKey(),
      bytecode,
    });
    expect(result).to.equal("unchanged");
  });

  it("deploys, upgrades to longer and to shorter bytecode, and does nothing twice", async () => {
    const deployment = await fresh(50n * SOL);
    let parts: [number, number] | undefined;
    const onProgress = (written: number, all: number): void => {
      parts = [written, all];
    };
    expect(await deploy({ ...deployment, onProgress })).to.equal("deployed");
    expect((await onChain(deployment.program)).equals(bytecode)).to.equal(true);
    expect(parts?.[0]).to.equal(parts?.[1]);
    expect(await deploy(deployment)).to.equal("unchanged");

    // The loader reads the sections that the header names: what lies behind them changes the bytes, not the program.
    const longer = { ...deployment, bytecode: Buffer.concat([bytecode, Buffer.alloc(100, 1)]) };
    expect(await deploy(longer)).to.equal("upgraded");
    const room = await onChain(deployment.program);
    expect(room.subarray(0, longer.bytecode.length).equals(longer.bytecode)).to.equal(true);
    expect(await deploy(longer)).to.equal("unchanged");

    expect(await deploy(deployment)).to.equal("upgraded");
    expect(await deploy(deployment)).to.equal("unchanged");
  });

  it("says how much SOL is missing, and spends none", async () => {
    const deployment = await fresh(SOL / 100n);
    const { message } = await refusal(deploy(deployment));
    expect(message).to.match(
      /^The deployment needs \d+\.\d{6} SOL, and its payer \w+ holds 0\.010000 SOL\./,
    );
    const missing = /Send it (\d+)\.(\d{6}) SOL and run this again\.$/.exec(message);
    const lamports = BigInt(`${missing?.[1] ?? ""}${missing?.[2] ?? ""}000`);
    expect(await localnet().connection.getBalance(deployment.payer.publicKey)).to.equal(10_000_000);

    // What it asked for is enough.
    await localnet().fund(deployment.payer.publicKey, lamports);
    expect(await deploy(deployment)).to.equal("deployed");
  });

  it("names the right authority when given the wrong one", async () => {
    const program = await programKey();
    const wrong = Keypair.generate();
    const { message } = await refusal(
      deploy({
        chain: localnet(),
        payer: upgradeAuthority,
        authority: wrong,
        program,
        bytecode: Buffer.concat([bytecode, Buffer.from([1])]),
      }),
    );
    expect(message).to.equal(
      `Only ${upgradeAuthority.publicKey.toBase58()} may upgrade program ${program.publicKey.toBase58()}, ` +
        `and the authority given is ${wrong.publicKey.toBase58()}. Give the right key with --authority.`,
    );
  });

  it("refuses an id that is no program", async () => {
    const deployment = await fresh(SOL);
    const { message } = await refusal(deploy({ ...deployment, program: deployment.payer }));
    expect(message).to.contain("is taken by something that can't be upgraded");
  });
});
