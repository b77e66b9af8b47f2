// Versions, compared number by number.

/**
 * The first version in a text such as `go version go1.26.8 linux/amd64`.
 * @param {string} text
 */
export const versionIn = (text) => /\d+\.\d+(\.\d+)?/.exec(text)?.[0];

/**
 * @param {string | undefined} version
 * @param {string} minimum
 */
export function atLeast(version, minimum) {
  if (!version) return false;
  const have = version.split(".").map(Number);
  for (const [index, need] of minimum.split(".").map(Number).entries()) {
    const part = have[index] ?? 0;
    if (part !== need) return part > need;
  }
  return true;
}
