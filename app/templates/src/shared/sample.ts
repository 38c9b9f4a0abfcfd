/**
 * Some of these, each at most once, in the order in which they are drawn. `Math.random` is seeded by the block of the submission, so
 * every node draws the same, and who submitted could not know it.
 */
export function draw<T>(from: readonly T[], count: number): T[] {
  const left = [...from];
  const drawn: T[] = [];
  while (drawn.length < count && left.length > 0) {
    drawn.push(...left.splice(Math.floor(Math.random() * left.length), 1));
  }
  return drawn;
}
