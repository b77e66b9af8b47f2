// What Pulumi prints of an error that ends the program: what a person can put right is told in a sentence; anything else
// is a mistake of ours, with its stack.
import * as pulumi from "@pulumi/pulumi";
import { PreflightError } from "../access/preflight";
import { GitHubError } from "../github";
import { ReleaseError } from "../ledger";
import { CredentialError, RegistryError } from "../registry";

const forPersons = [ReleaseError, RegistryError, CredentialError, GitHubError, PreflightError];

export function told(error: unknown): unknown {
  const isForPerson = forPersons.some((kind) => error instanceof kind);
  return shortened(isForPerson ? new pulumi.RunError((error as Error).message) : error);
}

/**
 * Without the frames of Pulumi's own code. Node 20 takes half a minute and a gigabyte to print a stack with a path like
 * theirs, `node_modules/@scope/file.ts`, and the SDK prints every error's, even where it shows the message alone.
 */
function shortened(error: unknown): unknown {
  if (error instanceof Error && error.stack !== undefined) {
    const lines = error.stack.split("\n");
    error.stack = lines.filter((line) => !line.includes("/node_modules/@pulumi/")).join("\n");
  }
  return error;
}
