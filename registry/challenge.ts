/**
 * Reads `WWW-Authenticate`: what a registry wants before it answers. Promises to understand several challenges
 * in one header or in several, quoted commas and escapes included, and to skip what it does not understand.
 */

/** One challenge: `scheme` in lower case, parameters by lower-case name. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const parameter = new RegExp(`^(${token})[ \\t]*=[ \\t]*(?:"((?:[^"\\\\]|\\\\.)*)"|(${token}))`);
const scheme = new RegExp(`^(${token})(?=[ \\t,]|$)`);
const opaque = /^[A-Za-z0-9._~+/-]+=*(?=[ \t,]|$)/;

/** The challenges in the order the registry prefers them (RFC 9110, 11.6.1); empty if there is none. */
export function parseChallenges(header: string): readonly Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  let rest = header;
  while (rest !== "") {
    const separator = /^[ \t,]+/.exec(rest);
    const pair = parameter.exec(rest);
    const name = scheme.exec(rest);
    const match = separator ?? (challenges.length > 0 ? pair : null) ?? name ?? opaque.exec(rest);
    if (match === null) return challenges;
    const current = challenges.at(-1);
    if (match === pair && current && pair) {
      const value = pair[2] === undefined ? pair[3] : pair[2].replace(/\\(.)/g, "$1");
      current.parameters[(pair[1] as string).toLowerCase()] ??= value ?? "";
    } else if (match === name && name) {
      challenges.push({ scheme: (name[1] as string).toLowerCase(), parameters: {} });
    }
    rest = rest.slice(match[0].length);
  }
  return challenges;
}
