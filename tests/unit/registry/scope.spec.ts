import assert from "node:assert/strict";
import { type Access, scopesFor } from "../../../registry/scope";

const read: Access = { repository: "acme/server", writes: false };
const write: Access = { repository: "acme/server", writes: true };
const mount: Access = { ...write, mountFrom: "acme/source" };
const [pull, push, source] = [
  "repository:acme/server:pull",
  "repository:acme/server:pull,push",
  "repository:acme/source:pull",
];

describe("The scopes of a token", () => {
  const cases: [string, Access, string | undefined, string[]][] = [
    ["a read is what the challenge says", read, pull, [pull]],
    ["a read that is not told what", read, undefined, [pull]],
    ["a read that is told nothing", read, "", [pull]],
    [
      "a read is not widened",
      read,
      "repository:x/y:pull registry:catalog:*",
      ["repository:x/y:pull", "registry:catalog:*"],
    ],
    ["a write is what the challenge says, where that lets it push", write, push, [push]],
    [
      "a write where the challenge names the actions in another order",
      write,
      "repository:acme/server:push,pull",
      [push],
    ],
    ["a write that is not told what", write, undefined, [push]],
    ["a write where the challenge says pull to everybody, as GHCR's does", write, pull, [push]],
    [
      "a write where the registry has another name for the repository",
      write,
      "repository:mirror/acme/server:pull",
      ["repository:mirror/acme/server:pull,push"],
    ],
    ["a write with all actions", write, "repository:acme/server:*", ["repository:acme/server:*"]],
    ["a mount that is not told what", mount, undefined, [push, source]],
    ["a mount where the challenge names both", mount, `${source} ${push}`, [source, push]],
    ["a mount where the challenge names one", mount, push, [push, source]],
    ["a mount where the challenge says pull to everybody", mount, pull, [push, source]],
    [
      "a write of a repository behind a port, which has a colon",
      { repository: "acme/server", writes: true },
      "repository:host:5000/acme/server:pull",
      ["repository:host:5000/acme/server:pull,push"],
    ],
  ];
  for (const [name, access, said, scopes] of cases) {
    it(`of ${name}`, () => assert.deepEqual(scopesFor(said, access), scopes));
  }
});
