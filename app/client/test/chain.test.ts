import { ConnectionChain } from "@securing-tasks/client";
import { Connection } from "@solana/web3.js";
import { expect } from "chai";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** Of every websocket's handshake. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** After that a socket that was cut is made again. */
const AGAIN_MS = 1_500;

/** A server whose subscriptions tell nothing. */
class Silent {
  readonly sockets: Socket[] = [];
  private readonly server = createServer((_, response) => {
    response.end(JSON.stringify({ jsonrpc: "2.0", id: "", result: this.slot() }));
  });

  constructor(private readonly slot: () => number) {
    this.server.on("upgrade", (request, socket: Socket) => {
      const key = `${request.headers["sec-websocket-key"] ?? ""}${GUID}`;
      const accept = createHash("sha1").update(key).digest("base64");
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
      this.sockets.push(socket);
    });
  }

  async open(): Promise<ConnectionChain> {
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
    const { port } = this.server.address() as AddressInfo;
    const wsEndpoint = `ws://127.0.0.1:${port}`;
    return new ConnectionChain(new Connection(`http://127.0.0.1:${port}`, { wsEndpoint }));
  }

  /** As a process that is killed: without the goodbye that a websocket waits for. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async subscribed(): Promise<void> {
    if (this.sockets.length === 0) await once(this.server, "upgrade");
  }

  close(): void {
    this.cut();
    this.server.closeAllConnections();
    this.server.close();
  }
}

describe("a chain behind an RPC address", () => {
  it("asks no more for a server that goes away once it is closed", async () => {
    const server = new Silent(() => 5);
    const chain = await server.open();
    expect(await chain.waitForSlot(5n)).to.equal(5n);
    await server.subscribed();

    await chain.close();
    server.cut();
    await new Promise((go) => setTimeout(go, AGAIN_MS));
    const { length } = server.sockets;
    server.close();
    expect(length).to.equal(1);
  });

  it("finds a slot that no subscription tells", async () => {
    let slot = 0;
    const server = new Silent(() => (slot = Math.min(slot + 1, 4)));
    const chain = await server.open();
    const reached = await chain.waitForSlot(4n).finally(async () => {
      await chain.close();
      server.close();
    });
    expect(reached).to.equal(4n);
  });
});
