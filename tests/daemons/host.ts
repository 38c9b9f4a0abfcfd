import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer, request } from "node:http";

/**
 * The host in front of a worker's service, which is what others see of the worker. It passes everything on, until it is told to lie
 * or goes dark. The daemon behind it knows nothing of that: as with a machine that was broken into, or unplugged.
 */
export class Host {
  private mode: "honest" | "lying" = "honest";

  private constructor(
    private readonly server: Server,
    private readonly port: number,
  ) {}

  /** A host that listens on its own port and passes on to another. */
  static async start(port: number, behind: number): Promise<Host> {
    const server = createServer((asked, answer) => {
      host.pass(asked, answer, behind);
    });
    const host = new Host(server, port);
    await host.listen();
    return host;
  }

  /** Where others reach the worker. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** From now on, what is asked of the task function is answered wrongly. */
  lie(): void {
    this.mode = "lying";
  }

  /** From now on, it passes on what it gets. */
  async behave(): Promise<void> {
    this.mode = "honest";
    if (!this.server.listening) await this.listen();
  }

  /** From now on, nobody answers. */
  async goDark(): Promise<void> {
    if (!this.server.listening) return;
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async listen(): Promise<void> {
    const { server, port } = this;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject).listen(port, "127.0.0.1", resolve);
    });
  }

  private pass(asked: IncomingMessage, answer: ServerResponse, behind: number): void {
    const { url = "/", method, headers } = asked;
    const passed = request(
      { host: "127.0.0.1", port: behind, path: url, method, headers },
      (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("end", () => {
          const body = Buffer.concat(parts);
          const lies = this.mode === "lying" && url.startsWith("/task");
          const said = lies ? lieAbout(body) : body;
          const length = { "content-length": Buffer.byteLength(said) };
          answer.writeHead(response.statusCode ?? 502, { ...response.headers, ...length });
          answer.end(said);
        });
      },
    );
    passed.on("error", () => answer.writeHead(502).end());
    asked.pipe(passed);
  }
}

/** The same, but for a wrong answer. */
function lieAbout(body: Buffer): string {
  const said = JSON.parse(body.toString("utf8")) as { answer?: string };
  return JSON.stringify({ ...said, answer: said.answer?.split("").reverse().join("") });
}
