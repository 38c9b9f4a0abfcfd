import { AUDITOR_HEADER } from "@securing-tasks/node";
import type { Exchange } from "@securing-tasks/sandbox";
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer, request } from "node:http";

/** The headers that sign another answer in place of the one that came with these. */
export type Forger = (
  exchange: Omit<Exchange, "slot">,
  headers: IncomingHttpHeaders,
) => Promise<Readonly<Record<string, string>>>;

/**
 * The host in front of a worker's service, which is what others see of the worker. It passes everything on, until it is told to lie
 * or goes dark. The daemon behind it knows nothing of that: as with a machine that was broken into, its key stolen, or unplugged.
 */
export class Host {
  /** Who asked for its work, as far as they introduced themselves, and at which moment of {@link performance}'s clock. */
  readonly asked: { readonly operator: string | null; readonly at: number }[] = [];
  private mode: "honest" | "lying" | "deaf" = "honest";
  private guarded = false;

  private constructor(
    private readonly server: Server,
    private readonly port: number,
    private readonly forge: Forger,
  ) {}

  /** A host that listens on its own port and passes on to another. */
  static async start(port: number, behind: number, forge: Forger): Promise<Host> {
    const server = createServer((asked, answer) => {
      host.pass(asked, answer, behind);
    });
    const host = new Host(server, port, forge);
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

  /** From now on, whoever asks for its work must say who it is: strangers are told that it is busy. */
  guard(): void {
    this.guarded = true;
  }

  /** From now on, it hangs up on whoever asks for its work and says who it is. */
  hangUp(): void {
    this.mode = "deaf";
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
    if (/^\/(task|payload)/.test(url)) {
      const said = headers[AUDITOR_HEADER];
      const operator = typeof said === "string" ? (said.split(".")[0] ?? null) : null;
      this.asked.push({ operator, at: performance.now() });
      if (operator === null && this.guarded) {
        answer.writeHead(503).end();
        return;
      }
      if (this.mode === "deaf") {
        asked.socket.destroy();
        return;
      }
    }
    const passed = request(
      { host: "127.0.0.1", port: behind, path: url, method, headers },
      (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("end", () => {
          const body = Buffer.concat(parts);
          const status = response.statusCode ?? 502;
          const send = (said: string | Buffer, signed: object = {}): void => {
            const length = { "content-length": Buffer.byteLength(said) };
            answer.writeHead(status, { ...response.headers, ...signed, ...length });
            answer.end(said);
          };
          if (this.mode !== "lying" || !url.startsWith("/task")) {
            send(body);
            return;
          }
          const lie = lieAbout(body);
          const exchange = { method: method ?? "GET", path: url, body: "", status, answer: lie };
          this.forge(exchange, response.headers).then(
            (signed) => {
              send(lie, signed);
            },
            () => {
              answer.destroy();
            },
          );
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
