import assert from "node:assert/strict";
import { parse } from "yaml";
import { releaseIn, StackFileError, withRelease } from "../../../config/editStackFile";

const file = "Pulumi.test.yaml";
const set = (text: string, release = "1.4.2"): string => withRelease(text, release, file);
const remove = (text: string): string => withRelease(text, undefined, file);

/** What the file is, as written, and with release 1.4.2. */
const edits: [what: string, before: string, after: string][] = [
  [
    "a release that is there",
    "config:\n  tagalong:engine: docker\n  tagalong:release: 1.4.1\n",
    "config:\n  tagalong:engine: docker\n  tagalong:release: 1.4.2\n",
  ],
  [
    "a comment behind the release, and odd spacing",
    "config:\n    tagalong:release :   1.4.1   # as agreed on Monday\n    # the engine\n    tagalong:engine:   docker\n",
    "config:\n    tagalong:release :   1.4.2   # as agreed on Monday\n    # the engine\n    tagalong:engine:   docker\n",
  ],
  [
    "double quotes, which stay",
    'config:\n  "tagalong:release": "1.4.1"\n',
    'config:\n  "tagalong:release": "1.4.2"\n',
  ],
  [
    "single quotes, which stay",
    "config:\n  'tagalong:release': '1.4.1'\n",
    "config:\n  'tagalong:release': '1.4.2'\n",
  ],
  [
    "a text over two lines",
    'config:\n  tagalong:release: "1.4\\\n    .1"\n',
    'config:\n  tagalong:release: "1.4.2"\n',
  ],
  ["a number that was no text", "config:\n  tagalong:release: 1.4\n", "config:\n  tagalong:release: 1.4.2\n"],
  ["a tag", "config:\n  tagalong:release: !!str 1.10\n", "config:\n  tagalong:release: !!str 1.4.2\n"],
  [
    "an anchor that nobody refers to",
    "config:\n  tagalong:release: &release 1.4.1\n",
    "config:\n  tagalong:release: &release 1.4.2\n",
  ],
  [
    "an empty release",
    "config:\n  tagalong:release:\n  tagalong:engine: docker\n",
    "config:\n  tagalong:release: 1.4.2\n  tagalong:engine: docker\n",
  ],
  [
    "an empty release with a comment",
    "config:\n  tagalong:release: # none yet\n  tagalong:engine: docker\n",
    "config:\n  tagalong:release: 1.4.2 # none yet\n  tagalong:engine: docker\n",
  ],
  [
    "an empty release with an anchor",
    "config:\n  tagalong:release: &r\n",
    "config:\n  tagalong:release: &r 1.4.2\n",
  ],
  ["a release that is null", "config:\n  tagalong:release: ~\n", "config:\n  tagalong:release: 1.4.2\n"],
  [
    "an explicit key",
    "config:\n  ? tagalong:release\n  : 1.4.1\n  ? tagalong:engine\n  : docker\n",
    "config:\n  ? tagalong:release\n  : 1.4.2\n  ? tagalong:engine\n  : docker\n",
  ],
  [
    "no release: it becomes the first key, comments stay with theirs",
    "# Test\nconfig: # all of it\n  # the engine\n  tagalong:engine: docker\nencryptionsalt: v1:abc=\n",
    "# Test\nconfig: # all of it\n  tagalong:release: 1.4.2\n  # the engine\n  tagalong:engine: docker\nencryptionsalt: v1:abc=\n",
  ],
  [
    "deep indentation",
    "config:\n      tagalong:engine: docker\n",
    "config:\n      tagalong:release: 1.4.2\n      tagalong:engine: docker\n",
  ],
  [
    "a file that is indented as a whole",
    "  config:\n   tagalong:engine: docker\n  encryptionsalt: v1\n",
    "  config:\n   tagalong:release: 1.4.2\n   tagalong:engine: docker\n  encryptionsalt: v1\n",
  ],
  [
    "anchors, aliases and merge keys elsewhere",
    "x: &x {a: 1}\nconfig: &config\n  <<: *x\n  tagalong:secrets: &secrets {A: {secure: v1}}\n  other:secrets: *secrets\n",
    "x: &x {a: 1}\nconfig: &config\n  tagalong:release: 1.4.2\n  <<: *x\n  tagalong:secrets: &secrets {A: {secure: v1}}\n  other:secrets: *secrets\n",
  ],
  [
    "Windows line ends",
    "config:\r\n  tagalong:engine: docker\r\n",
    "config:\r\n  tagalong:release: 1.4.2\r\n  tagalong:engine: docker\r\n",
  ],
  [
    "Windows line ends and a release",
    "config:\r\n  tagalong:release: 1.4.1\r\n",
    "config:\r\n  tagalong:release: 1.4.2\r\n",
  ],
  [
    "no line end at the end",
    "config:\n  tagalong:engine: docker",
    "config:\n  tagalong:release: 1.4.2\n  tagalong:engine: docker",
  ],
  [
    "no line end behind the release",
    "config:\n  tagalong:release: 1.4.1",
    "config:\n  tagalong:release: 1.4.2",
  ],
  ["a byte order mark", "\ufeffconfig:\n  a:b: c\n", "\ufeffconfig:\n  tagalong:release: 1.4.2\n  a:b: c\n"],
  [
    "a directive",
    "%YAML 1.2\n---\nconfig:\n  a:b: c\n",
    "%YAML 1.2\n---\nconfig:\n  tagalong:release: 1.4.2\n  a:b: c\n",
  ],
  ["an empty file", "", "config:\n  tagalong:release: 1.4.2\n"],
  ["comments alone", "# Test\n", "# Test\nconfig:\n  tagalong:release: 1.4.2\n"],
  ["comments alone, without a line end", "# Test", "# Test\nconfig:\n  tagalong:release: 1.4.2\n"],
  ["a start of the document", "---\n# Test\n", "---\n# Test\nconfig:\n  tagalong:release: 1.4.2\n"],
  ["nothing between start and end", "---\n...\n", "---\nconfig:\n  tagalong:release: 1.4.2\n...\n"],
  [
    "no config",
    "encryptionsalt: v1:abc=\n# the end\n",
    "encryptionsalt: v1:abc=\n# the end\nconfig:\n  tagalong:release: 1.4.2\n",
  ],
  [
    "no config, and a text of several lines at the end",
    "note: |\n  one\n  two",
    "note: |\n  one\n  two\nconfig:\n  tagalong:release: 1.4.2\n",
  ],
  [
    "a text with the mark of a document's end in it",
    "note: |\n  ...\n  two\n",
    "note: |\n  ...\n  two\nconfig:\n  tagalong:release: 1.4.2\n",
  ],
  [
    "an empty config",
    "config:\nencryptionsalt: v1\n",
    "config:\n  tagalong:release: 1.4.2\nencryptionsalt: v1\n",
  ],
  ["an empty config at the end", "config:", "config:\n  tagalong:release: 1.4.2"],
  [
    "an empty config with comments",
    "config: # nothing\n  # yet\nencryptionsalt: v1\n",
    "config: # nothing\n  tagalong:release: 1.4.2\n  # yet\nencryptionsalt: v1\n",
  ],
  ["an empty config with an anchor", "config: &c\n", "config: &c\n  tagalong:release: 1.4.2\n"],
  ["a config that is null", "config: ~ # none\n", "config: {tagalong:release: 1.4.2} # none\n"],
  ["an empty map", "config: {}\n", "config: {tagalong:release: 1.4.2}\n"],
  ["an empty map with space", "config: { }\n", "config: {tagalong:release: 1.4.2 }\n"],
  [
    "a map on one line",
    "config: {tagalong:engine: docker} # all\n",
    "config: {tagalong:release: 1.4.2, tagalong:engine: docker} # all\n",
  ],
  [
    "a map on one line with the release",
    "config: { tagalong:release: 1.4.1, tagalong:engine: docker, }\n",
    "config: { tagalong:release: 1.4.2, tagalong:engine: docker, }\n",
  ],
  [
    "a key without a value between braces",
    "config: {tagalong:release, a:b: c}\n",
    "config: {tagalong:release: 1.4.2, a:b: c}\n",
  ],
  [
    "a map between braces on several lines",
    "config: {\n  # the engine\n  tagalong:engine: docker,\n}\n",
    "config: {\n  # the engine\n  tagalong:release: 1.4.2,\n  tagalong:engine: docker,\n}\n",
  ],
  [
    "JSON",
    '{\n  "config": {\n    "tagalong:engine": "docker"\n  }\n}\n',
    '{\n  "config": {\n    "tagalong:release": "1.4.2",\n    "tagalong:engine": "docker"\n  }\n}\n',
  ],
  [
    "JSON without a config",
    '{"encryptionsalt": "v1"}',
    '{"config": {"tagalong:release": "1.4.2"}, "encryptionsalt": "v1"}',
  ],
  ["JSON with an empty config", '{"config": null}', '{"config": {"tagalong:release": "1.4.2"}}'],
  ["braces with nothing in them", "{}", "{config: {tagalong:release: 1.4.2}}"],
];

