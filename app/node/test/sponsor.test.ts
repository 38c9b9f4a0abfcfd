import { EmbeddedChain } from "@securing-tasks/client/embedded";
import { Store } from "@securing-tasks/node";
import type { Connection } from "@solana/web3.js";
import { ComputeBudgetProgram, Keypair, SystemProgram, Transaction } from "@solana/web3.js";
import { expect } from "chai";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { refusal } from "../../../tests/utils/refusal";
import { urgency, within } from "../src/host/urgency";
import type { Errand, SendStep, SenderOptions } from "../src/core/sender";
import { Sender } from "../src/core/sender";
import type { SponsorOptions } from "../src/core/sponsor";
import { DAY_SLOTS, Sponsor, SponsorError } from "../src/core/sponsor";
import type { Mode, PaymasterOptions } from "./utils/paymaster";
import { Paymaster } from "./utils/paymaster";

const GIFT = 1_000_000;
const SOL = 1_000_000_000n;

describe("a sponsor that pays in the operator's place", () => {
  let folder: string;
  let store: Store;
  let chain: EmbeddedChain;
  let operator: Keypair;
  let receiver: Keypair;
  let steps: SendStep[];
  let results: string[];
  let closing: (() => Promise<void>)[];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "securing-tasks-sponsor-"));
    store = new Store(folder);
    chain = EmbeddedChain.start();
    operator = Keypair.generate();
    receiver = Keypair.generate();
    steps = [];
    results = [];
    closing = [];
  });

  afterEach(async () => {
    for (const close of closing) await close();
    store.close();
    rmSync(folder, { recursive: true });
  });

  async function open(options: Partial<PaymasterOptions> = {}, lamports = SOL): Promise<Paymaster> {
    const paymaster = await Paymaster.start({
      connection: chain.connection,
      allowedPrograms: [SystemProgram.programId, ComputeBudgetProgram.programId],
      ...options,
    });
    closing.push(() => paymaster.close());
    if (lamports > 0n) await chain.fund(paymaster.address, lamports);
    return paymaster;
  }

  function sponsorAt(url: string, options: Partial<SponsorOptions> = {}): Sponsor {
    const ending = new AbortController();
    closing.push(() => {
      ending.abort();
      return Promise.resolve();
    });
    return new Sponsor({
      url,
      user: operator.publicKey,
      perSecond: 1_000,
      timeoutMs: 2_000,
      fallback: "none",
      urgency,
      onResult: (result) => results.push(result),
      signal: ending.signal,
      ...options,
    });
  }

  const sender = (sponsor: Sponsor, options: Partial<SenderOptions> = {}): Sender =>
    new Sender({
      connection: chain.connection,
      outbox: store,
      payer: operator,
      sponsor,
      pollMs: 2,
      resendMs: 10,
      onStep: (step) => steps.push(step),
      ...options,
    });

  /** A gift of whoever pays, which the operator must sign too. Done twice, it would show. */
  const gift = (key = "gift", lamports = GIFT): Errand => ({
    key,
    instructions: (payer) =>
      Promise.resolve([
        SystemProgram.transfer({
          fromPubkey: operator.publicKey,
          toPubkey: receiver.publicKey,
          lamports: 0,
        }),
        SystemProgram.transfer({ fromPubkey: payer, toPubkey: receiver.publicKey, lamports }),
      ]),
  });

  const balance = ({ publicKey }: Pick<Keypair, "publicKey">): Promise<number> =>
    chain.connection.getBalance(publicKey);

  /** The chain's connection with some of its requests replaced. */
  const troubled = (changes: Partial<Connection>): Connection =>
    Object.assign(Object.create(chain.connection) as Connection, changes);

  function sponsors(error: unknown): SponsorError {
    if (error instanceof SponsorError) return error;
    throw new Error(`It is no trouble of the sponsor's: ${String(error)}`);
  }

  /** The trouble that it ends with, of which nothing came. */
  async function trouble(sending: Promise<unknown>): Promise<SponsorError> {
    const error = await refusal(sending);
    expect(await balance(receiver)).to.equal(0);
    expect(store.letters()).to.deep.equal([]);
    return sponsors(error);
  }

  it("pays for an operator without a lamport, and signs before it sees the operator's signature", async () => {
    const paymaster = await open();
    const delivery = await sender(sponsorAt(paymaster.url)).send(gift());
    expect(delivery.status).to.equal("landed");
    expect(await balance(receiver)).to.equal(GIFT);
    expect(await balance(operator)).to.equal(0);
    const fees = 2 * 5_000;
    expect(await balance({ publicKey: paymaster.address })).to.equal(Number(SOL) - GIFT - fees);
    const [asked] = paymaster.asked.filter(({ method }) => method === "signTransaction");
    const transaction = Transaction.from(Buffer.from(String(asked?.params.transaction), "base64"));
    expect(transaction.signatures.map(({ signature }) => signature)).to.deep.equal([null, null]);
    expect(asked?.params).to.include({
      signer_key: paymaster.address.toBase58(),
      user_id: operator.publicKey.toBase58(),
      sig_verify: false,
    });
    expect(steps.map(({ step }) => step)).to.deep.equal(["sent", "landed"]);
    expect(results).to.deep.equal(["signed"]);
  });

  it("is asked once who it is, and for the key that was configured", async () => {
    const paymaster = await open();
    const sponsor = sponsorAt(paymaster.url);
    for (const key of ["a", "b"]) await sender(sponsor).send(gift(key));
    expect(paymaster.count("getPayerSigner")).to.equal(1);
    const other = Keypair.generate().publicKey;
    const wrong = sponsorAt(paymaster.url, { address: other });
    await chain.fund(other, SOL);
    for (let tries = 0; tries < 2; tries += 1) {
      const error = await refusal(sender(wrong).send(gift("c")));
      expect(error.message).to.contain(`Signer with pubkey ${other.toBase58()} not found`);
    }
    expect(paymaster.count("getPayerSigner")).to.equal(1);
    const right = sponsorAt(paymaster.url, { address: paymaster.address });
    expect((await sender(right).send(gift("d"))).status).to.equal("landed");
  });

  for (const mode of ["addInstruction", "changeAmount", "changeBlockhash"] as const) {
    it(`is refused where it changes the transaction (${mode}), and nothing is sent`, async () => {
      const paymaster = await open();
      paymaster.mode = mode;
      const error = await trouble(sender(sponsorAt(paymaster.url)).send(gift()));
      expect(error.reason).to.equal("changedTransaction");
      expect(error.message).to.match(/^The sponsor 127.0.0.1:\d+ CHANGED THE TRANSACTION/);
      expect(paymaster.signed).to.have.length(1);
      expect(steps.map(({ step }) => step)).to.deep.equal(["unsponsored"]);
    });
  }

  for (const mode of ["forge", "unsigned"] as const) {
    it(`is refused where its signature is not its own (${mode})`, async () => {
      const paymaster = await open();
      paymaster.mode = mode;
      const error = await trouble(sender(sponsorAt(paymaster.url)).send(gift()));
      expect(error.reason).to.equal("badSignature");
      expect(error.message).to.contain(paymaster.address.toBase58());
    });
  }

  it("refuses in its own words, which are short, on one line, and without what is secret here", async () => {
    const [apiKey, hmacSecret, password] = ["key-4711", "secret-0815", "pass%20word"];
    const excuse = `no\n\u001b[31m for ${apiKey}, ${hmacSecret} and pass word at /deep/path ${"x".repeat(9_000)}`;
    const paymaster = await open({ apiKey, hmacSecret, basic: "me:pass word", excuse });
    const url = `${paymaster.url.replace("//", `//me:${password}@`)}/deep/path`;
    paymaster.mode = "refuse";
    const sponsor = sponsorAt(url, { apiKey, hmacSecret });
    const { reason, message } = await trouble(sender(sponsor).send(gift()));
    expect(reason).to.equal("refused");
    expect(message).to.match(
      /refuses: "no \[31m for \*\*\*, \*\*\* and \*\*\* at \*\*\* x+…" \(-32000\)/,
    );
    expect(message.length).to.be.below(300);
    expect(sponsor.trouble?.message).to.equal(message);
    paymaster.mode = "honest";
    expect((await sender(sponsor).send(gift())).status).to.equal("landed");
    expect(sponsor.trouble).to.equal(null);
  });

  it("has limits of its own, and says which", async () => {
    const paymaster = await open({ maxLamports: 10_000 });
    const options = { priorityFee: 1_000_000n, computeUnitLimit: 10_000 };
    const dear = await trouble(sender(sponsorAt(paymaster.url), options).send(gift()));
    expect(dear.message).to.contain("Fee 20000 exceeds maximum allowed 10000");
    const strict = await open({ allowedPrograms: [SystemProgram.programId] });
    const other = await trouble(sender(sponsorAt(strict.url)).send(gift()));
    expect(other.message).to.contain("ComputeBudget111111111111111111111111111111");
    expect(await sponsorAt(strict.url).faults()).to.have.length(2);
    const { url } = await open({ allowedPrograms: undefined as never });
    expect(await sponsorAt(url).faults()).to.deep.equal([]);
  });

  it("lets in who has the key, the secret and the password, and tells others what to check", async () => {
    const paymaster = await open({ apiKey: "k", hmacSecret: "s", basic: "me:pw" });
    const url = paymaster.url.replace("//", "//me:pw@");
    for (const options of [{}, { apiKey: "k" }, { apiKey: "k", hmacSecret: "t" }]) {
      const { message } = await trouble(sender(sponsorAt(url, options)).send(gift()));
      expect(message).to.match(/it answered 401. Check `sponsor.apiKey`, `sponsor.hmacSecret`/);
    }
    const keys = { apiKey: "k", hmacSecret: "s" };
    await trouble(sender(sponsorAt(paymaster.url, keys)).send(gift()));
    expect((await sender(sponsorAt(url, keys)).send(gift())).status).to.equal("landed");
  });

  it("is not followed to another address, which would be told the key", async () => {
    const elsewhere = await open();
    const paymaster = await open({ elsewhere: elsewhere.url });
    paymaster.mode = "redirect";
    const sponsor = sponsorAt(paymaster.url, { apiKey: "k", address: elsewhere.address });
    expect((await trouble(sender(sponsor).send(gift()))).reason).to.equal("unreachable");
    expect(elsewhere.asked).to.deep.equal([]);
  });

  it("is given up where it is silent, in time, and asked again later", async () => {
    const paymaster = await open();
    const sponsor = sponsorAt(paymaster.url, { timeoutMs: 100 });
    await sponsor.address();
    paymaster.mode = "silent";
    const began = performance.now();
    const error = await trouble(sender(sponsor).send(gift()));
    expect(error.reason).to.equal("unreachable");
    expect(error.message).to.match(/gives no answer/);
    expect(performance.now() - began).to.be.within(300, 3_000);
    expect(paymaster.count("signTransaction")).to.equal(3);
    paymaster.mode = "honest";
    expect((await sender(sponsor).send(gift())).status).to.equal("landed");
  });

  for (const mode of ["page", "otherId", "endless"] as const satisfies readonly Mode[]) {
    it(`is not believed, nor read without end, where it answers nonsense (${mode})`, async () => {
      const paymaster = await open();
      const sponsor = sponsorAt(paymaster.url);
      await sponsor.address();
      paymaster.mode = mode;
      expect((await trouble(sender(sponsor).send(gift()))).reason).to.equal("badAnswer");
      expect(paymaster.sentBytes).to.be.below(8_000_000);
    });
  }

  it("is asked again while it is down or takes no more for now, and for what is due first, first", async () => {
    const paymaster = await open({ perSecond: 2, retryAfter: 1 });
    const sponsor = sponsorAt(paymaster.url);
    const send = (errand: Errand): Promise<unknown> => sender(sponsor).send(errand);
    const done: string[] = [];
    const all = ["a", "b", "c", "d", "e", "f", "g", "h"].map((key) =>
      within(60_000, () => send(gift(key))).then(() => done.push(key)),
    );
    await sponsor.address();
    const reveal = within(10_000, () => send(gift("reveal"))).then(() => done.push("reveal"));
    await Promise.allSettled([...all, reveal]);
    expect(paymaster.asked.filter(({ status }) => status === 429)).not.to.have.length(0);
    // Those that were on their way already are all that came before that.
    expect(done.indexOf("reveal")).to.be.within(0, 4);
  });

  it("that says in words alone that it takes no more is asked again too", async () => {
    const paymaster = await open();
    const sponsor = sponsorAt(paymaster.url);
    await sponsor.address();
    paymaster.mode = "limit";
    const sending = sender(sponsor).send(gift());
    while (paymaster.count("signTransaction") === 0) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    paymaster.mode = "honest";
    expect((await sending).status).to.equal("landed");
    expect(results).to.deep.equal(["busy", "signed"]);
  });

  it("that did not say who it is is asked again", async () => {
    const paymaster = await open();
    const sponsor = sponsorAt(paymaster.url);
    paymaster.mode = "down";
    expect((await trouble(sender(sponsor).send(gift()))).reason).to.equal("unreachable");
    paymaster.mode = "honest";
    expect((await sender(sponsor).send(gift())).status).to.equal("landed");
  });

  it("signs anew, with a fresh blockhash, only what can't land any more: nothing is done twice", async () => {
    const paymaster = await open();
    const sponsor = sponsorAt(paymaster.url);
    const lost = troubled({ sendRawTransaction: () => Promise.resolve("") });
    const sending = sender(sponsor, { connection: lost }).send(gift());
    while (steps.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    const again = sender(sponsor, { connection: lost }).send(gift());
    expect(paymaster.signed).to.have.length(1);
    await chain.waitForSlot(200n);
    for (const one of [sending, again]) expect((await one).status).to.equal("expired");
    expect((await sender(sponsor).send(gift())).status).to.equal("landed");
    const [first, second, ...more] = paymaster.signed.map((one) => one.recentBlockhash);
    expect(first).not.to.equal(second);
    expect(more).to.deep.equal([]);
    expect(await balance(receiver)).to.equal(GIFT);
  });

  it("that waits for long signs what is fresh by then", async () => {
    const paymaster = await open();
    const sponsor = sponsorAt(paymaster.url, { timeoutMs: 100 });
    await sponsor.address();
    paymaster.mode = "silent";
    const sending = sender(sponsor).send(gift());
    while (paymaster.count("signTransaction") === 0) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await chain.waitForSlot(200n);
    paymaster.mode = "honest";
    expect((await sending).status).to.equal("landed");
  });

  it("leaves it to the operator where that was configured, and only there", async () => {
    await chain.fund(operator.publicKey, SOL);
    const paymaster = await open();
    paymaster.mode = "refuse";
    await trouble(sender(sponsorAt(paymaster.url)).send(gift()));
    expect(await balance(operator)).to.equal(Number(SOL));
    const sponsor = sponsorAt(paymaster.url, { fallback: "operator" });
    const delivery = await sender(sponsor).send(gift());
    expect(delivery.status).to.equal("landed");
    expect(await balance(operator)).to.equal(Number(SOL) - GIFT - 5_000);
    expect(await balance({ publicKey: paymaster.address })).to.equal(Number(SOL));
  });

  for (const [how, mode] of [
    ["is silent", "silent"],
    ["takes no more for long", "honest"],
  ] as const) {
    it(`leaves it to the operator in time where it ${how}`, async () => {
      await chain.fund(operator.publicKey, SOL);
      const limits = mode === "honest" ? { perSecond: 0, retryAfter: 30 } : {};
      const paymaster = await open(limits);
      paymaster.mode = mode;
      const { address } = paymaster;
      const sponsor = sponsorAt(paymaster.url, {
        address,
        timeoutMs: 10_000,
        fallback: "operator",
      });
      const began = performance.now();
      const delivery = await within(2_000, () => sender(sponsor).send(gift()));
      expect(delivery.status).to.equal("landed");
      expect(performance.now() - began).to.be.below(2_000);
      expect(await balance(operator)).to.equal(Number(SOL) - GIFT - 5_000);
    });
  }

  it("is asked anew for its key where it refused, and only where none was configured", async () => {
    const paymaster = await open();
    const sponsor = sponsorAt(paymaster.url);
    await sender(sponsor).send(gift("a"));
    expect(sponsor.key?.equals(paymaster.address)).to.equal(true);
    paymaster.payer = Keypair.generate();
    await chain.fund(paymaster.address, SOL);
    expect(sponsors(await refusal(sender(sponsor).send(gift("b")))).reason).to.equal("refused");
    expect((await sender(sponsor).send(gift("b"))).status).to.equal("landed");
    expect(sponsor.key?.equals(paymaster.address)).to.equal(true);
  });

  it("that has no SOL is told by its address, and not asked to sign", async () => {
    const paymaster = await open({}, 0n);
    const error = await trouble(sender(sponsorAt(paymaster.url)).send(gift()));
    expect(error.reason).to.equal("lackOfSol");
    expect(error.message).to.contain(paymaster.address.toBase58());
    expect(paymaster.count("signTransaction")).to.equal(0);
  });

  it("is asked for no more in a day than it may be, but for what is owed, and after a restart too", async () => {
    const paymaster = await open();
    const limited = (): Sponsor => sponsorAt(paymaster.url, { maxPerDay: 2 });
    const one = sender(limited());
    for (const key of ["a", "b"]) expect((await one.send(gift(key))).status).to.equal("landed");
    const error = sponsors(await refusal(one.send(gift("c"))));
    expect(error.reason).to.equal("maxPerDay");
    expect(error.message).to.match(/has paid for 2 transactions/);
    expect((await one.send({ ...gift("d"), owed: true })).status).to.equal("landed");
    expect(String(await refusal(sender(limited()).send(gift("c"))))).to.match(/maxPerDay/);
    expect(paymaster.count("signTransaction")).to.equal(3);
    await chain.waitForSlot(BigInt(DAY_SLOTS) + 10n);
    expect((await sender(limited()).send(gift("c"))).status).to.equal("landed");
  });

  it("signs what is urgent once more at a higher price, and the first goes on where it does not", async () => {
    const paymaster = await open();
    const sponsor = sponsorAt(paymaster.url);
    let isTaking = false;
    const connection = troubled({
      getRecentPrioritizationFees: () => Promise.resolve([]),
      sendRawTransaction: (raw, options) =>
        isTaking ? chain.connection.sendRawTransaction(raw, options) : Promise.resolve(""),
    });
    const sending = sender(sponsor, { connection, raiseMs: 20 }).send({ ...gift(), urgent: true });
    const told = (step: string): number => steps.filter((one) => one.step === step).length;
    while (told("raised") === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    paymaster.mode = "refuse";
    while (told("unsponsored") < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(store.letters().length).to.be.within(2, 4);
    expect(told("trouble")).to.equal(0);
    isTaking = true;
    expect((await sending).status).to.equal("landed");
  });
});
