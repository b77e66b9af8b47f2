// Starts a service of the shop as its image does: a process of its own, told things by its environment alone.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { resolve } from "node:path";
import { createInterface } from "node:readline";

// The test runner starts each test file as a process, so this is the test file's place.
const shop = resolve(process.argv[1] ?? "", "../../..");

/**
 * @param {string} file from the shop's folder, such as server/server.mjs
 * @param {Record<string, string>} env
 */
export function start(file, env = {}) {
  const child = spawn(process.execPath, [resolve(shop, file)], {
    env: { PORT: "0", ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  /** @type {Record<string, unknown>[]} */
  const log = [];
  const exit = once(child, "close").then(([code]) => code);
  /** @type {Promise<string>} */
  const listening = new Promise((found, failed) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const entry = JSON.parse(line);
      log.push(entry);
      if (entry.message === "listening") found(`http://127.0.0.1:${entry.port}`);
    });
    void exit.then((code) =>
      failed(new Error(`exited with ${code} before it listened: ${JSON.stringify(log)}`)),
    );
  });
  listening.catch(() => {});
  return {
    log,
    exit,
    listening,
    /** @param {NodeJS.Signals} signal */
    kill: (signal = "SIGTERM") => child.kill(signal),
  };
}

/**
 * @param {string} url
 * @param {{method?: string, body?: string, agent?: Agent}} [options]
 */
export async function call(url, { method = "GET", body, agent } = {}) {
  const sent = request(url, { method, agent: agent ?? false });
  sent.end(body);
  const [response] = await once(sent, "response");
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text += chunk;
  return {
    status: response.statusCode,
    headers: response.headers,
    text,
    json: text ? JSON.parse(text) : undefined,
  };
}
