// Calls of a cluster's API as its administrator, and the health of its parts.
import { readFileSync } from "node:fs";
import { get } from "node:http";
import { request } from "node:https";
import { reason } from "../failure.mjs";
import { kubeconfigOf } from "./folder.mjs";

/** @param {string} folder */
function credentials(folder) {
  const { clusters, users } = JSON.parse(readFileSync(kubeconfigOf(folder), "utf8"));
  const pem = (/** @type {string} */ text) => Buffer.from(text, "base64");
  return {
    server: clusters[0].cluster.server,
    ca: pem(clusters[0].cluster["certificate-authority-data"]),
    cert: pem(users[0].user["client-certificate-data"]),
    key: pem(users[0].user["client-key-data"]),
  };
}

/**
 * @param {string} folder
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 * @returns {Promise<any>} what it answered
 */
export async function call(folder, method, path, body) {
  const { server, ...tls } = credentials(folder);
  const headers = { accept: "application/json", "content-type": "application/json" };
  const { status, text } = await answer(
    (hear) => request(new URL(path, server), { ...tls, method, headers, agent: false }, hear),
    body && JSON.stringify(body),
  );
  if (status < 400) return text.startsWith("{") ? JSON.parse(text) : text;
  throw Object.assign(new Error(`the cluster answered ${status} to ${method} ${path}: ${text}`), { status });
}

/**
 * @param {string} url
 * @returns {Promise<string | undefined>} what is wrong; nothing, if it is well
 */
export async function ailment(url) {
  try {
    // It is asked whether it is well, and told nothing: whose certificate it has does not matter.
    const lax = { rejectUnauthorized: false, agent: false };
    const { status, text } = await answer((hear) =>
      url.startsWith("https:") ? request(url, lax, hear).end() : get(url, { agent: false }, hear),
    );
    return status === 200 ? undefined : `${status} ${text.trim().slice(0, 200)}`;
  } catch (error) {
    return reason(error);
  }
}

/**
 * @param {(hear: (response: import("node:http").IncomingMessage) => void) => import("node:http").ClientRequest} ask
 * @param {string} [body]
 * @returns {Promise<{ status: number, text: string }>}
 */
const answer = (ask, body) =>
  new Promise((resolve, reject) => {
    const asked = ask((response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    asked.setTimeout(5000, () => asked.destroy(new Error("no answer in 5 s")));
    asked.on("error", reject);
    asked.end(body);
  });
