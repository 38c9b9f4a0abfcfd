import { utils } from "@coral-xyz/anchor";
import type { AccountName } from "@securing-tasks/client";
import { SecuringTasksClient, decodeAccount } from "@securing-tasks/client";
import { PublicKey } from "@solana/web3.js";
import { expect } from "chai";
import { OFFSETS } from "../src/core/chain_source";

interface Bytes {
  readonly bytes: string;
}

describe("the places of fields that a server is asked to compare", () => {
  const { program } = new SecuringTasksClient({ connection: null as never });

  /** Fields that another first byte at a place changes. */
  function changedAt(name: AccountName, offset: number): readonly string[] {
    const size = program.coder.accounts.size(name);
    const shown = (byte: number): ReadonlyMap<string, string> => {
      const data = Buffer.alloc(size);
      data.set(utils.bytes.bs58.decode((program.coder.accounts.memcmp(name) as Bytes).bytes));
      data[offset] = byte;
      const account = decodeAccount(program, name, PublicKey.default, data);
      const text = (value: unknown): string =>
        JSON.stringify(value, (_, one: unknown) => (typeof one === "bigint" ? `${one}` : one));
      return new Map(Object.entries(account).map(([field, value]) => [field, text(value)]));
    };
    const [zero, one] = [shown(0), shown(1)];
    return [...one].flatMap(([field, value]) => (zero.get(field) === value ? [] : [field]));
  }

  it("are those of the layout", () => {
    const { of, ...kinds } = OFFSETS;
    for (const [name, fields] of Object.entries(kinds) as [AccountName, Record<string, number>][]) {
      const parent = name === "vote" ? "audit" : "task";
      expect(changedAt(name, of), name).to.deep.equal([parent]);
      for (const [field, offset] of Object.entries(fields)) {
        expect(changedAt(name, offset), `${name}.${field}`).to.deep.equal([field]);
        // The first byte of it, not another.
        expect(changedAt(name, offset - 1), `before ${name}.${field}`).not.to.include(field);
      }
    }
  });
});
