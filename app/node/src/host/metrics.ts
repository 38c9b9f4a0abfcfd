import type { Node, Opinion, TaskRules } from "@securing-tasks/client";
import { pledged } from "@securing-tasks/client";
import { Counter, Gauge, Registry } from "prom-client";

/** What a daemon counts, for Prometheus. Each daemon has its own registry. */
export class Metrics {
  readonly registry = new Registry();
  readonly submissions = this.counter("submissions", "Work submitted");
  readonly accusations = this.counter("audits_opened", "Audits opened by this node");
  readonly votes = new Counter({
    name: `${PREFIX}votes_total`,
    help: "Votes cast or committed, by opinion",
    labelNames: ["opinion"] as const,
    registers: [this.registry],
  });
  readonly reveals = this.counter("reveals", "Committed votes revealed");
  readonly keptReveals = this.counter("kept_reveals", "Votes of others revealed as their keeper");
  readonly draws = this.counter("panels_drawn", "Panels of own accusations drawn");
  readonly missedDraws = this.counter(
    "draws_missed",
    "Panels of own accusations that were not drawn in time, so that everybody judges",
  );
  readonly appeals = this.counter("appeals", "Audits appealed by this node");
  readonly chores = new Counter({
    name: `${PREFIX}chores_total`,
    help: "Audits resolved, shares and bounties claimed, accounts closed",
    labelNames: ["chore"] as const,
    registers: [this.registry],
  });
  readonly checks = new Counter({
    name: `${PREFIX}checks_total`,
    help: "Submissions checked unasked, by what came of it",
    labelNames: ["result"] as const,
    registers: [this.registry],
  });
  readonly evidence = this.counter("evidence", "Pieces of evidence of malice that were kept");
  readonly sandboxFailures = new Counter({
    name: `${PREFIX}sandbox_failures_total`,
    help: "Runs of a function that gave nothing to go by",
    labelNames: ["function", "kind"] as const,
    registers: [this.registry],
  });
  readonly rpcErrors = this.counter("rpc_errors", "Requests to the RPC server that failed");
  readonly sends = new Counter({
    name: `${PREFIX}transactions_total`,
    help: "Steps of sending transactions",
    labelNames: ["step"] as const,
    registers: [this.registry],
  });
  readonly sponsor = new Counter({
    name: `${PREFIX}sponsor_total`,
    help: "Transactions that the sponsor was asked to pay for, by what came of it",
    labelNames: ["result"] as const,
    registers: [this.registry],
  });
  readonly requests = new Counter({
    name: `${PREFIX}http_requests_total`,
    help: "Answers of the REST service, by status",
    labelNames: ["status"] as const,
    registers: [this.registry],
  });
  readonly lostReveals = this.counter("lost_reveals", "Committed votes that were never revealed");
  readonly stateErrors = this.counter("state_errors", "Writes to the state that failed");
  readonly droppedLines = this.counter(
    "log_lines_dropped",
    "Log lines that standard output could not take",
  );
  readonly slot = this.gauge("slot", "Newest slot this node has heard of");
  readonly slotLag = this.gauge("slot_lag", "Slots between that and the last look at the chain");
  private readonly stake = this.gauge("stake_base_units", "Stake of the node");
  private readonly pledged = this.gauge(
    "pledged_base_units",
    "Bonds and deposits out of the stake: of own open accusations and votes not yet revealed",
  );
  private readonly locked = this.gauge("locked_base_units", "Shares that can't be withdrawn yet");
  private readonly payable = this.gauge("payable_base_units", "What can be withdrawn at once");
  readonly operatorLamports = this.gauge("operator_lamports", "SOL of the hot key, for fees");

  constructor() {
    new Gauge({
      name: "process_resident_memory_bytes",
      help: "Memory of the process",
      registers: [this.registry],
      collect() {
        this.set(process.memoryUsage.rss());
      },
    });
  }

  vote(opinion: Opinion): void {
    this.votes.inc({ opinion });
  }

  node(node: Node, rules: TaskRules): void {
    this.stake.set(Number(node.stake));
    this.pledged.set(Number(pledged(node, rules)));
    this.locked.set(Number(node.locked + node.lockedNext));
    this.payable.set(Number(node.payable));
  }

  private counter(name: string, help: string): Counter {
    return new Counter({ name: `${PREFIX}${name}_total`, help, registers: [this.registry] });
  }

  private gauge(name: string, help: string): Gauge {
    return new Gauge({ name: `${PREFIX}${name}`, help, registers: [this.registry] });
  }
}

const PREFIX = "securing_tasks_";
