// Runs another program: its output is kept in a log, and a failure shows the log's end and where the rest is.
import { spawn } from "node:child_process";
import { accessSync, constants, createWriteStream, mkdirSync, statSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { Failure } from "./failure.mjs";

/**
 * @typedef {object} RunOptions
 * @property {NodeJS.ProcessEnv} [env]
 * @property {string} [cwd]
 * @property {string} [log] a file that the output goes to as well
 * @property {number} [seconds] the program is killed after so long
 * @property {import("node:stream").Readable} [input]
 */

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<string>} what it said on stdout
 */
export async function run(command, args, { env, cwd, log, seconds, input } = {}) {
  if (log) mkdirSync(dirname(log), { recursive: true });
  const file = log ? createWriteStream(log) : undefined;
  const child = spawn(command, args, { env, cwd, stdio: [input ? "pipe" : "ignore", "pipe", "pipe"] });
  if (input && child.stdin) input.pipe(child.stdin);
  let out = "";
  let all = "";
  /** @param {Buffer} chunk */
  const hear = (chunk) => {
    all = (all + chunk).slice(-100_000);
    file?.write(chunk);
  };
  child.stdout?.on("data", (chunk) => {
    out += chunk;
    hear(chunk);
  });
  child.stderr?.on("data", hear);
  const timer = seconds ? setTimeout(() => child.kill("SIGKILL"), seconds * 1000) : undefined;
  try {
    const [code, signal] = await new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => resolve([code, signal]));
    });
    if (code === 0) return out;
    const ended = signal ? `was ended by ${signal}` : `failed with exit code ${code}`;
    throw new Failure(
      `${[command, ...args].join(" ")} ${ended}`,
      [gist(all), log && `all of it: ${log}`].filter(Boolean).join("\n"),
    );
  } finally {
    clearTimeout(timer);
    file?.end();
  }
}

/**
 * What a person needs of a long output: where the errors begin, and how it ended.
 * @param {string} output
 */
function gist(output) {
  const lines = output.split("\n").filter((line) => line.trim());
  const first = lines.findIndex((line) => /error|cannot|failed/i.test(line));
  if (first < 0 || lines.length - first <= 12) return lines.slice(-12).join("\n");
  return [...lines.slice(first, first + 7), "…", ...lines.slice(-4)].join("\n");
}

/** @param {string} file */
export function executable(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile() && statSync(file).size > 0;
  } catch {
    return false;
  }
}

/**
 * The program as the shell would find it, but never a wrapper of an npm package, which might start a download.
 * @param {string} name
 * @param {NodeJS.ProcessEnv} [env]
 */
export function onPath(name, env = process.env) {
  return (env.PATH ?? "")
    .split(delimiter)
    .filter((folder) => folder && !folder.includes("node_modules"))
    .map((folder) => join(folder, name))
    .find(executable);
}
