// What the stack takes over instead of making it: what GitHub has already and the stack's state has not yet. Whoever is
// in the state keeps its place, since GitHub's provider names some resources otherwise when it imports them.
import * as pulumi from "@pulumi/pulumi";

export class Adoption {
  /** @param known URNs of what the stack's state has */
  constructor(private readonly known: readonly string[]) {}

  /**
   * The option `import`, where the resource is to be taken over.
   * @param id as an import takes it; undefined where GitHub has none
   */
  of(type: string, name: string, id: string | undefined): { import?: string } {
    return id === undefined || this.has(type, name) ? {} : { import: id };
  }

  /** Whether the stack's state has it. */
  has(type: string, name: string): boolean {
    return this.known.some((urn) => urn.endsWith(`$${type}::${name}`));
  }
}

/** Whether the repository is among what the stack's state has. */
export const isRepositoryIn = (known: readonly string[]): boolean =>
  new Adoption(known).has("github:index/repository:Repository", "repository");

/** URNs of everything in the stack's own state, as it was before this run. */
export async function ownResources(): Promise<string[]> {
  const stackName = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  const { outputs } = (await pulumi.runtime.invoke("pulumi:pulumi:readStackResourceOutputs", {
    stackName,
  })) as { outputs: Record<string, unknown> };
  return Object.keys(outputs);
}
