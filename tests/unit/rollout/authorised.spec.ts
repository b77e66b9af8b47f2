/** What may roll where the config names a release. */
import assert from "node:assert/strict";
import { type Authorisation, unauthorised } from "../../../rollout/authorised";

const none: Authorisation = { release: "", digests: {} };
const release: Authorisation = { release: "1.4.2", digests: { server: "s1" } };

const table: [
  sentence: string,
  recorded: Authorisation | undefined,
  named: string | undefined,
  digest: string,
  problem: RegExp | undefined,
][] = [
  ["anything may where no release is named", none, undefined, "s9", undefined],
  ["anything may where nobody has put anything down", undefined, undefined, "s9", undefined],
  [
    "nothing may where a release is named and nobody has led the tag to it",
    undefined,
    "1.4.2",
    "s1",
    /^the config names the release 1\.4\.2, and no `pulumi up` has led the tag to it yet$/,
  ],
  ["nothing may where a release is named and the state has none yet", none, "1.4.2", "s1", /no `pulumi up`/],
  ["what the state says may", release, "1.4.2", "s1", undefined],
  ["what the state says may, whatever older files on this machine name", release, "1.4.1", "s1", undefined],
  ["what the state says may, where the files name nothing", release, undefined, "s1", undefined],
  [
    "anything else may not",
    release,
    "1.4.2",
    "s9",
    /^not what the config names: the release 1\.4\.2, which is s1; lead the tag back with `pulumi up`, or name another release$/,
  ],
];

describe("Where a release is named or not,", () => {
  for (const [sentence, recorded, named, digest, problem] of table) {
    it(sentence, () => {
      const found = unauthorised(recorded, named, "server", digest);
      if (problem) assert.match(found ?? "", problem);
      else assert.equal(found, undefined);
    });
  }

  it("an image that the release says nothing of may not", () => {
    assert.match(
      unauthorised(release, "1.4.2", "client", "c1") ?? "",
      /the release 1\.4\.2, which says nothing of it;/,
    );
  });
});