/** What the file is, as written, and what it is refused with. */
const refusals: [what: string, text: string, problem: RegExp][] = [
  ["broken YAML", "config:\n  tagalong:engine: [docker\n", /^Pulumi\.test\.yaml:3:1: .*nothing was written$/],
  ["a tab", "config:\n\ttagalong:engine: docker\n", /^Pulumi\.test\.yaml:2:1: Tabs are not allowed/],
  [
    "a release twice",
    "config:\n  tagalong:release: 1.4.0\n  tagalong:release: 1.4.1\n",
    /^Pulumi\.test\.yaml:3:3: Map keys must be unique; put that right first, nothing was written$/,
  ],
  ["config twice", "config:\n  a:b: c\nconfig:\n  a:b: d\n", /:3:1: Map keys must be unique/],
  [
    "two documents",
    "config:\n  a:b: c\n---\nconfig:\n  a:b: d\n",
    /:3:1: Source contains multiple documents/,
  ],
  ["a list", "- config\n", /^Pulumi\.test\.yaml: is no map/],
  ["a text", "config\n", /is no map/],
  ["a config that is a text", "config: docker\n", /config is no map/],
  ["a config that is a list", "config:\n- docker\n", /config is no map/],
  [
    "a config said elsewhere",
    "x: &x\n  a:b: c\nconfig: *x\n",
    /^Pulumi\.test\.yaml:3: config is what &x says elsewhere/,
  ],
  [
    "a release said elsewhere",
    "x: &x 1.4.1\nconfig:\n  tagalong:release: *x\n",
    /^Pulumi\.test\.yaml:3: tagalong:release is what &x says elsewhere/,
  ],
  [
    "a release that others refer to",
    "config:\n  tagalong:release: &x 1.4.1\n  other:version: *x\n",
    /^Pulumi\.test\.yaml:2: \*x elsewhere in the file means this release as well/,
  ],
  [
    "a config that others refer to",
    "config: &c\n  a:b: c\nx: *c\n",
    /it cannot be edited without changing more: write tagalong:release there by hand/,
  ],
  [
    "a release that is a map",
    "config:\n  tagalong:release: {secure: v1}\n",
    /:2: tagalong:release is no text/,
  ],
  [
    "a release of several lines",
    "config:\n  tagalong:release: |\n    1.4.1\n",
    /:2: .* written over several lines/,
  ],
  ["an alias that leads nowhere", "config:\n  a:b: *x\n", /it cannot be edited without changing more/],
  [
    "a config that begins in its own line",
    "? config\n: tagalong:engine: docker\n",
    /it cannot be edited without changing more/,
  ],
];

