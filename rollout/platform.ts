// Whether an image runs where it is to run: a pure decision.

/**
 * Why an image cannot run there, with the fix; undefined where it can, or where nobody knows.
 * @param platforms `os/architecture` of each of its platforms, with a variant where it names one
 * @param wanted what the engine's nodes run, in the same words; empty where nobody knows
 */
export function platformProblem(
  reference: string,
  platforms: readonly string[],
  wanted: readonly string[],
): string | undefined {
  const fits = platforms.some((platform) =>
    wanted.some((one) => platform === one || platform.startsWith(`${one}/`)),
  );
  if (platforms.length === 0 || wanted.length === 0 || fits) return undefined;
  const all = wanted.join(" or ");
  return `${reference} has no image for ${all}, which this engine runs; it has ${platforms.join(", ")}: build it for ${all} too`;
}
