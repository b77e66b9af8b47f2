/**
 * A token issuer as a real registry trusts it: signs JSON Web Tokens with a key whose self-signed certificate the
 * registry was given. Promises that each issuer has a key of its own, and that nothing is installed for it.
 */
import { generateKeyPairSync, randomUUID, sign } from "node:crypto";

/** What a token grants, in the registry's words. */
export interface Grant {
  readonly repository: string;
  readonly actions: readonly string[];
}

export interface TokenIssuer {
  /** PEM, for the registry's `rootcertbundle`. */
  readonly certificate: string;
  token(grants: readonly Grant[], lifeSeconds?: number): string;
}

/** @param issuer the registry's `issuer`; @param service its `service` */
export function createTokenIssuer(issuer: string, service: string): TokenIssuer {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const der = selfSigned(publicKey.export({ type: "spki", format: "der" }), (body) =>
    sign("sha256", body, privateKey),
  );
  const base64 = der.toString("base64");
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}/g, "$&\n")}\n-----END CERTIFICATE-----\n`,
    token(grants, lifeSeconds = 300) {
      const now = Math.floor(Date.now() / 1_000);
      const access = grants.map(({ repository, actions }) => ({
        type: "repository",
        name: repository,
        actions,
      }));
      const claims = { iss: issuer, aud: service, sub: "test", jti: randomUUID(), iat: now, nbf: now - 60 };
      const signed = `${part({ typ: "JWT", alg: "ES256", x5c: [base64] })}.${part({ ...claims, exp: now + lifeSeconds, access })}`;
      const signature = sign("sha256", Buffer.from(signed), { key: privateKey, dsaEncoding: "ieee-p1363" });
      return `${signed}.${signature.toString("base64url")}`;
    },
  };
}

/** X.509 in DER, by hand: Node makes keys and no certificates. */
function selfSigned(publicKey: Buffer, signed: (body: Buffer) => Buffer): Buffer {
  const algorithm = der(0x30, oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02));
  const name = der(
    0x30,
    der(0x31, der(0x30, oid(0x55, 0x04, 0x03), der(0x0c, Buffer.from("tagalong test issuer")))),
  );
  const validity = der(
    0x30,
    der(0x17, Buffer.from("200101000000Z")),
    der(0x17, Buffer.from("491231235959Z")),
  );
  const isAuthority = der(0x04, der(0x30, der(0x01, Buffer.from([0xff]))));
  const extensions = der(
    0xa3,
    der(0x30, der(0x30, oid(0x55, 0x1d, 0x13), der(0x01, Buffer.from([0xff])), isAuthority)),
  );
  const version = der(0xa0, der(0x02, Buffer.from([2])));
  const serial = der(0x02, Buffer.from([1]));
  const body = der(0x30, version, serial, algorithm, name, validity, name, publicKey, extensions);
  return der(0x30, body, algorithm, der(0x03, Buffer.from([0]), signed(body)));
}

function der(tag: number, ...contents: Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const size = content.length;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

function oid(...bytes: number[]): Buffer {
  return der(0x06, Buffer.from(bytes));
}
