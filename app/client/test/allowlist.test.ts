import { readAllowlist } from "@securing-tasks/client";
import { Keypair } from "@solana/web3.js";
import { expect } from "chai";

const [ada, ben] = [Keypair.generate().publicKey, Keypair.generate().publicKey];

describe("an allowlist's CSV", () => {
  it("names owners, with a role or without, each once", () => {
    const csv = [
      "Owner,Role",
      ada.toBase58(),
      `"${ben.toBase58()}" ; Witness\r`,
      "",
      "# by hand",
      `${ada.toBase58()},witness`,
      `${ada.toBase58()},worker,again`,
    ].join("\n");
    expect(readAllowlist(csv, "worker")).to.deep.equal([
      { owner: ada, role: "worker" },
      { owner: ben, role: "witness" },
      { owner: ada, role: "witness" },
    ]);
  });

  it("is refused whole, with the lines that are wrong", () => {
    const csv = [ada.toBase58(), "nobody", `${ben.toBase58()},boss`].join("\n");
    expect(() => readAllowlist(csv, "worker")).to.throw(
      'line 2 ("nobody" is no address), line 3 ("boss" is no role). Nothing was sent.',
    );
    const long = Array.from({ length: 8 }, () => "?").join("\n");
    expect(() => readAllowlist(long, "worker")).to.throw(/line 5 .* and 3 more/);
  });
});
