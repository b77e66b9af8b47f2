// One GET over kept-alive connections. A server may close an idle connection in the very moment it is used
// again; such a request has reached nobody, so it is sent once more, on a new connection.
import { Agent, get } from "node:http";

const agent = new Agent({ keepAlive: true });
const timeoutMs = 5_000;
const largestBody = 1024 * 1024;

/**
 * @param {URL} url
 * @returns {Promise<unknown>} the JSON of a 200
 */
export async function getJson(url) {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    return await once(url, agent, signal);
  } catch (error) {
    if (!(error instanceof StaleConnection)) throw error;
    return await once(url, false, signal);
  }
}

class StaleConnection extends Error {}

/**
 * @param {URL} url
 * @param {Agent | false} connections
 * @param {AbortSignal} signal
 * @returns {Promise<unknown>}
 */
function once(url, connections, signal) {
  return new Promise((resolve, reject) => {
    let answered = false;
    const request = get(
      url,
      { agent: connections, signal, headers: { accept: "application/json" } },
      async (response) => {
        answered = true;
        try {
          let body = "";
          response.setEncoding("utf8");
          for await (const chunk of response) {
            body += chunk;
            if (body.length > largestBody) throw new Error("the answer is too large");
          }
          if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`);
          resolve(JSON.parse(body));
        } catch (error) {
          reject(error);
        }
      },
    );
    request.on("error", (/** @type {NodeJS.ErrnoException} */ error) => {
      const reset = error.code === "ECONNRESET" || error.code === "EPIPE";
      if (reset && request.reusedSocket && !answered) reject(new StaleConnection());
      else if (signal.aborted) reject(new Error(`no answer within ${timeoutMs} ms`));
      else reject(error);
    });
  });
}
