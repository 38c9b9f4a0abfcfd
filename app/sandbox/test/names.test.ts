import dns from "node:dns";
import type { LookupAddress } from "node:dns";
import net from "node:net";
import type { LookupFunction } from "node:net";
import os from "node:os";
import { expect } from "chai";
import { liveDoors } from "@securing-tasks/sandbox";
import type { DoorOptions, Doors } from "@securing-tasks/sandbox";
import { Connection } from "@solana/web3.js";
import { Dns, Web, rejection } from "./utils";
import type { Name } from "./utils";

describe("names of strangers' servers", () => {
  const { networkInterfaces } = os;
  const { connect } = net;
  let server: Dns | undefined;
  let web: Web;

  const serve = async (
    names: Readonly<Record<string, Name>> = {},
    lateMs?: number,
  ): Promise<Dns> => {
    server = await Dns.serve(names, lateMs);
    return server;
  };
  const doors = (options: Partial<DoorOptions> = {}): Doors =>
    liveDoors({ connection: new Connection(web.url), timeoutMs: 2_000, ...options });
  /** A machine with these addresses. */
  const machine = (...addresses: readonly string[]): void => {
    os.networkInterfaces = () => ({
      eth0: addresses.map((address) => ({
        address,
        netmask: "",
        mac: "",
        internal: false,
        cidr: null,
        ...(net.isIPv4(address)
          ? { family: "IPv4" }
          : { family: "IPv6", scopeid: address.startsWith("fe80:") ? 2 : 0 }),
      })),
    });
  };
  /** Leads every connection to the server on loopback, and notes which addresses it was told of. */
  const intercept = (): LookupAddress[][] => {
    const told: LookupAddress[][] = [];
    net.connect = ((options: net.NetConnectOpts & { host: string; lookup?: LookupFunction }) => {
      // The probe's own.
      if (options.lookup === undefined) return connect(options);
      const { port } = new URL(web.url);
      return connect({
        host: "somewhere",
        port: Number(port),
        lookup: (hostname, how, callback) => {
          options.lookup?.(options.host, { ...how, all: true }, (_error, all) => {
            told.push(all as LookupAddress[]);
            options.lookup?.(options.host, { all: false }, (_none, first, family) => {
              told.push([{ address: first as string, family: family ?? 0 }]);
              callback(null, [{ address: "127.0.0.1", family: 4 }]);
            });
          });
        },
      });
    }) as typeof connect;
    return told;
  };

  before(async () => {
    web = await Web.serve((_request, response) => response.end("here"));
  });
  beforeEach(() => {
    machine("192.0.2.2", "2001:db8::2");
  });
  afterEach(async () => {
    os.networkInterfaces = networkInterfaces;
    net.connect = connect;
    server?.restore();
    await server?.stop();
    server = undefined;
  });
  after(() => web.close());

  it("that are never answered hold up no others, and are called off", async () => {
    await serve({ "silent.test": "silent", "private.test": ["10.0.0.1"] });
    let pool = 0;
    const { lookup } = dns;
    Object.assign(dns, { lookup: () => pool++ });
    try {
      const guarded = doors({ probes: ["http://127.0.0.1:1"] });
      const begun = performance.now();
      const silent = Array.from({ length: 50 }, () =>
        rejection(guarded.http({ url: "http://silent.test/" })),
      );
      const other = await rejection(guarded.http({ url: "http://private.test/" }));
      expect(other.reason).to.equal("refused");
      for (const error of await Promise.all(silent)) expect(error.reason).to.equal("timeout");
      expect(performance.now() - begun).to.be.within(1_950, 6_000);
      const asked = server?.asked.length;
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      expect(server?.asked.length).to.equal(asked);
      expect(pool).to.equal(0);
    } finally {
      Object.assign(dns, { lookup });
    }
  });

  it("are there if either family is, IPv4 first, and only public addresses are called", async () => {
    await serve(
      {
        "both.test": ["2600::1", "9.9.9.9", "10.0.0.1", "::1", "8.8.8.8"],
        "four.test": ["9.9.9.9"],
        "six.test": ["2600::1"],
        "mute4.test": { silent: 4, is: "2600::1" },
        "mute6.test": { silent: 6, is: "9.9.9.9" },
      },
      50,
    );
    const told = intercept();
    for (const [name, addresses] of [
      ["both.test", ["9.9.9.9", "8.8.8.8", "2600::1"]],
      ["four.test", ["9.9.9.9"]],
      ["six.test", ["2600::1"]],
      ["mute4.test", ["2600::1"]],
      ["mute6.test", ["9.9.9.9"]],
    ] as const) {
      const { body } = await doors().http({ url: `http://${name}/` });
      expect(body, name).to.equal("here");
      const [all, [first] = []] = told.splice(0);
      expect(all?.map(({ address }) => address)).to.have.members(addresses);
      expect(all?.map(({ family }) => family)).to.deep.equal(
        addresses.map((address) => net.isIP(address)),
      );
      expect(first).to.deep.equal(all?.[0]);
    }
  });

  it("are asked for in the families that this machine has", async () => {
    await serve({ "both.test": ["2600::1", "9.9.9.9"] });
    const told = intercept();
    for (const [own, addresses] of [
      [["192.0.2.2", "fe80::2"], ["9.9.9.9"]],
      [["2001:db8::2"], ["2600::1"]],
      [[], ["9.9.9.9", "2600::1"]],
    ] as const) {
      machine(...own);
      await doors().http({ url: "http://both.test/" });
      expect(told.splice(0)[0]?.map(({ address }) => address)).to.deep.equal(addresses);
    }
    os.networkInterfaces = () => {
      throw new Error("as on Android");
    };
    await doors().http({ url: "http://both.test/" });
    expect(told[0]).to.have.length(2);
  });

  it("lead to this machine without being asked for, and so nowhere", async () => {
    await serve({ localhost: ["9.9.9.9"], "a.localhost": ["9.9.9.9"] });
    const { port } = new URL(web.url);
    for (const host of ["localhost", "LOCALHOST.", "a.localhost", "a.localhost."]) {
      const error = await rejection(doors().http({ url: `http://${host}:${port}/` }));
      expect(error, host).to.include({ reason: "refused", ours: false });
    }
    expect(server?.asked).to.deep.equal([]);
    const open = await doors({ allowPrivateNetwork: true }).http({
      url: `http://localhost:${port}/`,
    });
    expect(open.body).to.equal("here");
  });

  it("that nobody knows are their owner's fault while DNS answers", async () => {
    await serve({ "silent.test": "silent", "empty.test": [] });
    for (const [name, reason] of [
      ["nowhere.test", "unreachable"],
      ["empty.test", "unreachable"],
      ["silent.test", "timeout"],
    ] as const) {
      const error = await rejection(doors({ timeoutMs: 1_000 }).http({ url: `http://${name}/` }));
      expect(error, name).to.include({ reason, ours: false });
      expect(error.message).to.contain(name);
    }
    expect(server?.asked).to.include("2 ");
  });

  it("that this node can't ask for are its own trouble, though its probe is up", async () => {
    await serve({ "some.test": "silent", "": "silent" });
    const short = { timeoutMs: 1_000 };
    const silent = await rejection(doors(short).http({ url: "http://some.test/" }));
    expect(silent).to.include({ reason: "timeout", ours: true });
    await server?.stop();
    const gone = await rejection(doors(short).http({ url: "http://some.test/" }));
    expect(gone).to.include({ reason: "unreachable", ours: true });
  });

  it("are not needed where a server is named by its address: then DNS may be down", async () => {
    await serve({ "": "silent" });
    net.connect = ((options: net.NetConnectOpts & { host: string }) => {
      if (options.host === "127.0.0.1") return connect(options);
      // As on a machine without IPv6.
      const socket = new net.Socket();
      return socket.destroy(Object.assign(new Error("connect"), { code: "EADDRNOTAVAIL" }));
    }) as typeof connect;
    const theirs = await rejection(doors().http({ url: "http://[2600::1]/" }));
    expect(theirs).to.include({ reason: "unreachable", ours: false });
    expect(server?.asked).to.deep.equal([]);
    // The machine's ports are used up: the probe has none either.
    const probes = ["http://192.0.2.1/"];
    const own = await rejection(doors({ probes }).http({ url: "http://[2600::1]/" }));
    expect(own).to.include({ reason: "unreachable", ours: true });
  });
});
