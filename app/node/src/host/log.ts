import { fstatSync, writeSync } from "node:fs";
import { isatty } from "node:tty";

/** Bytes of lines that may wait for a slow reader. */
const MOST_WAITING = 1_048_576;
const STDOUT = 1;

/** Where log lines go. */
export interface Lines {
  write(line: string): void;
}

/**
 * Standard output for log lines. What it can't take is dropped, and `onDrop` is told of each line: a full disk, a pipe that nobody reads and
 * one whose reader stands still must cost no vote. Once there is room again, lines come again; through a pipe that is closed never.
 */
export function standardOutput(onDrop: () => void): Lines {
  // A disk's writes are over when they return; anything else could stand still for ever.
  const { stdout } = process;
  if (!isatty(STDOUT) && isFile()) return new FileLines(onDrop);
  // Each write tells its own failure. Without anybody who hears it, the first would end the process.
  if (!stdout.listeners("error").includes(nothing)) stdout.on("error", nothing);
  return {
    write(line): void {
      if (stdout.errored || stdout.writableLength + line.length > MOST_WAITING) onDrop();
      else {
        stdout.write(line, (error) => {
          if (error) onDrop();
        });
      }
    },
  };
}

function isFile(): boolean {
  const found = fstatSync(STDOUT);
  return found.isFile() || found.isCharacterDevice();
}

class FileLines implements Lines {
  private torn = false;

  constructor(private readonly onDrop: () => void) {}

  write(line: string): void {
    // What is left of a line that did not fit must not spoil the next one.
    let rest = Buffer.from(this.torn ? `\n${line}` : line);
    try {
      while (rest.length > 0) rest = rest.subarray(writeSync(STDOUT, rest));
      this.torn = false;
    } catch {
      this.torn = true;
      this.onDrop();
    }
  }
}

function nothing(): void {
  // Nothing to do.
}
