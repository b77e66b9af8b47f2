import assert from "node:assert/strict";
import { portableFiles } from "../../../components/projectFiles";

describe("The project's files in a watcher's container", () => {
  const project = `name: shop
main: program.cjs # where it was written
plugins: {providers: [{name: tagalong, path: /home/ada/tagalong/provider/plugin}]}
config: {tagalong:images: {value: {server: {repository: ghcr.io/acme/server}}}}
`;
  const stack = "encryptionsalt: v1:abc\nconfig: {tagalong:secrets: {PIN: {secure: v1:abc}}}\n";
  const repository = `encryptionsalt: v1:def
config:
  tagalong:repository: {owner: acme, name: shop, token: {secure: v1:def}, bypass: [admin]}
  tagalong:secrets: {TOKEN: {secure: v1:abc}}
`;

  it("are the stack's as they stand, and nothing of one machine", () => {
    const files = portableFiles({ project, stack, repository });
    assert.equal(files.stack, stack);
    assert.doesNotMatch(files.project, /home\/ada|where it was written/);
    assert.match(files.project, /path: \.\/provider\/plugin/);
  });

  it("name the repository, and give away nothing else of it", () => {
    assert.equal(
      portableFiles({ project, stack, repository }).repository,
      "config:\n  tagalong:repository:\n    owner: acme\n    name: shop\n",
    );
  });

  for (const text of ["", "config: {}\n", "encryptionsalt: v1\n", "config: [\n"]) {
    it(`name none where ${JSON.stringify(text)} names none`, () => {
      assert.equal(portableFiles({ project, stack, repository: text }).repository, "");
    });
  }

  it("are made of themselves without a change, so that a watcher never replaces itself", () => {
    const once = portableFiles({ project, stack, repository });
    assert.deepEqual(portableFiles(once), once);
  });
});
