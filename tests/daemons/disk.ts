import { execFile } from "node:child_process";
import { open, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Room for a daemon's state and SQLite's log of it, which alone grows to 4 MB. */
const MEGABYTES = 24;
const PART = Buffer.alloc(65_536, 1);

/** A small file system of its own, which can be full. */
export class Disk {
  private readonly ballast: string;

  private constructor(readonly folder: string) {
    this.ballast = join(folder, "ballast");
  }

  /** Null where this process may not mount any: that takes root, on Linux. */
  static async mount(folder: string): Promise<Disk | null> {
    await mkdir(folder, { recursive: true });
    try {
      await run("mount", ["-t", "tmpfs", "-o", `size=${MEGABYTES}m`, "tmpfs", folder]);
    } catch {
      return null;
    }
    return new Disk(folder);
  }

  /** From now on, no byte finds room. */
  async fill(): Promise<void> {
    const file = await open(this.ballast, "a");
    try {
      for (;;) await file.write(PART);
    } catch (error) {
      if ((error as { code?: unknown }).code !== "ENOSPC") throw error;
    } finally {
      await file.close();
    }
  }

  async free(): Promise<void> {
    await rm(this.ballast, { force: true });
  }

  async unmount(): Promise<void> {
    await run("umount", [this.folder]);
  }
}
