/* The thread of functions, in Node.js. */
import { parentPort } from "node:worker_threads";
import { usePrimitives } from "../core/primitives";
import { serveRuns } from "../core/thread";
import { NATIVE } from "./primitives";
import { compileQuickJs } from "./quickjs";
import { THIS_THREAD, threadTime } from "./thread-time";

const port = parentPort;
if (port === null) throw new Error("worker.js runs as a worker thread alone");

usePrimitives(NATIVE);
const hear = serveRuns({
  send: (message) => {
    port.postMessage(message);
  },
  quickjs: compileQuickJs(),
  name: THIS_THREAD,
  time: threadTime,
});
port.on("message", hear);
