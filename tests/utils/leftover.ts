/** How long a run may go on after its last test, in milliseconds. */
const PATIENCE = 30_000;

/**
 * Ends a run that something keeps open after its last test, tells what, and fails it. Or it would stand there until whoever
 * waits for all tests gives up, and nobody would know at what.
 */
export function mochaGlobalTeardown(): void {
  setTimeout(() => {
    // Mocha says the number of failed tests last, unless somebody speaks after it.
    process.once("exit", () => (process.exitCode = 1));
    const open = process.getActiveResourcesInfo().join(", ");
    process.stderr.write(
      `Still open ${String(PATIENCE / 1000)} s after the last test: ${open}. A test leaves it behind: close it there.\n`,
      () => process.exit(1),
    );
  }, PATIENCE).unref();
}
