import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import type { EvidenceRef, TaskEventNamed } from "@securing-tasks/client";
import type { PublicKey } from "@solana/web3.js";
import { UsageError } from "./failures";
import type { Session } from "./session";

/** What goes with an accusation, of a file and an address that a user names; null for neither. */
export async function evidenceOf(
  file: string | undefined,
  uri: string | undefined,
): Promise<EvidenceRef | null> {
  if (file === undefined) {
    if (uri === undefined) return null;
    throw new UsageError(
      "--evidence-uri alone lets anybody change the evidence later. Give the file too, with --evidence FILE: its SHA-256 goes with the accusation.",
    );
  }
  const hash = createHash("sha256");
  try {
    await pipeline(createReadStream(file), hash);
  } catch (error) {
    const { code } = error as { code?: unknown };
    throw new UsageError(
      `The evidence ${file} can't be read: ${code === "ENOENT" ? "there is no such file" : String(code ?? error)}. Give the path of a file.`,
    );
  }
  return { hash: Uint8Array.from(hash.read() as Buffer), uri: uri ?? "" };
}

/** Signatures that one question gives, at most. */
const PAGE = 1_000;

/** What the opening of an audit told, which alone has the address of its evidence; null where the server keeps no record of it. */
export async function openingOf(
  { chain, client }: Session,
  audit: PublicKey,
): Promise<TaskEventNamed<"auditOpened">["data"] | null> {
  try {
    let first: string | undefined;
    for (;;) {
      const page = await chain.connection.getSignaturesForAddress(
        audit,
        { limit: PAGE, ...(first !== undefined && { before: first }) },
        "confirmed",
      );
      first = page.at(-1)?.signature ?? first;
      if (page.length < PAGE) break;
    }
    if (first === undefined) return null;
    const { events } = client.events(await chain.outcome(first));
    for (const event of events) {
      if (event.name === "auditOpened" && event.data.audit.equals(audit)) return event.data;
    }
  } catch {
    // The hash is in the account: what it can't say is left out.
  }
  return null;
}
