import type { NodeConfigInput, RunningNode } from "@securing-tasks/node";
import { checkNodeConfig, startNode } from "@securing-tasks/node";
import { pino } from "pino";

/** A line of a daemon's log. */
export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A daemon in this process, with what it logs. */
export class Inside {
  /** Over all its lives. */
  readonly lines: LogLine[] = [];
  private running: RunningNode | null = null;

  constructor(readonly config: NodeConfigInput) {}

  async start(): Promise<RunningNode> {
    const write = (text: string): void => {
      this.lines.push(JSON.parse(text) as LogLine);
    };
    const logger = pino({ level: "debug" }, { write });
    this.running = await startNode(checkNodeConfig(this.config), { logger });
    return this.running;
  }

  /** The lines whose message begins so. */
  said(msg: string): LogLine[] {
    return this.lines.filter((line) => line.msg.startsWith(msg));
  }

  async stop(): Promise<void> {
    await this.running?.stop();
    this.running = null;
  }
}
