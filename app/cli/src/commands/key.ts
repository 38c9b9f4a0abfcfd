import type { Command } from "commander";
import { formatTokens, parseAmount } from "../amounts";
import { askFor } from "../ask";
import { act, leaf } from "../command";
import { UsageError, UserError } from "../failures";
import { createKeypair } from "../keys";
import { during, facts, result } from "../output";

/** `key`: for who has no Solana CLI. */
export function registerKey(root: Command): void {
  const key = root
    .command("key")
    .description("make a key, look at it, get SOL for trying things out");

  act(
    leaf(key, "create [file]", "make a key and write it as the Solana CLI does", [
      "node-operator.json",
    ]),
    async (session, _, given) => {
      const file = await askFor(session, given, {
        flag: "FILE",
        message: "File of the new key?",
        read: (text) => {
          if (text.trim() !== "") return text.trim();
          throw new UsageError("Give the path of a file that is not there yet.");
        },
      });
      const made = createKeypair(file);
      const address = made.publicKey.toBase58();
      result(session, { address, file }, [
        ...facts([
          ["address", address],
          ["file", file],
        ]),
        "Keep a copy of the file: who has it has all that is the key's, and nobody can restore it.",
      ]);
    },
  );

  act(leaf(key, "show", "address and balance of the key that signs"), async (session) => {
    const address = session.wallet.publicKey;
    const lamports = await during(session, "reading the balance", () =>
      session.chain.connection.getBalance(address),
    );
    result(
      session,
      { address, lamports: BigInt(lamports), cluster: session.cluster },
      facts([
        ["address", address.toBase58()],
        ["balance", `${formatTokens(BigInt(lamports), 9, "SOL")} on ${session.cluster}`],
      ]),
    );
  });

  act(
    leaf(
      key,
      "airdrop [amount]",
      "get SOL that is worth nothing, on localhost, devnet or testnet",
      ["2"],
    ),
    async (session, _, amount) => {
      if (session.cluster === "mainnet-beta") {
        throw new UserError("Nobody gives SOL away on mainnet. Use --url localhost or devnet.");
      }
      const lamports = await askFor(session, amount, {
        flag: "AMOUNT",
        message: "How much SOL?",
        suggestion: "1",
        read: (text) => parseAmount(text, 9),
      });
      const address = session.wallet.publicKey;
      await during(session, "waiting for the faucet", () => session.chain.fund(address, lamports));
      const balance = BigInt(await session.chain.connection.getBalance(address));
      result(
        session,
        { address, lamports: balance },
        facts([
          ["address", address.toBase58()],
          ["balance", formatTokens(balance, 9, "SOL")],
        ]),
      );
    },
  );
}
