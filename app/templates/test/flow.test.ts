import type { ChainTransaction, TokenChange } from "@securing-tasks/sandbox";
import { parametersOf } from "@securing-tasks/templates";
import { Keypair } from "@solana/web3.js";
import { expect } from "chai";
import { depositor, isOrder, movement, pays, spans } from "../src/bridge-vault/flow";

const [vault, mint, account, treasury, alice, bob] = Array.from({ length: 6 }, () =>
  Keypair.generate().publicKey.toBase58(),
) as [string, string, string, string, string, string];

const common = { vault, destinations: [treasury], maxPerRound: "100", leastInflow: "10" };
const SOL = parametersOf("bridge-vault", common);
const TOKENS = parametersOf("bridge-vault", { ...common, mint, tokenAccount: account });

function transaction(parts: Partial<ChainTransaction>): ChainTransaction {
  return {
    signature: "signature",
    slot: 1,
    blockTime: null,
    failed: false,
    accounts: [],
    signers: [],
    lamportsBefore: [],
    lamportsAfter: [],
    tokens: [],
    logs: [],
    ...parts,
  };
}

/** Who had how many lamports before and after; the first pays the fee. */
function inLamports(...changes: readonly (readonly [string, number, number])[]): ChainTransaction {
  return transaction({
    accounts: changes.map(([who]) => who),
    lamportsBefore: changes.map(([, before]) => String(before)),
    lamportsAfter: changes.map(([, , after]) => String(after)),
  });
}

function inTokens(
  ...changes: readonly Pick<TokenChange, "account" | "owner" | "before" | "after">[]
) {
  return transaction({ tokens: changes.map((change) => ({ ...change, mint })) });
}

describe("the flow of a vault", () => {
  it("looks at two rounds that meet, and leaves the newest slots for later", () => {
    const task = { startSlot: 1_000, roundSlots: 100 } as Parameters<typeof spans>[0];
    expect(spans(task, 3, { lagSlots: 10 })).to.deep.equal({
      inflows: { first: 1_090, end: 1_190 },
      payouts: { first: 1_190, end: 1_290 },
    });
  });

  it("does not count a fee that is a fee, whoever pays it", () => {
    const byVault = movement(inLamports([vault, 20_000, 9_990], [treasury, 0, 10]), SOL);
    expect(byVault?.amount).to.equal(-10n);
    expect(movement(inLamports([vault, 20_000, 15_000]), SOL)).to.equal(null);
    const byOther = movement(
      inLamports([bob, 9_000, 4_000], [vault, 50, 40], [treasury, 0, 10]),
      SOL,
    );
    expect(byOther).to.deep.equal(byVault);
  });

  it("counts a fee that empties the vault", () => {
    const drained = movement(inLamports([vault, 5_000_000, 0]), SOL);
    expect(drained?.amount).to.equal(-5_000_000n);
  });

  it("knows who paid in, unless several could have", () => {
    const one = movement(inLamports([alice, 9_000, 3_950], [vault, 0, 50]), SOL);
    expect(one && depositor(one)).to.equal(alice);
    const two = movement(inLamports([bob, 9_000, 3_950], [alice, 50, 0], [vault, 0, 100]), SOL);
    expect(two && depositor(two)).to.equal(null);
    const topUp = movement(inLamports([treasury, 9_000, 3_950], [vault, 0, 50]), SOL);
    expect([one && isOrder(one, SOL), topUp && isOrder(topUp, SOL)]).to.deep.equal([true, false]);
  });

  it("pays the whole to one", () => {
    const inflow = movement(inLamports([alice, 9_000, 3_950], [vault, 0, 50]), SOL);
    const out = (...gains: readonly (readonly [string, number])[]) =>
      movement(
        inLamports(
          [bob, 9_000, 4_000],
          [vault, 50, 0],
          ...gains.map(([who, gain]) => [who, 0, gain] as const),
        ),
        SOL,
      );
    const fine = (moved: ReturnType<typeof out>) => moved && inflow && pays(moved, inflow, SOL);
    expect(fine(out([treasury, 50]))).to.equal(true);
    expect(fine(out([alice, 50]))).to.equal(true);
    expect(fine(out([treasury, 25], [alice, 25]))).to.equal(false);
    const elsewhere = Keypair.generate().publicKey.toBase58();
    expect(fine(out([elsewhere, 50]))).to.equal(false);
    expect(fine(out([treasury, 49], [elsewhere, 1]))).to.equal(false);
  });

  it("takes another token account of the vault's owner for somebody else", () => {
    const inflow = movement(
      inTokens(
        { account: "a", owner: alice, before: "50", after: "0" },
        { account, owner: vault, before: "0", after: "50" },
      ),
      TOKENS,
    );
    const to = (where: string, owner: string) =>
      movement(
        inTokens(
          { account, owner: vault, before: "50", after: "0" },
          { account: where, owner, before: "0", after: "50" },
        ),
        TOKENS,
      );
    const fine = (moved: ReturnType<typeof to>) => moved && inflow && pays(moved, inflow, TOKENS);
    expect(fine(to("t", treasury))).to.equal(true);
    expect(fine(to("a", alice))).to.equal(true);
    expect(fine(to("v", vault))).to.equal(false);
  });

  it("does not look at other mints", () => {
    const other = inTokens({ account, owner: vault, before: "50", after: "0" });
    const tokens = other.tokens.map((token) => ({ ...token, mint: bob }));
    expect(movement({ ...other, tokens }, TOKENS)).to.equal(null);
  });
});
