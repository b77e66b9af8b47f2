/** Whatever request a registry dies at while a tag moves: the tag leads to all of an image or to what it led to before. */
import assert from "node:assert/strict";
import { parseReference, RegistryClient } from "../../../registry";
import { atEachRequest, deaths } from "./dying";
import { type Fault, give } from "./faulty";
import { digestOf, type Flavour, pushImage, pushIndex, types } from "./images";
import { type RealRegistry, startRealRegistry } from "./real-registry";

const accept = Object.values(types).flatMap(({ manifest, index }) => [manifest, index]);

describe("A registry that dies while a tag moves", () => {
  let real: RealRegistry;

  const open = () =>
    new RegistryClient({ credentials: async () => undefined, insecure: new Set(), deadlineMs: 2_000 });
  /** The digest of what the name leads to, when everything below it is there, byte for byte; undefined for nothing. */
  const whole = async (repository: string, name: string): Promise<string | undefined> => {
    const url = `http://${real.host}/v2/${repository}`;
    const response = await fetch(`${url}/manifests/${name}`, { headers: { accept: accept.join(", ") } });
    if (response.status === 404) return undefined;
    const bytes = Buffer.from(await response.arrayBuffer());
    assert.equal(response.status, 200, bytes.toString());
    const { manifests = [], config, layers = [] } = JSON.parse(bytes.toString());
    for (const { digest } of manifests) assert.equal(await whole(repository, digest), digest);
    for (const { digest } of config ? [config, ...layers] : []) {
      const blob = await fetch(`${url}/blobs/${digest}`);
      assert.equal(digestOf(Buffer.from(await blob.arrayBuffer())), digest);
    }
    return digestOf(bytes);
  };

  before(async () => {
    real = await startRealRegistry();
  });
  after(() => real.close());

  const honest: Fault = ({ pass }) => pass();
  /** As registries do that mount nothing. */
  const mountless: Fault = async ({ request, response, truth, pass }) => {
    if (!request.url?.includes("mount=")) return pass();
    request.url = request.url.replace(/\?.*/, "");
    give(response, await truth());
  };
  const moves: [string, Flavour, typeof pushImage, Fault, boolean][] = [
    ["to a docker image of its repository", "docker", pushImage, honest, false],
    ["to an OCI index of another repository", "oci", pushIndex, honest, true],
    ["to a docker list whose layers must be carried", "docker", pushIndex, mountless, true],
  ];
  for (const [name, flavour, push, honestly, isOther] of moves) {
    for (const death of deaths) {
      it(`${name}, ${death}: nothing is half there, and doing it again completes it`, async function () {
        this.timeout(600_000);
        const kind = `${moves.findIndex(([other]) => other === name)}-${deaths.indexOf(death)}`;
        const repositoryOf = (n: number) => `acme/${kind}-${n}`;
        // One manifest in one repository is not put by several at once: distribution 2 loses sight of it meanwhile.
        const sourceOf = (n: number) => (isOther ? `acme/source-${kind}` : repositoryOf(n));
        const pushed = (n: number, seed: string) =>
          push({ host: real.host, repository: sourceOf(n) }, { flavour, seed });
        const [older, newer] = [await pushed(0, "older"), await pushed(0, "newer")];
        const retag = async (host: string, n: number, { digest }: typeof newer) => {
          const client = open();
          const source = parseReference(`${host}/${sourceOf(n)}@${digest}`);
          const target = parseReference(`${host}/${repositoryOf(n)}:test`);
          await client.retag(source, target).finally(() => client.close());
        };
        const died = await atEachRequest(
          real.host,
          death,
          honestly,
          async (door, n) => {
            if (!isOther) await Promise.all([pushed(n, "older"), pushed(n, "newer")]);
            if (n % 2 === 0) await retag(real.host, n, older);
            await retag(door.host, n, newer);
          },
          async (n, error) => {
            const before = n % 2 === 0 ? older.digest : undefined;
            const now = await whole(repositoryOf(n), "test");
            assert(now === before || now === newer.digest, `at request ${n + 1} the tag leads to ${now}`);
            if (!error) assert.equal(now, newer.digest, `request ${n + 1} is said to have been the last`);
            await retag(real.host, n, newer);
            assert.equal(await whole(repositoryOf(n), "test"), newer.digest);
          },
        );
        assert(died >= (isOther ? 5 : 2), `it died at ${died} requests`);
      });
    }
  }
});
