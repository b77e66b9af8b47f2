import assert from "node:assert/strict";
import { parseReference } from "../../../registry";
import { neededToWrite } from "../../../registry/write-refusal";

describe("The permission that a write takes", () => {
  it("is named as GitHub names it, for a token and for a workflow", () => {
    assert.equal(
      neededToWrite(parseReference("ghcr.io/acme/shop/server:test")),
      "It takes the permission to push to ghcr.io/acme/shop/server: a token with write:packages; or, for a workflow's " +
        'GITHUB_TOKEN, "permissions: packages: write" and the role "Write" in the package\'s settings under Manage Actions access',
    );
  });

  it("is named by the repository elsewhere, and by the one whose blobs are taken over", () => {
    assert.equal(
      neededToWrite(parseReference("registry.example/test/server:test"), "dev/server"),
      "It takes the permission to push to registry.example/test/server and to pull from registry.example/dev/server: " +
        'give it to that account, or "docker login registry.example" as one that has it',
    );
  });
});
