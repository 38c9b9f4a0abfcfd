import { REFUSAL_CODES, isServerTrouble } from "@securing-tasks/client";
import { PublicKey, SendTransactionError } from "@solana/web3.js";
import { expect } from "chai";
import { CommanderError } from "commander";
import getPort from "get-port";
import { askFor, askOneOf, confirm, mustConfirm } from "../src/ask";
import { Cancelled, UsageError, UserError, afterOthers, failureOf } from "../src/failures";
import { toJson } from "../src/output";
import { connect } from "../src/rpc";

/** As the chain gives it. */
function refusal(code: number): SendTransactionError {
  const hex = code.toString(16);
  return new SendTransactionError({
    action: "simulate",
    signature: "",
    transactionMessage: `Error processing Instruction 0: custom program error: 0x${hex}`,
    logs: [],
  });
}

async function thrown(attempt: () => unknown): Promise<unknown> {
  try {
    await attempt();
  } catch (error) {
    return error;
  }
  throw new Error("Nothing was thrown.");
}

describe("failures", () => {
  it("of the program have its name, its number and exit code 1", () => {
    for (const [name, code] of Object.entries(REFUSAL_CODES)) {
      const failure = failureOf(refusal(code));
      expect(failure).to.include({ exitCode: 1, name, code });
      expect(failure.message).to.match(/\.$/);
    }
  });

  it("of flags and files have exit code 2", () => {
    expect(failureOf(new UsageError("Wrong."))).to.deep.equal({
      exitCode: 2,
      name: "UsageError",
      code: null,
      message: "Wrong.",
    });
    const unknown = new CommanderError(1, "commander.unknownOption", "error: unknown option '-x'");
    expect(failureOf(unknown)).to.include({ exitCode: 2, message: "unknown option '-x'" });
  });

  it("of a user's no, or of Ctrl-C at a question, have exit code 130", () => {
    expect(failureOf(new Cancelled()).exitCode).to.equal(130);
    const pressed = Object.assign(new Error("User force closed the prompt"), {
      name: "ExitPromptError",
    });
    expect(failureOf(pressed)).to.include({ exitCode: 130, name: "Cancelled" });
  });

  it("of a server that gives no answer have exit code 3, and name it without its key", async () => {
    const port = await getPort();
    const connection = connect({
      rpcUrl: `http://127.0.0.1:${port}/secret-key`,
      wsUrl: undefined,
      keypairPath: "",
      commitment: "confirmed",
    });
    const error = await thrown(() => connection.getSlot());
    expect(isServerTrouble(error)).to.equal(true);
    const { exitCode, name, message } = failureOf(error);
    expect([exitCode, name]).to.deep.equal([3, "NetworkError"]);
    expect(message).to.include(`127.0.0.1:${port}`).and.not.include("secret-key");
  });

  it("that nobody foresaw keep their words, and exit code 1", () => {
    expect(failureOf(new Error("Odd."))).to.include({ exitCode: 1, message: "Odd." });
    expect(failureOf("odd")).to.include({ exitCode: 1, message: "odd" });
  });

  it("about a transaction carry its signature", () => {
    const unknown = new UserError("Who knows.", { exitCode: 3, name: "Gone", signature: "SIG" });
    expect(failureOf(unknown)).to.include({ exitCode: 3, name: "Gone", signature: "SIG" });
  });
});

describe("questions", () => {
  const script = { interactive: false, yes: false, json: false };
  const question = { flag: "--amount AMOUNT", message: "How many?", read: Number };

  it("are not asked where a flag has answered", async () => {
    expect(await askFor({ ...script, interactive: true }, "3", question)).to.equal(3);
    const choice = { flag: "--role ROLE", message: "Which?", choices: [{ value: "worker" }] };
    expect(await askOneOf({ ...script, interactive: true }, "worker", choice)).to.equal("worker");
    const wrong = await thrown(() => askOneOf(script, "boss", choice));
    expect(failureOf(wrong)).to.include({ exitCode: 2 });
    expect(failureOf(wrong).message).to.include("--role").and.include("worker");
  });

  it("name the missing flag where nobody is there to answer", async () => {
    const failure = failureOf(await thrown(() => askFor(script, undefined, question)));
    expect(failure.exitCode).to.equal(2);
    expect(failure.message).to.equal("--amount AMOUNT is missing: how many.");
    expect(await askFor(script, undefined, { ...question, fallback: "7" })).to.equal(7);
  });

  it("before what can't be undone are answered by --yes and --json alone", async () => {
    expect(await confirm({ ...script, yes: true }, "Go?")).to.equal(true);
    expect(await confirm({ ...script, json: true }, "Go?")).to.equal(true);
    const failure = failureOf(await thrown(() => mustConfirm(script, "Go?")));
    expect(failure.exitCode).to.equal(2);
    expect(failure.message).to.include("--yes");
  });
});

describe("a command of several transactions", () => {
  it("names those that were executed before the one that failed, and keeps its own words", () => {
    const failed = refusal(REFUSAL_CODES.notCreator);
    expect(afterOthers(failed, [])).to.equal(failed);
    const alone = failureOf(failed);
    const some = failureOf(afterOthers(failed, ["first", "second"]));
    expect(some).to.deep.include({
      ...alone,
      message: some.message,
      executed: ["first", "second"],
    });
    expect(some.message).to.equal(
      `${alone.message}\nOf this command 2 transactions were executed before, and what they did stands:\nfirst\nsecond`,
    );
    const expired = new UserError("It never will be.", { name: "Expired", signature: "third" });
    expect(failureOf(afterOthers(expired, ["first"]))).to.deep.include({
      ...{ name: "Expired", signature: "third", exitCode: 1, executed: ["first"] },
    });
    expect(failureOf(expired)).not.to.have.property("executed");
  });
});

describe("JSON", () => {
  it("has addresses in base58, big numbers as text and bytes in hex", () => {
    const address = "So11111111111111111111111111111111111111112";
    const data = {
      amount: 2n ** 64n - 1n,
      list: [{ address: new PublicKey(address) }],
      hash: Uint8Array.of(0, 255),
      bytes: Buffer.of(1),
      none: null,
    };
    expect(JSON.parse(toJson(data))).to.deep.equal({
      amount: "18446744073709551615",
      list: [{ address }],
      hash: "00ff",
      bytes: "01",
      none: null,
    });
  });
});