describe("Editing the release in a stack's file", () => {
  for (const [what, before, after] of edits) {
    it(`keeps every other byte: ${what}`, () => {
      assert.equal(set(before), after);
      assert.equal(releaseIn(after, file), "1.4.2");
      assert.equal(set(after), after, "set once more, nothing changes");
    });
  }

  for (const [what, text, problem] of refusals) {
    it(`refuses with the line: ${what}`, () => {
      assert.throws(
        () => set(text),
        (error) => error instanceof StackFileError && problem.test(error.message),
      );
    });
  }

  it("undoes what it did, byte by byte", () => {
    for (const [what, before] of edits) {
      const found = releaseIn(before, file);
      if (found === "1.4.1" && !before.includes("\\\n")) assert.equal(set(set(before), found), before, what);
      if (parse(before)?.config && !before.includes("tagalong:release"))
        assert.equal(remove(set(before)), before, what);
    }
  });

  it("is the same in every mixture of line ends, comments, indentation and order", () => {
    const heads = ["", "encryptionsalt: v1:a=\n", "\ufeff# Test\n---\n"];
    const openings = ["config:\n", "config: # all\n\n", '"config" :\n', "config: !!map\n"];
    const keys = [
      "",
      "  # above\n",
      "  tagalong:services:\n    # one\n    app: {image: app}\n",
      "  tagalong:edge: |\n    x\n\n",
    ];
    const releases = [
      "",
      "  tagalong:release: 1.4.1\n",
      "  tagalong:release: '1.4.1' # why\n",
      '  "tagalong:release":   v1.0\n',
    ];
    const tails = ["", "\n# end\nencryptedkey: x\n", "other: [1,\n 2]"];
    let count = 0;
    for (const opening of openings)
      for (const before of keys)
        for (const release of releases)
          for (const after of keys)
            for (const newline of ["\n", "\r\n"]) {
              if (!`${before}${release}${after}`.includes("tagalong:")) continue;
              if (before === after && before.includes("tagalong")) continue;
              // What stands before and after it all takes turns.
              const [head, tail] = [heads[count % heads.length], tails[(count >> 1) % tails.length]];
              const lines = `${head}${opening}${before}${release}${after}${tail}`;
              const text = lines.replaceAll("\n", newline);
              const edited = set(text, "2.0.0");
              const others = (all: string) =>
                all.split("\n").filter((line) => !line.includes("tagalong:release"));
              assert.deepEqual(others(edited), others(text), JSON.stringify(text));
              assert.equal(releaseIn(edited, file), "2.0.0");
              const back = releaseIn(text, file);
              assert.equal(back === undefined ? remove(edited) : set(edited, back), text);
              count++;
            }
    assert(count > 350, `${count} files`);
  });

  it("writes every release so that YAML reads it as a text", () => {
    const releases = [
      ...["1.4.2", "v1.4.2", "1.10", "2", "1e3", "0x1f", "1_000", "2026-11-21", "12:30", "true", "null", "y"],
      ...["on", "~", "1.4.2-rc.1", "v2", "", " x ", "it's", 'a"b', "a: b", "#a", "-", "*a", "{", "a\nb", "é"],
      ...[
        `sha-${"0123456789".repeat(4)}`,
        `sha256:${"a1".repeat(32)}`,
        ".5",
        "1.",
        "+1",
        ".inf",
        "NaN",
        "=",
        "<<",
      ],
    ];
    for (const text of [
      "config:\n  a:b: c\n",
      "config:\n  tagalong:release: 'x'\n",
      'config: {"tagalong:release": "x"}',
    ])
      for (const release of releases) {
        const edited = set(text, release);
        for (const version of ["1.1", "1.2"] as const)
          assert.equal(parse(edited, { version }).config["tagalong:release"], release, edited);
      }
    assert.match(set("config:\n  a:b: c\n", "1.10"), /release: "1\.10"$/m);
    assert.match(set("config:\n  a:b: c\n", "v1.10"), /release: v1\.10$/m);
  });

  it("takes the release out, with its line", () => {
    const cases = [
      ["config:\n  a:b: c\n  tagalong:release: 1.4.1 # why\n  d:e: f\n", "config:\n  a:b: c\n  d:e: f\n"],
      ["config:\n  ? tagalong:release\n  : 1.4.1\n  a:b: c\n", "config:\n  a:b: c\n"],
      ["config:\n  a:b: c\n  tagalong:release: 1.4.1", "config:\n  a:b: c\n"],
      ["config:\n  tagalong:release: 1.4.1\nx: y\n", "config:\nx: y\n"],
      ["config:\n  tagalong:release:\n  a:b: c\n", "config:\n  a:b: c\n"],
      ["config:\n  tagalong:release: |\n    1.4.1\n  a:b: c\n", "config:\n  a:b: c\n"],
      ["config: {tagalong:release: 1.4.1, a:b: c}\n", "config: {a:b: c}\n"],
      ["config: {a:b: c, tagalong:release: 1.4.1}\n", "config: {a:b: c}\n"],
      ["config: {tagalong:release: 1.4.1}\n", "config: {}\n"],
      ["config:\n  a:b: c\n", "config:\n  a:b: c\n"],
    ] as const;
    for (const [before, after] of cases) assert.equal(remove(before), after);
  });

  it("reads a release as it is written, and none where there is none", () => {
    const cases = [
      ["config:\n  tagalong:release: 1.10\n", "1.10"],
      ["config:\n  tagalong:release: '1.10'\n", "1.10"],
      ["config:\n  tagalong:release:\n", undefined],
      ["config:\n  tagalong:release: null\n", undefined],
      ["config:\n", undefined],
      ["", undefined],
    ] as const;
    for (const [text, release] of cases) assert.equal(releaseIn(text, file), release);
    assert.throws(() => releaseIn("config:\n  tagalong:release: [1]\n", file), /is no text/);
  });
});
