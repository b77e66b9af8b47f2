/** The registry room's public face: what other rooms import, and all they need to. */
export { again } from "./again";
export { RegistryClient, type Resolved } from "./client";
export {
  type Credential,
  type CredentialLookup,
  credentialLookup,
  type ExplicitCredentials,
  engineAuthHeader,
  type Secret,
} from "./credentials";
export { type Digest, digestOf, isDigest, verifies } from "./digest";
export { CredentialError, InvalidReferenceError, type Reason, RegistryError } from "./errors";
export { type ImageFacts, matches } from "./facts";
export type { Manifest } from "./fetching";
export type { Descriptor, ImageIndex, ImageManifest, ManifestType, Platform } from "./manifest";
export type { Observation } from "./observe";
export { atDigest, atTag, formatReference, parseReference, type Reference } from "./reference";
export type { TransportOptions } from "./transport";
export { lacksContent } from "./writing";
