// The image's own health check: is this container's service ready? Needs no curl.
import { get } from "node:http";

const request = get(
  { host: "127.0.0.1", port: process.env["PORT"] || 8080, path: "/healthz", agent: false, timeout: 2_000 },
  (response) => {
    process.stdout.write(`/healthz answered ${response.statusCode}\n`);
    process.exit(response.statusCode === 200 ? 0 : 1);
  },
);
request.on("timeout", () => request.destroy(new Error("no answer within 2 s")));
request.on("error", (error) => {
  process.stdout.write(`/healthz: ${error.message}\n`);
  process.exit(1);
});
