// Whether the open internet answers: asked once a run and host, with a short limit, so that a machine without it
// goes on to the next way within seconds.
import { reason } from "./failure.mjs";

const LIMIT_MILLISECONDS = 4000;

/** @type {Map<string, Promise<string | undefined>>} */
const asked = new Map();

/**
 * @param {string} url
 * @returns {Promise<string | undefined>} why it is out of reach; undefined if it answers
 */
export function outOfReach(url) {
  const known = asked.get(url);
  if (known) return known;
  const answer = fetch(url, { method: "HEAD", signal: AbortSignal.timeout(LIMIT_MILLISECONDS) }).then(
    () => undefined,
    (error) => `${new URL(url).hostname} is out of reach (${reason(error)})`,
  );
  asked.set(url, answer);
  return answer;
}

export const PULUMI_DOWNLOADS = "https://get.pulumi.com/install.sh";
export const DOCKER_HUB = "https://registry-1.docker.io/v2/";
