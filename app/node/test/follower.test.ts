import { Connection, Keypair } from "@solana/web3.js";
import { expect } from "chai";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { Follower } from "../dist/follower";

/** Of RFC 6455. */
const KEY = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const PAGE = "<html>Bad gateway</html>";

describe("a subscription", () => {
  it("that is told what is no message ends, and is made again: the process goes on", async () => {
    const server = createServer();
    const sockets: Duplex[] = [];
    server.on("upgrade", ({ headers }, socket: Duplex) => {
      sockets.push(socket);
      const key = `${headers["sec-websocket-key"] ?? ""}${KEY}`;
      const accept = createHash("sha1").update(key).digest("base64");
      socket.on("error", () => socket.destroy());
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
      // A whole text message of less than 126 bytes, once something was asked.
      socket.once("data", () =>
        socket.write(Buffer.from([0x81, PAGE.length, ...Buffer.from(PAGE)])),
      );
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const ending = new AbortController();
    const told: string[] = [];
    await new Promise<void>((resolve) => {
      new Follower({
        // It is not asked.
        connection: new Connection("http://127.0.0.1:1"),
        wsUrl: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
        task: Keypair.generate().publicKey,
        pollMs: 60_000,
        onWake: () => undefined,
        onTrouble: (message) => {
          told.push(message);
          if (told.length === 4) resolve();
        },
        signal: ending.signal,
      }).start();
    });
    ending.abort();
    for (const socket of sockets) socket.destroy();
    server.close();
    for (const message of told)
      expect(message).to.match(/^Unexpected token '<'.* is not valid JSON/);
    // Two subscriptions, each made again.
    expect(sockets.length).to.be.at.least(4);
  });
});
