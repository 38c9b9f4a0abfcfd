/*
 * Texts that the accused chose meet regular expressions here: those of the schema, and the schema library's own. Many a plain one, `a.*b`,
 * takes a time that grows with the square of the text. So what they are given is bounded, each text by its square. The library has no place
 * for that, but every match goes through `exec`.
 */

/** Throws where the texts that are given to regular expressions meanwhile have together more than this, each squared. */
export function withBoundedPatterns<T>(most: number, run: () => T): T {
  const { prototype } = RegExp;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called by `Reflect.apply`
  const { exec } = prototype;
  let left = most;
  prototype.exec = function (text) {
    left -= text.length ** 2;
    if (left < 0) throw new Error("The texts are too long for patterns.");
    return Reflect.apply(exec, this, [text]);
  };
  try {
    return run();
  } finally {
    prototype.exec = exec;
  }
}
