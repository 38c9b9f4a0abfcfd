import { setFlagsFromString } from "node:v8";

/*
 * A daemon waits most of its time, and what it leaves behind while it is busy is mostly garbage. V8 by itself would let that grow to
 * several times of what is used before it looks, and keep it. Imported before all else: heaps that have grown don't shrink.
 */
for (const flag of ["--optimize-for-size", "--semi-space-growth-factor=1"]) {
  setFlagsFromString(flag);
}
