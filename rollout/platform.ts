// Whether an image runs where it is to run: a pure decision.

/**
 * Why an image cannot run there, with the fix; undefined where it can, or where nobody knows.
 * @param platforms `os/architecture` of each of its platforms, with a variant where it names one
 * @param wanted what the engine runs, in the same words
 */
export function platformProblem(
  reference: string,
  platforms: readonly string[],
  wanted: string,
): string | undefined {
  const fits = platforms.some((platform) => platform === wanted || platform.startsWith(`${wanted}/`));
  if (platforms.length === 0 || fits) return undefined;
  return `${reference} has no image for ${wanted}, which this engine runs; it has ${platforms.join(", ")}: build it for ${wanted} too`;
}
