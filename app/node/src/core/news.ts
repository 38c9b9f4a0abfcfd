import type { AccountInfo } from "@solana/web3.js";
import { PublicKey } from "@solana/web3.js";
import { z } from "zod";

const account = z.object({
  lamports: z.int().nonnegative(),
  owner: z.string(),
  data: z.tuple([z.string(), z.literal("base64")]),
});
const news = z.object({
  context: z.object({ slot: z.int().nonnegative() }),
  value: z.union([z.object({ pubkey: z.string(), account }), account]),
});

/** What a notification says of an account; `address` is null where it is the one that was subscribed to. Throws where it makes no sense. */
export function readNews(told: unknown): {
  readonly slot: bigint;
  readonly address: PublicKey | null;
  readonly info: AccountInfo<Buffer>;
} {
  const { data } = news.safeParse(told);
  if (!data) throw new Error("What the RPC server told of an account makes no sense.");
  const { context, value } = data;
  const { lamports, owner, data: bytes } = "pubkey" in value ? value.account : value;
  return {
    slot: BigInt(context.slot),
    address: "pubkey" in value ? new PublicKey(value.pubkey) : null,
    info: {
      lamports,
      owner: new PublicKey(owner),
      data: Buffer.from(bytes[0], "base64"),
      executable: false,
    },
  };
}
