// That a repository may be written to is proved without writing to it.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { parseReference, RegistryClient } from "../../../registry";

describe("Write access", () => {
  let server: Server;
  let client: RegistryClient;
  const asked: string[] = [];
  const answers = { POST: 202, DELETE: 204 };
  beforeEach(async () => {
    asked.length = 0;
    Object.assign(answers, { POST: 202, DELETE: 204 });
    server = createServer(({ method = "", url = "" }, response) => {
      asked.push(`${method} ${url}`);
      const status = answers[method as keyof typeof answers] ?? 405;
      response.writeHead(status, { location: "/v2/shop/server/blobs/uploads/one?state=x" }).end();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    client = new RegistryClient();
  });
  afterEach(async () => {
    await client.close();
    server.closeAllConnections();
    server.close();
  });
  const prove = () => {
    const { port } = server.address() as AddressInfo;
    return client.proveWrite(parseReference(`127.0.0.1:${port}/shop/server`));
  };

  it("is proved by an upload that is opened, and cancelled where the registry says", async () => {
    await prove();
    assert.deepEqual(asked, [
      "POST /v2/shop/server/blobs/uploads/",
      "DELETE /v2/shop/server/blobs/uploads/one?state=x",
    ]);
  });

  it("is proved where the registry cancels no uploads", async () => {
    answers.DELETE = 405;
    await prove();
  });

  it("is refused with the permission that it takes", async () => {
    answers.POST = 403;
    await assert.rejects(
      prove(),
      /no permission to write \(HTTP 403\).*It takes the permission to push to 127/,
    );
  });
});
