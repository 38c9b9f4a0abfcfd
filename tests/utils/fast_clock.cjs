"use strict";

/*
 * Makes time pass faster for a process: `NODE_OPTIONS="--require …/fast_clock.cjs" CLOCK_SPEED=4`. All clocks and timers of JavaScript run
 * that many times as fast, so that what goes by milliseconds (polls, pings, pauses, time-outs) happens as often in a round as it would if the
 * round took its real time; also how long `fetch` keeps a connection. `AbortSignal.timeout` goes by the real one.
 */

const timers = require("node:timers");
const promises = require("node:timers/promises");
const { syncBuiltinESMExports } = require("node:module");

const speed = Number(process.env.CLOCK_SPEED ?? 1);
if (!(speed > 0)) throw new Error("CLOCK_SPEED is no number above 0.");

const RealDate = Date;
const started = RealDate.now();
const now = () => started + (RealDate.now() - started) * speed;

class FastDate extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(now());
    else super(...given);
  }

  static now() {
    return Math.floor(now());
  }
}
globalThis.Date = FastDate;

const realNow = performance.now.bind(performance);
performance.now = () => realNow() * speed;

const { hrtime } = process;
const begun = hrtime.bigint();
const fastNs = () => begun + BigInt(Math.floor(Number(hrtime.bigint() - begun) * speed));
const SECOND = 1_000_000_000n;
const fastHrtime = (since) => {
  const ns = fastNs() - (since ? BigInt(since[0]) * SECOND + BigInt(since[1]) : 0n);
  return [Number(ns / SECOND), Number(ns % SECOND)];
};
fastHrtime.bigint = fastNs;
process.hrtime = fastHrtime;

for (const name of ["setTimeout", "setInterval"]) {
  const real = timers[name];
  const fast = (callback, ms, ...rest) => real(callback, (ms ?? 1) / speed, ...rest);
  // What `promisify` and the like find on the real one.
  Object.defineProperties(fast, Object.getOwnPropertyDescriptors(real));
  timers[name] = globalThis[name] = fast;
}
const realPause = promises.setTimeout;
promises.setTimeout = (ms, ...rest) => realPause((ms ?? 1) / speed, ...rest);
syncBuiltinESMExports();
