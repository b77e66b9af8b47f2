/**
 * Which repository, and with whose token: `tagalong:repository` of Pulumi.repository.yaml, and the environment variables
 * that GitHub Actions and the command `gh` use. Promises that a token goes to GitHub over TLS alone.
 */
import { parse } from "yaml";
import { z } from "zod";

export interface Repository {
  owner: string;
  name: string;
}

export interface Access {
  /** Of the API: `https://api.github.com`, or `https://HOST/api/v3` of a GitHub Enterprise Server. */
  baseUrl: string;
  token: string;
  /** The variable that it came from, for messages. */
  variable: string;
}

const tokenVariables = ["GITHUB_TOKEN", "GH_TOKEN"] as const;
const urlVariable = "GITHUB_API_URL";
const publicApi = "https://api.github.com";

const stackFile = z.object({
  config: z.object({
    "tagalong:repository": z.object({ owner: z.string().min(1), name: z.string().min(1) }).optional(),
  }),
});

/**
 * The repository that a stack file names; undefined where it names none.
 * @param text of Pulumi.repository.yaml
 * @throws Error where it names one in a way that cannot be read
 */
export function repositoryIn(text: string): Repository | undefined {
  const found = stackFile.safeParse(parse(text));
  if (found.success) return found.data.config["tagalong:repository"];
  if (!found.error.issues.some(({ path }) => path.includes("tagalong:repository"))) return undefined;
  throw new Error("tagalong:repository must be a map: owner and name of a GitHub repository");
}

/**
 * How GitHub may be asked; undefined where the environment has no token.
 * @throws Error where what it has cannot be used
 */
export function accessIn(env: NodeJS.ProcessEnv): Access | undefined {
  const variable = tokenVariables.find((name) => env[name]?.trim());
  return variable === undefined ? undefined : tokenAccess(env[variable] ?? "", variable, env);
}

/**
 * How GitHub may be asked with a token.
 * @param variable where the token came from, for messages
 * @throws Error where it cannot be used
 */
export function tokenAccess(given: string, variable: string, env: NodeJS.ProcessEnv): Access {
  const token = given.trim();
  // Nothing that could end a header, or be quoted by the error that it causes.
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new Error(`${variable} holds more than a token: put in the token alone, on one line`);
  const baseUrl = (env[urlVariable]?.trim() || publicApi).replace(/\/+$/, "");
  if (!isSafe(baseUrl))
    throw new Error(`${urlVariable} is no https URL, or one with a password in it; correct it, or unset it`);
  return { baseUrl, token, variable };
}

function isSafe(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== "" || password !== "") return false;
  return (
    protocol === "https:" || (protocol === "http:" && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname))
  );
}

/** The page of the Actions run that this process belongs to; undefined elsewhere. */
export function runPageIn(env: NodeJS.ProcessEnv): string | undefined {
  const [server, repository, run] = ["GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"].map(
    (name) => env[name],
  );
  return env["GITHUB_ACTIONS"] === "true" && server && repository && run
    ? `${server}/${repository}/actions/runs/${run}`
    : undefined;
}
