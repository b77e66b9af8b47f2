/** The ledger's public face: what environments found out, who said what, and what a release's name leads to. */
export { admission, type Question as AdmissionQuestion } from "./admission";
export { Ledger, type LedgerOptions } from "./ledger";
export { describe, nameRelease, ReleaseError, resolveRelease } from "./release";
export { findingTag } from "./tags";
export { plainLine, plainReason } from "./text";
