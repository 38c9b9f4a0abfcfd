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

describe("a chain behind an RPC address", () => {
  it("asks no more for a server that goes away once it is closed", async () => {
    const sockets: Socket[] = [];
    const server = createServer((_, response) => {
      response.end(JSON.stringify({ jsonrpc: "2.0", id: "", result: 5 }));
    });
    server.on("upgrade", (request, socket: Socket) => {
      const key = `${request.headers["sec-websocket-key"] ?? ""}${GUID}`;
      const accept = createHash("sha1").update(key).digest("base64");
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
      sockets.push(socket);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const wsEndpoint = `ws://127.0.0.1:${port}`;
    const chain = new ConnectionChain(new Connection(`http://127.0.0.1:${port}`, { wsEndpoint }));
    const upgraded = once(server, "upgrade");
    expect(await chain.waitForSlot(5n)).to.equal(5n);
    await upgraded;

    await chain.close();
    // As a process that is killed: without the goodbye that a websocket waits for.
    for (const socket of sockets) socket.destroy();
    await new Promise((go) => setTimeout(go, AGAIN_MS));
    expect(sockets.length).to.equal(1);
    server.close();
  });
});
