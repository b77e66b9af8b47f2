// What an environment is authorised to run, where its config names a release: exactly what a `pulumi up` of somebody's
// has put down in the stack's state, and nothing else that may carry the tag. A pure decision.

/** What the state's EnvironmentTag says. */
export interface Authorisation {
  /** As the config named it; "" where it names none, and the environment follows its tag. */
  release: string;
  /** By image. */
  digests: Readonly<Record<string, string>>;
}

/**
 * Why a digest may not roll; undefined where it may.
 * @param recorded undefined where no `pulumi up` by hand has put anything down yet
 * @param named the release that the config names, as far as this machine's files say
 */
export function unauthorised(
  recorded: Authorisation | undefined,
  named: string | undefined,
  image: string,
  digest: string,
): string | undefined {
  const release = recorded?.release ?? "";
  if (release === "") {
    if (named === undefined) return undefined;
    return `the config names the release ${named}, and no \`pulumi up\` has led the tag to it yet`;
  }
  const digests = recorded?.digests ?? {};
  if (digests[image] === digest) return undefined;
  const authorised = digests[image];
  const what = authorised === undefined ? "which says nothing of it" : `which is ${authorised}`;
  return `not what the config names: the release ${release}, ${what}; lead the tag back with \`pulumi up\`, or name another release`;
}
